// Broadcasting: an element-wise kernel over strided operands, chunk by chunk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels.hpp"
#include "parallel.hpp"

namespace hplaws {

// A float64 operand of the common shape; strides in bytes, 0 where broadcast.
struct Operand {
    char* data;
    std::vector<int64_t> strides;
};

constexpr size_t kMaxOperands = 16;  // of inputs and of outputs

// Fewer elements than this are computed on the calling thread.
constexpr int64_t kElementwiseThreshold = int64_t{1} << 16;

bool run_elementwise(const Elementwise& kernel, std::vector<int64_t> shape, std::vector<Operand> in,
                     std::vector<Operand> out, int threads, const Poll& poll);

}  // namespace hplaws
