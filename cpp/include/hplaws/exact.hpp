// Error-free transformations: what a rounded operation lost, exactly.
//
// Every function here uses +, -, *, / and fma alone, all correctly rounded by
// IEEE 754, so a result has the same bits on every machine that keeps to it.
// Compile with -ffp-contract=off (/fp:precise, --fmad=false) and never with
// -ffast-math: both rewrite these sequences into nothing.
#pragma once

#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "config.hpp"

namespace hplaws {

// The unevaluated sum hi + lo with |lo| <= a few ulp(hi): about 106 bits.
struct Pair {
    double hi, lo;
};

HPLAWS_HD double infinity() { return HUGE_VAL; }
HPLAWS_HD double not_a_number() { return HUGE_VAL - HUGE_VAL; }
HPLAWS_HD bool is_finite(double x) { return x - x == 0.0; }

HPLAWS_HD uint64_t bits_of(double x) {
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

HPLAWS_HD double from_bits(uint64_t u) {
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

// hi = fl(a + b), lo exact, whatever the order of magnitudes (Knuth).
HPLAWS_HD Pair two_sum(double a, double b) {
    const double s = a + b;
    const double t = s - a;
    return {s, (a - (s - t)) + (b - t)};
}

// hi = fl(a + b), lo exact where |a| >= |b| (Dekker).
HPLAWS_HD Pair fast_two_sum(double a, double b) {
    const double s = a + b;
    return {s, b - (s - a)};
}

// hi = fl(a * b), lo exact unless a * b over- or underflows.
HPLAWS_HD Pair two_product(double a, double b) {
    const double p = a * b;
    return {p, std::fma(a, b, -p)};
}

// 1/x for x > 0 to about 2^-105 relative. Below 2^-1024, where 1/x exceeds the
// largest double, the result is the largest double: a zero coefficient times it
// stays zero instead of turning into NaN.
HPLAWS_HD Pair reciprocal(double x) {
    const double r = 1.0 / x;
    if (!(r <= DBL_MAX)) return {DBL_MAX, 0.0};
    return {r, std::fma(-r, x, 1.0) * r};
}

// x * y rounded once (plus 2^-104 relative), x >= 0 and y >= 0. The guard keeps
// the correction out of an overflowing product, where it would be infinite with
// the wrong sign; the comparison also catches NaN from inf * 0.
HPLAWS_HD double product(double x, Pair y) {
    const double p = x * y.hi;
    return p <= DBL_MAX ? std::fma(x, y.hi, x * y.lo) : infinity();
}

HPLAWS_HD double product(Pair x, Pair y) {
    const double p = x.hi * y.hi;
    return p <= DBL_MAX ? std::fma(x.hi, y.hi, std::fma(x.hi, y.lo, x.lo * y.hi)) : infinity();
}

// x * y as a pair, under the same guard.
HPLAWS_HD Pair product_pair(double x, Pair y) {
    const double p = x * y.hi;
    return p <= DBL_MAX ? Pair{p, std::fma(x, y.lo, std::fma(x, y.hi, -p))} : Pair{infinity(), 0.0};
}

}  // namespace hplaws
