// One vector of doubles in the widest form the unit is compiled for.
//
// min(y, m) keeps m where y is not smaller, like `y < m ? y : m`. Every
// operation is correctly rounded, so lanes hold the same bits in every form.
#pragma once

#include <hplaws/exact.hpp>

#if defined(__AVX512F__) || (defined(__AVX2__) && defined(__FMA__))
#include <immintrin.h>
#endif

namespace hplaws {

#if defined(__AVX512F__)

struct Vec {
    static constexpr int width = 8;
    static constexpr int registers = 32;
    __m512d v;
};
HPLAWS_HD Vec load(const double* p) { return {_mm512_loadu_pd(p)}; }
HPLAWS_HD void store(double* p, Vec x) { _mm512_storeu_pd(p, x.v); }
HPLAWS_HD Vec broadcast(double x) { return {_mm512_set1_pd(x)}; }
HPLAWS_HD Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_pd(a.v, b.v, c.v)}; }
HPLAWS_HD Vec min(Vec y, Vec m) { return {_mm512_min_pd(y.v, m.v)}; }

#elif defined(__AVX2__) && defined(__FMA__)

struct Vec {
    static constexpr int width = 4;
    static constexpr int registers = 16;
    __m256d v;
};
HPLAWS_HD Vec load(const double* p) { return {_mm256_loadu_pd(p)}; }
HPLAWS_HD void store(double* p, Vec x) { _mm256_storeu_pd(p, x.v); }
HPLAWS_HD Vec broadcast(double x) { return {_mm256_set1_pd(x)}; }
HPLAWS_HD Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_pd(a.v, b.v, c.v)}; }
HPLAWS_HD Vec min(Vec y, Vec m) { return {_mm256_min_pd(y.v, m.v)}; }

#else

struct Vec {
    static constexpr int width = 2;
    static constexpr int registers = 16;
    double v[2];
};
HPLAWS_HD Vec load(const double* p) { return {{p[0], p[1]}}; }
HPLAWS_HD void store(double* p, Vec x) {
    p[0] = x.v[0];
    p[1] = x.v[1];
}
HPLAWS_HD Vec broadcast(double x) { return {{x, x}}; }
HPLAWS_HD Vec fma(Vec a, Vec b, Vec c) {
    return {{std::fma(a.v[0], b.v[0], c.v[0]), std::fma(a.v[1], b.v[1], c.v[1])}};
}
HPLAWS_HD Vec min(Vec y, Vec m) {
    return {{y.v[0] < m.v[0] ? y.v[0] : m.v[0], y.v[1] < m.v[1] ? y.v[1] : m.v[1]}};
}

#endif

// out[w] = fma(x, a[w], y b[w]), w < 4. For four neighbours of a table, which start
// anywhere: one load, where a vector over the rows would collect its lanes.
HPLAWS_HD void fma_four(double x, const double* a, double y, const double* b, double* out) {
#if defined(__AVX2__) && defined(__FMA__)
    const __m256d product = _mm256_mul_pd(_mm256_set1_pd(y), _mm256_loadu_pd(b));
    _mm256_storeu_pd(out, _mm256_fmadd_pd(_mm256_set1_pd(x), _mm256_loadu_pd(a), product));
#else
    for (int w = 0; w < 4; ++w) out[w] = std::fma(x, a[w], y * b[w]);
#endif
}

}  // namespace hplaws
