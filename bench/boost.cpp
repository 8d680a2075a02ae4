// Boost.Math's cubic solver over arrays, for peers/boost.py.
#if !__has_include(<boost/math/tools/cubic_roots.hpp>)
#error no boost/math/tools/cubic_roots.hpp: no Boost found, or too old (1.74 lacks it, 1.81 has it)
#else
#include "threads.hpp"

#include <array>
#include <boost/math/tools/cubic_roots.hpp>
#include <boost/version.hpp>
#include <cmath>
#include <cstdint>

namespace {

// A thread costs as much as a few hundred cubics.
constexpr std::int64_t kCubicsPerThread = 2000;

template <class Work>
void on_each(std::int64_t n, int threads, Work work) {
    const std::int64_t useful = n / kCubicsPerThread + 1;
    if (useful < threads) threads = static_cast<int>(useful);
    on_threads(threads, [=](int t) {
        for (std::int64_t k = n * t / threads; k < n * (t + 1) / threads; ++k) work(k);
    });
}

}  // namespace

extern "C" const char* boost_version() { return BOOST_LIB_VERSION; }

// a x^3 + b x^2 + c x + d: three values each, ascending, padded with NaN.
extern "C" void boost_cubic_roots(const double* a, const double* b, const double* c,
                                  const double* d, double* out, std::int64_t n, int threads) {
    on_each(n, threads, [=](std::int64_t k) {
        const std::array<double, 3> x = boost::math::tools::cubic_roots(a[k], b[k], c[k], d[k]);
        for (int i = 0; i < 3; ++i) out[3 * k + i] = x[i];
    });
}

// a x^3 - b x - c: its largest root, which alone is positive where a, c > 0.
extern "C" void boost_positive_root(const double* a, const double* b, const double* c, double* out,
                                    std::int64_t n, int threads) {
    on_each(n, threads, [=](std::int64_t k) {
        const std::array<double, 3> x = boost::math::tools::cubic_roots(a[k], 0.0, -b[k], -c[k]);
        out[k] = std::fmax(x[0], std::fmax(x[1], x[2]));  // fmax passes over NaN
    });
}
#endif
