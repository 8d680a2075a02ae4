// What hplaws asks of CUDA, on a machine without any: the host's memory as two devices.
//
// Freed and fresh memory is filled with NaN patterns, and at most kMemory bytes can be
// held at once, so that a test can run out of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>

typedef int cudaError_t;
typedef struct emulated_stream* cudaStream_t;

enum {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInitializationError = 3
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2 };
enum cudaDeviceAttr { cudaDevAttrMultiProcessorCount = 16 };

enum cudaMemAllocationType { cudaMemAllocationTypePinned = 1 };
enum cudaMemLocationType { cudaMemLocationTypeDevice = 1 };
enum cudaMemPoolAttr { cudaMemPoolAttrReleaseThreshold = 4 };
typedef struct emulated_pool* cudaMemPool_t;

struct cudaMemPoolProps {
    cudaMemAllocationType allocType;
    struct {
        cudaMemLocationType type;
        int id;
    } location;
};

struct cudaDeviceProp {
    char name[256];
    int major, minor, multiProcessorCount;
    size_t totalGlobalMem;
};

struct Emulated {
    static constexpr size_t kMemory = size_t{1} << 30;
    std::map<void*, size_t> blocks;
    size_t held = 0;
    int device = 0;
    int64_t launched_on[2] = {-1, -1};  // device and stream of the last launch
};

inline Emulated& emulated() {
    static Emulated* state = new Emulated;
    return *state;
}

inline void emulated_launch(cudaStream_t stream) {
    emulated().launched_on[0] = emulated().device;
    emulated().launched_on[1] = reinterpret_cast<intptr_t>(stream);
}

// For tests, which find it by its name.
extern "C" __attribute__((visibility("default"), used)) inline const int64_t*
emulated_launched_on() {
    return emulated().launched_on;
}

inline const char* cudaGetErrorString(cudaError_t e) {
    return e == cudaErrorMemoryAllocation ? "out of memory" : "invalid value";
}
inline cudaError_t cudaGetLastError() { return cudaSuccess; }
inline cudaError_t cudaGetDeviceCount(int* n) { return *n = 2, cudaSuccess; }
inline cudaError_t cudaGetDevice(int* i) { return *i = emulated().device, cudaSuccess; }
inline cudaError_t cudaSetDevice(int i) {
    if (i != 0 && i != 1) return cudaErrorInvalidValue;
    emulated().device = i;
    return cudaSuccess;
}
inline cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) {
    return *value = 4, cudaSuccess;
}
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
    *p = {"emulated", 9, 0, 4, Emulated::kMemory};
    return cudaSuccess;
}
inline cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
    *total = Emulated::kMemory;
    *free = Emulated::kMemory - emulated().held;
    return cudaSuccess;
}
inline cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps*) {
    return *pool = nullptr, cudaSuccess;
}
inline cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) {
    return cudaSuccess;
}
inline cudaError_t cudaMallocFromPoolAsync(void** p, size_t n, cudaMemPool_t, cudaStream_t) {
    Emulated& e = emulated();
    if (n > Emulated::kMemory - e.held) return cudaErrorMemoryAllocation;
    *p = std::malloc(n);
    std::memset(*p, 0xFF, n);
    e.blocks[*p] = n;
    e.held += n;
    return cudaSuccess;
}
inline cudaError_t cudaFreeAsync(void* p, cudaStream_t) {
    Emulated& e = emulated();
    const auto block = e.blocks.find(p);
    if (block == e.blocks.end()) return cudaErrorInvalidValue;
    std::memset(p, 0xFF, block->second);
    e.held -= block->second;
    e.blocks.erase(block);
    std::free(p);
    return cudaSuccess;
}
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t n, cudaMemcpyKind,
                                   cudaStream_t) {
    std::memcpy(to, from, n);
    return cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
