// grid_argmin on a device.
#pragma once

#include <cuda_runtime.h>

#include <functional>

#include "../grid_request.hpp"

namespace hplaws {
namespace cuda {

// The request's arrays are the host's, the result's the current device's. Returns when
// the result is there. `progress` receives the covered fraction of all configurations
// in [0, 1] between launches and may throw to cancel the call.
void grid_argmin(const GridRequest& request, const GridResult& result, int multiprocessors,
                 cudaStream_t stream, const std::function<void(double)>& progress);

}  // namespace cuda
}  // namespace hplaws
