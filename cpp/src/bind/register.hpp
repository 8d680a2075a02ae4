// One register_* function per concept; module.cpp calls them all.
#pragma once

#include <pybind11/pybind11.h>

namespace hplaws {

void register_configuration(pybind11::module_& m);
void register_elementwise(pybind11::module_& m);
void register_grid(pybind11::module_& m);

// Between chunks of a long call, with the GIL taken back for the moment.
// Throws error_already_set on Ctrl-C or if `progress` raises.
bool poll_interpreter(const pybind11::object& progress, double fraction);

}  // namespace hplaws
