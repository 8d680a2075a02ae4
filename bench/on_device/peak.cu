// The device's own limit for brute force: fma and min on registers alone, the min in
// the ways there are to find the smaller of two doubles >= 0. measure.py compiles it,
// without contraction, as hplaws is compiled.

namespace {

// The high words: one integer minimum.
struct HighWord {
    unsigned least = 0x7FF00000;
    __device__ void lower(double x) {
        least = min(least, static_cast<unsigned>(__double2hiint(x)));
    }
};

// All the bits: their order is that of the doubles.
struct Bits {
    unsigned long long least = 0x7FF0000000000000;
    __device__ void lower(double x) {
        least = min(least, static_cast<unsigned long long>(__double_as_longlong(x)));
    }
};

// What a compiler makes of std::min.
struct Compare {
    double least = 1e300;
    __device__ void lower(double x) { least = x < least ? x : least; }
};

// No min: what the fma alone take.
struct Nothing {
    static constexpr double least = 0.0;
    __device__ void lower(double) {}
};

// With D near -1 and 0 < x < c, x swings about c / 2 and all its bits keep changing, as
// in a search: on constants a device draws less power, and may run faster.
//
// Two steps in a row let devices that have it take the minimum of three; one step of
// many rows does not.
template <class Least, int rows, int steps_in_a_row>
__device__ void run(int steps, double D, double c, double* out) {
    double x[rows];
    Least least[rows];
    for (int r = 0; r < rows; ++r) x[r] = c * (0.01 + 0.5 / rows * r + 3e-4 * threadIdx.x);
#pragma unroll steps_in_a_row
    for (int s = 0; s < steps; ++s) {
        for (int r = 0; r < rows; ++r) {
            x[r] = __fma_rn(D, x[r], c);
            least[r].lower(x[r]);
        }
    }
    double sum = 0.0;
    for (int r = 0; r < rows; ++r) sum += x[r] + static_cast<double>(least[r].least);
    out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}

}  // namespace

// 32 fma a round, for all of them.
#define PEAK(name, Least, rows)                                      \
    extern "C" __global__ void __launch_bounds__(128)                \
        name(int steps, double D, double c, double* out) {           \
        run<Least, rows, 32 / rows>(steps * (32 / rows), D, c, out); \
    }

PEAK(fma_min_high_word, HighWord, 32)
PEAK(fma_min_high_words_in_pairs, HighWord, 8)
PEAK(fma_min_bits, Bits, 8)
PEAK(fma_min_compare, Compare, 8)
PEAK(fma_alone, Nothing, 8)
