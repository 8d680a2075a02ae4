// How a kernel is written, so that a GPU and a plain loop run the very same body.
//
// A kernel is a class that is copied to the device as it stands:
//
//   kThreads, kBlocks     threads of a block; blocks a multiprocessor shall hold at once
//   kPhases               the body's parts, between which the threads of a block wait
//                         for each other
//   Shared, Local         what a block's threads share; what each keeps between phases
//   passes(block)         how many times a block goes through its phases
//   phase(Phase<i>, at, shared, local)
//
// The host's launch is for tests: it runs the threads of a phase one after another,
// in an order that changes with the phase, on memory filled with NaN. What depends on
// the order of threads within a phase, or on memory nobody wrote, shows there.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include <hplaws/config.hpp>

#include "device.hpp"

namespace hplaws {
namespace cuda {

template <int i>
struct Phase {};

struct Place {
    int64_t block;
    int thread;
    int64_t pass, passes;
};

// min into memory that other threads of the block lower at the same time.
template <class Unsigned>
HPLAWS_HD void lower(Unsigned* to, Unsigned value) {
#if defined(__CUDA_ARCH__)
    if constexpr (sizeof(Unsigned) == 8) {
        using Long = unsigned long long;  // CUDA's name for what may be unsigned long
        atomicMin(reinterpret_cast<Long*>(to), static_cast<Long>(value));
    } else {
        atomicMin(to, value);
    }
#else
    if (value < *to) *to = value;
#endif
}

#if defined(__CUDACC__)

template <int i, class Kernel>
__device__ __forceinline__ void run_phases(const Kernel& kernel, const Place& at,
                                           typename Kernel::Shared& shared,
                                           typename Kernel::Local& local) {
    kernel.phase(Phase<i>{}, at, shared, local);
    if constexpr (Kernel::kPhases > 1) __syncthreads();
    if constexpr (i + 1 < Kernel::kPhases) run_phases<i + 1>(kernel, at, shared, local);
}

template <class Kernel>
__global__ void __launch_bounds__(Kernel::kThreads, Kernel::kBlocks)
    run_block(const __grid_constant__ Kernel kernel, const int64_t first) {
    __shared__ typename Kernel::Shared shared;
    typename Kernel::Local local;
    Place at = {first + blockIdx.x, static_cast<int>(threadIdx.x), 0, 0};
    at.passes = kernel.passes(at.block);
    for (; at.pass < at.passes; ++at.pass) run_phases<0>(kernel, at, shared, local);
}

// Blocks [first, first + count), asynchronously.
template <class Kernel>
void launch(const Kernel& kernel, int64_t first, int64_t count, cudaStream_t stream) {
    if (count == 0) return;
    run_block<Kernel><<<static_cast<unsigned>(count), Kernel::kThreads, 0, stream>>>(kernel, first);
    check(cudaGetLastError(), "launching a kernel");
}

#else

template <int i, class Kernel>
void run_phases(const Kernel& kernel, Place at, typename Kernel::Shared& shared,
                std::vector<typename Kernel::Local>& local) {
    constexpr int n = Kernel::kThreads;
    const bool backwards = (at.block + at.pass + i) % 2 != 0;
    for (int k = 0; k < n; ++k) {
        at.thread = (backwards ? n - 1 - k : k) * 5 % n;  // 5 is prime to every power of two
        kernel.phase(Phase<i>{}, at, shared, local[static_cast<size_t>(at.thread)]);
    }
    if constexpr (i + 1 < Kernel::kPhases) run_phases<i + 1>(kernel, at, shared, local);
}

template <class Kernel>
void launch(const Kernel& kernel, int64_t first, int64_t count, cudaStream_t stream) {
    emulated_launch(stream);
    static_assert((Kernel::kThreads & (Kernel::kThreads - 1)) == 0, "a power of two");
    struct Memory {
        typename Kernel::Shared shared;
    };
    for (int64_t block = first + count; block-- > first;) {
        Memory memory;
        std::vector<typename Kernel::Local> local(Kernel::kThreads);
        std::memset(static_cast<void*>(&memory), 0xFF, sizeof memory);
        std::memset(static_cast<void*>(local.data()), 0xFF, sizeof local[0] * local.size());
        Place at = {block, 0, 0, kernel.passes(block)};
        for (; at.pass < at.passes; ++at.pass) run_phases<0>(kernel, at, memory.shared, local);
    }
}

#endif

}  // namespace cuda
}  // namespace hplaws
