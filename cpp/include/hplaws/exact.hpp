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

// One pattern of NaN on every machine; inf - inf is free to choose its own.
HPLAWS_HD double not_a_number() { return from_bits(0x7FF8000000000000); }

// ---- Powers of two ----

// Nearest integer, ties to even, |x| < 2^51: adding 1.5*2^52 leaves no bits
// for a fraction.
HPLAWS_HD double nearest_integer(double x) { return (x + 0x1.8p52) - 0x1.8p52; }

// 2^e for whole e in [-1022, 1023]: the sum holds e + 1023 in its lowest bits
// and the shift moves those into the exponent field.
HPLAWS_HD double power_of_two(double e) { return from_bits(bits_of(e + (0x1p52 + 1023.0)) << 52); }

// x = significand * 2^exponent with 1 <= |significand| < 2, for x finite and
// not zero. Zero comes out as 1 * 2^-1087: callers select it away.
struct Split {
    double significand, exponent;
};

HPLAWS_HD Split split(double x) {
    // Subnormals have no leading bit until they are multiplied by 2^64.
    const bool tiny = std::fabs(x) < DBL_MIN;
    const uint64_t u = bits_of(tiny ? x * 0x1p64 : x);
    // The exponent field placed under the bits of 2^52 reads as 2^52 + field.
    const double field = from_bits(((u >> 52) & 0x7FF) | 0x4330000000000000) - 0x1p52;
    return {from_bits((u & 0x800FFFFFFFFFFFFF) | 0x3FF0000000000000),
            field - (tiny ? 1023.0 + 64.0 : 1023.0)};
}

// ---- What rounding lost ----

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

// ---- Guarded by select, not by branch: the loops over these functions vectorise ----
// Without its guard a function gives the same, or else an infinity or NaN.

// 1/x for x > 0 to about 2^-105 relative. Below 2^-1024, where 1/x exceeds the
// largest double, the result is the largest double: a zero coefficient times it
// stays zero instead of turning into NaN.
template <bool guarded = true>
HPLAWS_HD Pair reciprocal(double x) {
    const double r = 1.0 / x, lo = std::fma(-r, x, 1.0) * r;
    const bool fits = !guarded || r <= DBL_MAX;
    return {fits ? r : DBL_MAX, fits ? lo : 0.0};
}

// x * y rounded once (plus 2^-104 relative), x >= 0 and y >= 0. The guard catches
// what an overflowing correction leaves, -infinity or NaN, and NaN from inf * 0.
template <bool guarded = true>
HPLAWS_HD double product(double x, Pair y) {
    const double rounded = std::fma(x, y.hi, x * y.lo);
    return !guarded || rounded >= -DBL_MAX ? rounded : infinity();
}

template <bool guarded = true>
HPLAWS_HD double product(Pair x, Pair y) {
    const double rounded = std::fma(x.hi, y.hi, std::fma(x.hi, y.lo, x.lo * y.hi));
    return !guarded || rounded >= -DBL_MAX ? rounded : infinity();
}

// x * y as a pair; {infinity, 0} where that overflows, and for inf * 0.
template <bool guarded = true>
HPLAWS_HD Pair product_pair(double x, Pair y) {
    const double p = x * y.hi, lo = std::fma(x, y.lo, std::fma(x, y.hi, -p));
    const bool fits = !guarded || p <= DBL_MAX;
    return {fits ? p : infinity(), fits ? lo : 0.0};
}

// ---- Arithmetic on Pairs ----
// u = 2^-53 below. Each bound is relative to the result, and holds while
// nothing over- or underflows, which the callers' scaling sees to.

// Within 3.1 u^2 for every combination of signs, hence exact zeros and exact
// signs (Joldes, Muller and Popescu 2017, "AccurateDWPlusDW").
HPLAWS_HD Pair add(Pair x, Pair y) {
    const Pair s = two_sum(x.hi, y.hi);
    const Pair t = two_sum(x.lo, y.lo);
    const Pair v = fast_two_sum(s.hi, s.lo + t.hi);
    return fast_two_sum(v.hi, v.lo + t.lo);
}

HPLAWS_HD Pair negate(Pair x) { return {-x.hi, -x.lo}; }

// Within 2 u^2.
HPLAWS_HD Pair multiply(Pair x, double y) {
    const Pair p = two_product(x.hi, y);
    return fast_two_sum(p.hi, std::fma(x.lo, y, p.lo));
}

// Within 6 u^2: the two roundings take 2 and 3, the dropped x.lo * y.lo one.
HPLAWS_HD Pair multiply(Pair x, Pair y) {
    const Pair p = two_product(x.hi, y.hi);
    return fast_two_sum(p.hi, std::fma(x.hi, y.lo, std::fma(x.lo, y.hi, p.lo)));
}

// Within 12 u^2: the quotient of the leading parts, whose remainder is exact.
HPLAWS_HD Pair divide(Pair x, Pair y) {
    const double q = x.hi / y.hi;
    const double remainder = std::fma(-q, y.hi, x.hi) + (x.lo - q * y.lo);
    return fast_two_sum(q, remainder / y.hi);
}

// Within 5 u^2, for x > 0.
HPLAWS_HD Pair square_root(Pair x) {
    const double s = std::sqrt(x.hi);
    return fast_two_sum(s, (std::fma(-s, s, x.hi) + x.lo) / (s + s));
}

}  // namespace hplaws
