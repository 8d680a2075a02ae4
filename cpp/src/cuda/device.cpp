#include "device.hpp"

#include <atomic>

#if !defined(_WIN32)
#include <unistd.h>
#endif

namespace hplaws {
namespace cuda {
namespace {

// The process that started CUDA, or 0.
std::atomic<int64_t> owner{0};

int64_t this_process() {
#if defined(_WIN32)
    return 1;
#else
    return getpid();
#endif
}

std::string bytes(int64_t n) {
    return std::to_string(n) + " bytes (" + std::to_string(n >> 20) + " MiB)";
}

}  // namespace

void check(cudaError_t status, const char* doing) {
    if (status == cudaSuccess) return;
    throw DeviceError(std::string("CUDA failed in ") + doing + ": " + cudaGetErrorString(status));
}

std::vector<Device> devices(std::string& why_none) {
    std::vector<Device> found;
    const int64_t started = owner.load();
    if (started != 0 && started != this_process()) {
        why_none = "this process was forked after CUDA had started";
        return found;
    }
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess || count == 0) {
        why_none = status != cudaSuccess ? cudaGetErrorString(status) : "no CUDA device";
        cudaGetLastError();  // or the next check would report it
        return found;
    }
    for (int i = 0; i < count; ++i) {
        cudaDeviceProp p;
        if (cudaGetDeviceProperties(&p, i) != cudaSuccess) continue;
        found.push_back({p.name, p.major, p.minor, p.multiProcessorCount,
                         static_cast<int64_t>(p.totalGlobalMem)});
    }
    return found;
}

int multiprocessors(int device) {
    int count = 0;
    check(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device),
          "asking for the number of multiprocessors");
    return count;
}

Current::Current(int device) {
    int64_t expected = 0;
    if (!owner.compare_exchange_strong(expected, this_process()) && expected != this_process()) {
        throw DeviceError(
            "CUDA cannot be used in a process forked after CUDA had started; "
            "start workers with multiprocessing's 'spawn' or 'forkserver'");
    }
    check(cudaGetDevice(&before), "asking for the current device");
    check(cudaSetDevice(device), "choosing a device");
}

Current::~Current() { cudaSetDevice(before); }

void* allocate(int64_t n, cudaStream_t stream) {
    if (n == 0) return nullptr;
    void* address = nullptr;
    const cudaError_t status = cudaMallocAsync(&address, static_cast<size_t>(n), stream);
    if (status == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        size_t free = 0, total = 0;
        std::string there;
        if (cudaMemGetInfo(&free, &total) == cudaSuccess) {
            there = ": " + bytes(static_cast<int64_t>(free)) + " of " +
                    bytes(static_cast<int64_t>(total)) + " are free";
        }
        throw OutOfMemory("no " + bytes(n) + " on the CUDA device" + there);
    }
    check(status, "allocating memory");
    return address;
}

void release(void* address, cudaStream_t stream) { cudaFreeAsync(address, stream); }

void upload(void* to, const void* from, int64_t n, cudaStream_t stream) {
    if (n == 0) return;
    // From pageable memory this returns once the source has been read.
    check(cudaMemcpyAsync(to, from, static_cast<size_t>(n), cudaMemcpyHostToDevice, stream),
          "copying to the device");
}

void download(void* to, const void* from, int64_t n, cudaStream_t stream) {
    if (n == 0) return;
    check(cudaMemcpyAsync(to, from, static_cast<size_t>(n), cudaMemcpyDeviceToHost, stream),
          "copying from the device");
    wait(stream);
}

void fill_bytes(void* to, int value, int64_t n, cudaStream_t stream) {
    if (n == 0) return;
    check(cudaMemsetAsync(to, value, static_cast<size_t>(n), stream), "filling memory");
}

void wait(cudaStream_t stream) { check(cudaStreamSynchronize(stream), "running a kernel"); }

}  // namespace cuda
}  // namespace hplaws
