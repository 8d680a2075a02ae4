// Which compiled loops this machine can run, and which are in use.
#pragma once

#include <string>
#include <vector>

#include "kernels.hpp"

namespace hplaws {

std::vector<std::string> built_isas();      // narrowest first
std::vector<std::string> supported_isas();  // of those built, what CPU and OS allow
const Kernels& active_kernels();
void select_isa(const std::string& name);  // std::invalid_argument if it cannot run here

}  // namespace hplaws
