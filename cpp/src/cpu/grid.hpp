// grid_argmin: cuts the grid into units of work, gives each to a kernel, merges.
#pragma once

#include <functional>

#include "../grid_request.hpp"
#include "kernels.hpp"
#include "parallel.hpp"

namespace hplaws {

// `progress` receives the covered fraction of all configurations in [0, 1] and
// returns false to cancel; then grid_argmin returns false.
bool grid_argmin(const GridRequest& request, const GridResult& result,
                 const std::function<bool(double)>& progress);

}  // namespace hplaws
