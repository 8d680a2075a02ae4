// Devices, their memory, and what can go wrong with them.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace hplaws {
namespace cuda {

struct DeviceError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct OutOfMemory : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Throws DeviceError, or OutOfMemory, with what CUDA says of `doing`.
void check(cudaError_t status, const char* doing);

struct Device {
    int number;
    std::string name;
    int major, minor, multiprocessors;
    int64_t memory;
};

// Empty, with the reason, where no device can be used. Never throws.
std::vector<Device> devices(std::string& why_none);

int multiprocessors(int device);

// Makes `device` current for a scope. Every entry from Python passes here: DeviceError
// in a process forked after CUDA's start, whose copy of CUDA's state is of no use.
class Current {
public:
    explicit Current(int device);
    ~Current();
    Current(const Current&) = delete;
    Current& operator=(const Current&) = delete;

private:
    int before;
    bool changed;
};

void* allocate(int64_t bytes, cudaStream_t stream);
void release(void* address, cudaStream_t stream);

// Memory of the current device, taken and given back in the order of a stream.
template <class T>
class Array {
public:
    Array() = default;
    Array(int64_t n, cudaStream_t stream)
        : first(static_cast<T*>(allocate(n * static_cast<int64_t>(sizeof(T)), stream))),
          n(n),
          stream(stream) {}
    ~Array() {
        if (first) release(first, stream);
    }
    Array(Array&& from) noexcept { *this = std::move(from); }
    Array& operator=(Array&& from) noexcept {
        std::swap(first, from.first);
        std::swap(n, from.n);
        std::swap(stream, from.stream);
        return *this;
    }
    T* data() const { return first; }
    void forget() { first = nullptr; }  // what is not this process's to give back
    int64_t size() const { return n; }

private:
    T* first = nullptr;
    int64_t n = 0;
    cudaStream_t stream = nullptr;
};

// Both wait for the stream: the host's memory may be reused, or read, on return.
void upload(void* to, const void* from, int64_t bytes, cudaStream_t stream);
void download(void* to, const void* from, int64_t bytes, cudaStream_t stream);
void wait(cudaStream_t stream);

}  // namespace cuda
}  // namespace hplaws
