// The element-wise functions of formulas.hpp on device memory.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <string>
#include <vector>

namespace hplaws {
namespace cuda {

// A float64 operand as seen from the common shape: strides in bytes, 0 where broadcast.
// Without an address, a number.
struct Operand {
    char* address;
    double number;
    std::vector<int64_t> strides;
};

struct Function {
    const char* name;
    size_t inputs, outputs;
    // Asynchronous, on `stream` of the current device.
    void (*run)(std::vector<int64_t> shape, std::vector<Operand> in, std::vector<Operand> out,
                cudaStream_t stream);
};

const std::vector<Function>& functions();

}  // namespace cuda
}  // namespace hplaws
