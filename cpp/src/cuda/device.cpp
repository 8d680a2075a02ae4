#include "device.hpp"

#include <atomic>
#include <map>
#include <mutex>

#if !defined(_WIN32)
#include <unistd.h>
#endif

namespace hplaws {
namespace cuda {
namespace {

constexpr int kOldest = 75;  // compute capability

// The process that started CUDA, or 0.
std::atomic<int64_t> owner{0};

int64_t this_process() {
#if defined(_WIN32)
    return 1;
#else
    return getpid();
#endif
}

// A device's default pool gives everything back whenever a stream is waited for; another
// library may have reasons for that. This one keeps what a call's tables need.
cudaMemPool_t pool_of_current_device() {
    static std::mutex guard;
    static std::map<int, cudaMemPool_t> pools;
    int device = 0;
    check(cudaGetDevice(&device), "asking for the current device");
    const std::lock_guard<std::mutex> lock(guard);
    const auto known = pools.find(device);
    if (known != pools.end()) return known->second;
    cudaMemPoolProps properties = {};
    properties.allocType = cudaMemAllocationTypePinned;
    properties.location.type = cudaMemLocationTypeDevice;
    properties.location.id = device;
    cudaMemPool_t pool;
    check(cudaMemPoolCreate(&pool, &properties), "making a memory pool");
    uint64_t kept = uint64_t{64} << 20;
    check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &kept),
          "setting up a memory pool");
    pools[device] = pool;
    return pool;
}

std::string reason(cudaError_t status) {
    std::string text = cudaGetErrorString(status);
    if (status == cudaErrorInitializationError)
        text += " (as after a fork: start workers with 'spawn' or 'forkserver')";
    return text;
}

std::string bytes(int64_t n) {
    return std::to_string(n) + " bytes (" + std::to_string(n >> 20) + " MiB)";
}

}  // namespace

void check(cudaError_t status, const char* doing) {
    if (status == cudaSuccess) return;
    cudaGetLastError();  // or the next check would report it again
    const std::string said = std::string("CUDA failed in ") + doing + ": " + reason(status);
    if (status == cudaErrorMemoryAllocation) throw OutOfMemory(said);
    throw DeviceError(said);
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
        why_none = status != cudaSuccess ? reason(status) : "there is none";
        cudaGetLastError();
        return found;
    }
    int64_t nobody = 0;
    owner.compare_exchange_strong(nobody, this_process());  // the question has started CUDA
    for (int i = 0; i < count; ++i) {
        cudaDeviceProp p;
        const cudaError_t status = cudaGetDeviceProperties(&p, i);
        if (status != cudaSuccess || 10 * p.major + p.minor < kOldest) {
            why_none = status != cudaSuccess ? reason(status)
                                             : std::string(p.name) + " is older than sm_75";
            cudaGetLastError();
            continue;
        }
        found.push_back({i, p.name, p.major, p.minor, p.multiProcessorCount,
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
    changed = device != before;
    if (changed) check(cudaSetDevice(device), "choosing a device");
}

// Not where nothing changed: to choose a device is to start a context there.
Current::~Current() {
    if (changed) cudaSetDevice(before);
}

void* allocate(int64_t n, cudaStream_t stream) {
    if (n == 0) return nullptr;
    void* address = nullptr;
    const cudaError_t status =
        cudaMallocFromPoolAsync(&address, static_cast<size_t>(n), pool_of_current_device(), stream);
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
    check(cudaMemcpyAsync(to, from, static_cast<size_t>(n), cudaMemcpyHostToDevice, stream),
          "copying to the device");
    wait(stream);
}

void download(void* to, const void* from, int64_t n, cudaStream_t stream) {
    if (n == 0) return;
    check(cudaMemcpyAsync(to, from, static_cast<size_t>(n), cudaMemcpyDeviceToHost, stream),
          "copying from the device");
    wait(stream);
}

void wait(cudaStream_t stream) { check(cudaStreamSynchronize(stream), "running a kernel"); }

}  // namespace cuda
}  // namespace hplaws
