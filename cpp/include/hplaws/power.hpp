// b^-q with the same bits everywhere.
//
// libm's pow differs between C libraries, compilers' vector libraries and GPUs;
// this one is built from correctly rounded operations alone. The result is a
// Pair good to 2^-60 relative, so that noise * b^-q is still rounded only once.
#pragma once

#include "exact.hpp"

namespace hplaws {

constexpr Pair kLn2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};

// ln(m) for m in [sqrt(1/2), sqrt(2)], by 2 atanh(z), z = (m-1)/(m+1).
// |z| <= 0.1716, so the first omitted term z^27/27 is below 2^-70 of z; the
// tail is at most 0.01 z, hence its double rounding costs 2^-60 relative.
HPLAWS_HD Pair log_of_mantissa(double m) {
    const double f = m - 1.0;
    const Pair g = two_sum(m, 1.0);
    const double z = f / g.hi;
    const double z_lo = (std::fma(-z, g.hi, f) - z * g.lo) / g.hi;
    const double w = z * z;
    double t = 1.0 / 25;
    t = std::fma(t, w, 1.0 / 23);
    t = std::fma(t, w, 1.0 / 21);
    t = std::fma(t, w, 1.0 / 19);
    t = std::fma(t, w, 1.0 / 17);
    t = std::fma(t, w, 1.0 / 15);
    t = std::fma(t, w, 1.0 / 13);
    t = std::fma(t, w, 1.0 / 11);
    t = std::fma(t, w, 1.0 / 9);
    t = std::fma(t, w, 1.0 / 7);
    t = std::fma(t, w, 1.0 / 5);
    t = std::fma(t, w, 1.0 / 3);
    t = t * w;
    return fast_two_sum(2.0 * z, 2.0 * std::fma(z, t, z_lo));
}

// ln(x) for finite x > 0.
HPLAWS_HD Pair logarithm(double x) {
    const Split s = split(x);
    const bool upper = s.significand > 1.4142135623730951;
    const double m = upper ? 0.5 * s.significand : s.significand;
    const double exponent = upper ? s.exponent + 1.0 : s.exponent;
    const Pair mantissa = log_of_mantissa(m);
    const Pair scale = two_product(exponent, kLn2.hi);
    const Pair sum = two_sum(scale.hi, mantissa.hi);
    return {sum.hi, sum.lo + (scale.lo + (mantissa.lo + exponent * kLn2.lo))};
}

// exp(y) for a Pair y; beyond the double range 0 or infinity.
// y = n ln2 + f, |f| <= 0.35: 1, f and f^2/2 are carried as pairs, the rest of
// the series (at most 0.008) in double, which costs 2^-60 relative.
HPLAWS_HD Pair exponential(Pair y) {
    const double n = nearest_integer(y.hi * 0x1.71547652b82fep0);
    const Pair shift = two_product(n, kLn2.hi);
    const Pair f = two_sum(y.hi - shift.hi, y.lo - shift.lo - n * kLn2.lo);
    double t = 1.0 / 1307674368000.0;
    t = std::fma(t, f.hi, 1.0 / 87178291200.0);
    t = std::fma(t, f.hi, 1.0 / 6227020800.0);
    t = std::fma(t, f.hi, 1.0 / 479001600.0);
    t = std::fma(t, f.hi, 1.0 / 39916800.0);
    t = std::fma(t, f.hi, 1.0 / 3628800.0);
    t = std::fma(t, f.hi, 1.0 / 362880.0);
    t = std::fma(t, f.hi, 1.0 / 40320.0);
    t = std::fma(t, f.hi, 1.0 / 5040.0);
    t = std::fma(t, f.hi, 1.0 / 720.0);
    t = std::fma(t, f.hi, 1.0 / 120.0);
    t = std::fma(t, f.hi, 1.0 / 24.0);
    t = std::fma(t, f.hi, 1.0 / 6.0);
    const Pair square = two_product(f.hi, f.hi);
    const double cube = square.hi * f.hi * t;
    const Pair one = two_sum(1.0, f.hi);
    const Pair half = fast_two_sum(one.hi, 0.5 * square.hi);
    const double slope = half.hi + cube;  // d exp/df, for the low word of f
    const double rest = (one.lo + half.lo) + (0.5 * square.lo + cube) + f.lo * slope;
    const Pair e = fast_two_sum(half.hi, rest);
    // Two factors, because 2^n alone may leave the range while the result does not.
    const double k = n < -2044.0 ? -2044.0 : n > 2046.0 ? 2046.0 : n;
    const double half_k = nearest_integer(0.5 * k);
    const double s1 = power_of_two(half_k), s2 = power_of_two(k - half_k);
    const double hi = e.hi * s1 * s2;
    return {hi, hi <= DBL_MAX ? e.lo * s1 * s2 : 0.0};
}

// b^-q for finite b > 0 and 0 < q <= 2. q = 1/2 (finite variance) and q = 1
// have short forms; both are refined to a Pair by one Newton correction.
HPLAWS_HD Pair inverse_power(double b, double q) {
    if (q == 0.5) {
        const double y = 1.0 / std::sqrt(b);
        const Pair h = two_product(b, y);
        const double defect = std::fma(-h.hi, y, 1.0) - h.lo * y;  // 1 - b y^2
        return {y, 0.5 * y * defect};
    }
    if (q == 1.0) return reciprocal(b);
    const Pair log_b = logarithm(b);
    const Pair y = two_product(-q, log_b.hi);
    return exponential({y.hi, std::fma(-q, log_b.lo, y.lo)});
}

}  // namespace hplaws
