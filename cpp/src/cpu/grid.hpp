// grid_argmin: cuts the grid into units of work, gives each to a kernel, merges.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kernels.hpp"
#include "parallel.hpp"

namespace hplaws {

enum Axis { kAlpha, kB, kEta };

struct Values {
    const double* data;
    int64_t size;
};

struct GridRequest {
    std::vector<Coefficients> bounds;
    Values axis[3];  // by Axis, in the caller's order
    Values budget;
    bool budget_is_steps;
    bool over[3];  // minimised away
    bool dense;
    int threads;
};

// One element per cell (bound, budget, kept alpha, kept b, kept eta), eta fastest.
// index and value are set for the axes in `over` alone.
struct GridResult {
    double* risk;
    int64_t* index[3];
    double* value[3];
    bool* at_edge;
};

// `progress` receives the covered fraction of all configurations in [0, 1] and
// returns false to cancel; then grid_argmin returns false.
bool grid_argmin(const GridRequest& request, const GridResult& result,
                 const std::function<bool(double)>& progress);

}  // namespace hplaws
