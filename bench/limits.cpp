// The machine's own limits, measured in the same run as the kernels they bound.
// limits.py compiles it with -march=native, and with the vector width of the
// instruction set that hplaws uses where there is a native core to ask.
#include "threads.hpp"

#include <cstdint>
#include <vector>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#ifndef VECTOR_BYTES
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#endif

namespace {

typedef double Vector __attribute__((vector_size(VECTOR_BYTES)));
constexpr int kLanes = VECTOR_BYTES / sizeof(double);
#ifdef __AVX512F__
constexpr int kChains = 12;  // 12 minima, 12 multipliers and x, y fit 32 registers
#else
constexpr int kChains = 6;  // as many as fit 16
#endif

// Makes the optimiser forget what it knows of x, at the cost of no instruction.
inline void forget(Vector& x) {
#if defined(__x86_64__)
    asm volatile("" : "+x"(x));
#else
    asm volatile("" : "+w"(x));
#endif
}

double fma_min(std::int64_t steps) {
    Vector multiplier[kChains], least[kChains], x = {}, y = {};
    for (int c = 0; c < kChains; ++c) {
        multiplier[c] = x + c;
        least[c] = x + 1.0;
        forget(multiplier[c]);
    }
    for (std::int64_t s = 0; s < steps; ++s) {
        forget(x);
        forget(y);
        for (int c = 0; c < kChains; ++c) {
            const Vector value = multiplier[c] * x + y;
            least[c] = value < least[c] ? value : least[c];
        }
    }
    double sum = 0.0;
    for (int c = 0; c < kChains; ++c) {
        for (int l = 0; l < kLanes; ++l) sum += least[c][l];
    }
    return sum;
}

double divide(std::int64_t steps) {
    Vector quotient[kChains], x = {};
    for (int c = 0; c < kChains; ++c) quotient[c] = x + (1.5 + c);
    for (std::int64_t s = 0; s < steps; ++s) {
        for (int c = 0; c < kChains; ++c) {
            forget(quotient[c]);
            quotient[c] = 3.0 / quotient[c];
        }
    }
    double sum = 0.0;
    for (int c = 0; c < kChains; ++c) sum += quotient[c][0];
    return sum;
}

// Runs `kernel` on each thread and keeps what it returns from being optimised away.
template <class Kernel>
std::int64_t each_thread(Kernel kernel, std::int64_t steps, int threads) {
    std::vector<double> sink(threads);
    on_threads(threads, [&](int t) { sink[t] = kernel(steps); });
    volatile double used = 0.0;
    for (const double s : sink) used = used + s;
    return steps * kChains * kLanes;
}

}  // namespace

// Each thread does `steps` rounds of fma and min on registers alone; returns how
// many fma + min pairs of doubles one thread did.
extern "C" std::int64_t fma_min_pairs(std::int64_t steps, int threads) {
    return each_thread(fma_min, steps, threads);
}

// The same with divisions, the slowest operation that the element-wise kernels need.
extern "C" std::int64_t divisions(std::int64_t steps, int threads) {
    return each_thread(divide, steps, threads);
}

// out = a + b + c + d with streaming stores where the machine has them.
extern "C" void add_four(const double* a, const double* b, const double* c, const double* d,
                         double* out, std::int64_t n, int threads) {
    on_threads(threads, [=](int t) {
        std::int64_t k = n * t / threads;
        const std::int64_t end = n * (t + 1) / threads;
#ifdef __SSE2__
        while (k < end && reinterpret_cast<std::uintptr_t>(out + k) % 16) {
            out[k] = a[k] + b[k] + c[k] + d[k];
            ++k;
        }
        for (; k + 2 <= end; k += 2) {
            const __m128d ab = _mm_add_pd(_mm_loadu_pd(a + k), _mm_loadu_pd(b + k));
            const __m128d cd = _mm_add_pd(_mm_loadu_pd(c + k), _mm_loadu_pd(d + k));
            _mm_stream_pd(out + k, _mm_add_pd(ab, cd));
        }
#endif
        for (; k < end; ++k) out[k] = a[k] + b[k] + c[k] + d[k];
#ifdef __SSE2__
        _mm_sfence();
#endif
    });
}
