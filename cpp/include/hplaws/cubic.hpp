// Roots of cubics: the one positive root of a x^3 - b x - c, and every real
// root of a x^3 + b x^2 + c x + d.
//
// Only +, -, *, /, sqrt, fma, comparisons and bit operations, all exact or
// correctly rounded, in a fixed order: the results have the same bits wherever
// the sequence is repeated. Exponents are kept as whole doubles, because then
// 64-bit integer arithmetic, which AVX2 lacks, is never needed.
#pragma once

#include "exact.hpp"

namespace hplaws {

// ---- The positive root ----

// r^(2/3) less 4.4% to 12.7%, for r > 0 and normal; 2^-683 for r = 0. The bits of
// a double, read as an integer, are a piecewise linear logarithm: bits / 2^52 =
// log2 r + 1023 - e with e in [0, 0.0861]. Two thirds of it lack 1023/3 = 341 of
// the bias; 0.15 less than that centres root_guess(). The lowest 20 bits are
// dropped, which makes the integer exact as a double.
HPLAWS_HD double crude_power_two_thirds(double r) {
    const double bits = from_bits((bits_of(r) >> 20) | 0x4330000000000000) - 0x1p52;
    const double power = bits * (2.0 / 3.0) + 0x1p32 * 340.85;
    return from_bits(bits_of(power + 0x1p52) << 20);
}

// The positive root y of y^3 = p y + r, p >= 0, r > 0, within 7%.
// With s = cbrt(r) and v = s/y in (0, 1], sqrt(p + s^2) / y is
// sqrt(1 + v^2 - v^3), from 1 at v = 0 and 1 up to 1.0715 at v = 2/3. With the
// crude power for s^2 the extremes become -6.6% at v = 1 and +6.3% near v = 2/3.
HPLAWS_HD double root_guess(double p, double r) { return std::sqrt(p + crude_power_two_thirds(r)); }

// One Halley step for y^3 - p y - r. It turns the relative error e into K e^3,
// K = 9/h^2 - 1/h with h = 3 - p/y^2 in [2, 3], so K is in [2/3, 7/4].
HPLAWS_HD double halley_step(double y, double p, double r) {
    const double square = y * y;
    const double value = std::fma(square - p, y, -r);
    const double slope = std::fma(3.0, square, -p);
    return y - value * slope / std::fma(slope, slope, -3.0 * y * value);
}

// The unique positive root of a x^3 - b x - c = 0, a > 0, b >= 0, c > 0, all
// finite; NaN otherwise. Error at most 0.5 ulp + 2^-60 relative: the root is
// never below 2^-700, and is infinity where it exceeds the largest double.
// No branches and no loops, so that a loop over this function vectorises.
HPLAWS_HD double positive_cubic_root(double a, double b, double c) {
    const bool valid =
        (a > 0.0) & (a <= DBL_MAX) & (b >= 0.0) & (b <= DBL_MAX) & (c > 0.0) & (c <= DBL_MAX);
    const Split sa = split(a), sb = split(b), sc = split(c);

    // x = 2^k y turns the equation, divided by a power of two, into
    // A y^3 = B y + C with A in [1, 2), B < 4 and C < 4, at least one of B and
    // C >= 1/2: then 0.5 <= y <= 3.6. b = 0 has an exponent too small to win.
    const double from_b = nearest_integer((sb.exponent - sa.exponent) * 0.5);
    const double from_c = nearest_integer((sc.exponent - sa.exponent) * (1.0 / 3.0));
    const double k = from_b > from_c ? from_b : from_c;

    // Below 2^-300 a coefficient no longer moves any bit of the root, so its
    // exponent may stop there instead of leaving the range of power_of_two.
    const double eb = sb.exponent - sa.exponent - 2.0 * k;
    const double ec = sc.exponent - sa.exponent - 3.0 * k;
    const double A = sa.significand;
    const double scaled_b = sb.significand * power_of_two(eb > -300.0 ? eb : -300.0);
    const double B = b > 0.0 ? scaled_b : 0.0;
    const double C = sc.significand * power_of_two(ec > -300.0 ? ec : -300.0);

    // 7% becomes at most 6e-4 and then 4e-10.
    const double inverse = 1.0 / A;
    const double p = B * inverse;
    const double r = C * inverse;
    double y = root_guess(p, r);
    y = halley_step(y, p, r);
    y = halley_step(y, p, r);

    // A last Newton step, quadratic with factor <= 3/2: error 3e-19. Its
    // residual (A y^2 - B) y - C needs only an absolute error far below
    // 2^-60 A y^3, but must not lose what cancels, so it is a Pair to the end.
    // fast_two_sum is exact: A y^2 >= B, or else within a factor of two of it.
    const Pair square = two_product(y, y);
    const Pair cube = two_product(A, square.hi);
    const Pair difference = fast_two_sum(cube.hi, -B);
    const double difference_lo = difference.lo + std::fma(A, square.lo, cube.lo);
    const Pair value = two_product(difference.hi, y);
    const double residual = (value.hi - C) + std::fma(difference_lo, y, value.lo);
    y = y - residual / std::fma(3.0, cube.hi, -B);

    // k reaches 1050, one more factor than a double's exponent holds.
    const double half = nearest_integer(k * 0.5);
    const double x = y * power_of_two(half) * power_of_two(k - half);
    return valid ? x : not_a_number();
}

// x^(1/3), x >= 0; NaN for x < 0. Error as above.
HPLAWS_HD double cube_root(double x) {
    const double y = positive_cubic_root(1.0, 0.0, x);
    return (x == 0.0) | (x > DBL_MAX) ? x : y;
}

// ---- All real roots ----

// Ascending; NaN where there are fewer.
struct RealRoots {
    double r0, r1, r2;
};

HPLAWS_HD RealRoots ascending(double x, double y, double z) {
    const double a = y < x ? y : x, b = y < x ? x : y;
    const double c = z < b ? z : b, d = z < b ? b : z;
    return {c < a ? c : a, c < a ? a : c, d};
}

// The scaled polynomials below are solved in the variable y = x / 2^k. A
// leading (last) coefficient below 2^-128 relative to the largest belongs to
// one root that is larger (smaller) than all the others by about that factor.
// To a relative 2^-126, beside the u^2 = 2^-106 of the Pairs nothing, the
// others do not notice it, and it is inversely (directly) proportional to the
// coefficient. So the coefficient is held at 2^-128 and that root alone is
// corrected: every intermediate result then stays within 2^+-700. Returns by
// how many powers of two the coefficient must be raised.
HPLAWS_HD double decoupled(double exponent) { return exponent < -128.0 ? -128.0 - exponent : 0.0; }

// A zero coefficient: below any other by more than all scaling can undo.
HPLAWS_HD double exponent_or_none(double x, Split s) { return x == 0.0 ? -100000.0 : s.exponent; }

// Inner coefficients below 2^-256 of the largest change no root by 2^-120.
HPLAWS_HD double inner_coefficient(Split s, double exponent) {
    return exponent >= -256.0 ? s.significand * power_of_two(exponent) : 0.0;
}

// y 2^k, once rounded: three factors, since k may reach 4300, and the first
// two cannot leave the normal range unless the result is far outside it.
HPLAWS_HD double unscale(double y, double k, double up, double down) {
    const double size = std::fabs(y);
    double e = k + (size > 0x1p64 ? up : 0.0) - (size < 0x1p-64 ? down : 0.0);
    e = e > 3000.0 ? 3000.0 : e;
    e = e < -3000.0 ? -3000.0 : e;
    const double third = nearest_integer(e * (1.0 / 3.0));
    return y * power_of_two(third) * power_of_two(third) * power_of_two(e - third - third);
}

// Both roots of a y^2 + 2 h y + c, given discriminant = h^2 - a c >= 0, c != 0
// or h != 0. The root of larger magnitude has no cancellation, and the product
// of the roots gives the other.
struct TwoRoots {
    double first, second;
};

HPLAWS_HD TwoRoots quadratic_from_discriminant(double a, Pair h, Pair c, Pair discriminant) {
    const Pair leading = {a, 0.0};
    if (!(discriminant.hi > 0.0)) {
        const double y = -divide(h, leading).hi;
        return {y, y};
    }
    const Pair s = square_root(discriminant);
    const Pair q = negate(add(h, h.hi < 0.0 ? negate(s) : s));
    return {divide(q, leading).hi, divide(c, q).hi};
}

// Real roots of a x^2 + b x + c, ascending, NaN-padded; a may be zero, and all
// are finite. The sign of the discriminant is exact.
HPLAWS_HD TwoRoots quadratic_roots(double a, double b, double c) {
    const double nan = not_a_number();
    // 0 - q is -q, except that it is never -0.
    if (a == 0.0) return {b == 0.0 ? nan : 0.0 - c / b, nan};
    if (c == 0.0) {
        const double x = 0.0 - b / a;
        return {x < 0.0 ? x : 0.0, x < 0.0 ? 0.0 : x};
    }
    // Equal sizes of the first and the last coefficient. Where b exceeds both,
    // that centres the decoupled pair of roots around 1.
    const Split sa = split(a), sb = split(b), sc = split(c);
    const double k = nearest_integer((sc.exponent - sa.exponent) * 0.5);
    const double ea = sa.exponent + 2.0 * k;
    const double eb = exponent_or_none(b, sb) + k;
    const double ec = sc.exponent;
    const double outer = ea > ec ? ea : ec;
    const double top = eb > outer ? eb : outer;
    const double up = decoupled(ea - top);
    const double down = decoupled(ec - top);
    const double A = sa.significand * power_of_two(ea - top + up);
    const double h = 0.5 * inner_coefficient(sb, eb - top);
    const double C = sc.significand * power_of_two(ec - top + down);

    const Pair discriminant = add(two_product(h, h), negate(two_product(A, C)));
    if (discriminant.hi < 0.0) return {nan, nan};
    const TwoRoots y = quadratic_from_discriminant(A, {h, 0.0}, {C, 0.0}, discriminant);
    const double x0 = unscale(y.first, k, up, down);
    const double x1 = unscale(y.second, k, up, down);
    return {x0 < x1 ? x0 : x1, x0 < x1 ? x1 : x0};
}

// x y - n z w, n = 3 or 9, with error at most 8 u^2 (|x y| + |n z w|): both
// products are exact, n times one costs 2 u^2, the sum 3.1 u^2.
HPLAWS_HD Pair product_difference(double x, double y, double n, double z, double w) {
    return add(two_product(x, y), negate(multiply(two_product(z, w), n)));
}

// x^3 or its slope at the isolated root of a x^3 + b x^2 + c x + d, refined to
// a Pair from a guess x.
//
// Horner in Pairs gives the value to 2^-103 of the sum of its terms; the slope
// decides only the speed of convergence. One or two steps are the rule. More
// are needed where the guess had to cancel: it is exact to u times the distance
// of the other roots, while the root may be 2^-256 of that, and each step
// squares the ratio but gains no more than 50 bits, hence <= 8 steps.
HPLAWS_HD Pair refine_root(double a, double b, double c, double d, double x) {
    double step = 0.0;
    for (int i = 0; i < 12; ++i) {
        const Pair ax = two_product(a, x);
        const Pair q1 = add(ax, {b, 0.0});
        const Pair q2 = add(multiply(q1, x), {c, 0.0});
        const Pair value = add(multiply(q2, x), {d, 0.0});
        const double slope = std::fma(ax.hi + q1.hi, x, q2.hi);
        // Only a slope that is all rounding error, between roots closer than
        // any tolerance tells apart, can be zero here.
        step = slope == 0.0 ? 0.0 : value.hi / slope;
        // Newton squares the error: from 2^-51 the step itself leaves 2^-102.
        if (std::fabs(step) <= 0x1p-51 * std::fabs(x)) break;
        x = x - step;
        step = 0.0;
    }
    return two_sum(x, -step);
}

// What cubic_roots() promises, for every input; far slower than what follows.
HPLAWS_HD RealRoots careful_roots(double a, double b, double c, double d) {
    const double nan = not_a_number();
    if (!(is_finite(a) & is_finite(b) & is_finite(c) & is_finite(d))) return {nan, nan, nan};
    if (a == 0.0) {
        if ((b == 0.0) & (c == 0.0)) return {nan, nan, nan};
        const TwoRoots x = quadratic_roots(b, c, d);
        return {x.first, x.second, nan};
    }
    if (d == 0.0) {
        const TwoRoots x = quadratic_roots(a, b, c);
        if (!(x.first == x.first)) return {0.0, nan, nan};
        return ascending(x.first, x.second, 0.0);
    }

    // Scale by the edge of the Newton polygon (exponent of a coefficient
    // against its power) that spans the power 3/2: the two coefficients on it
    // become about 1 and no other is larger. The products of middle
    // coefficients in the discriminant then keep to that size too. Each
    // candidate edge is four times its height at 3/2.
    const Split sa = split(a), sb = split(b), sc = split(c), sd = split(d);
    const double e3 = sa.exponent;
    const double e2 = exponent_or_none(b, sb);
    const double e1 = exponent_or_none(c, sc);
    const double e0 = sd.exponent;
    double height = 2.0 * (e1 + e2);
    double k = e1 - e2;
    if (2.0 * (e0 + e3) > height) {
        height = 2.0 * (e0 + e3);
        k = nearest_integer((e0 - e3) * (1.0 / 3.0));
    }
    if (e0 + 3.0 * e2 > height) {
        height = e0 + 3.0 * e2;
        k = nearest_integer((e0 - e2) * 0.5);
    }
    if (3.0 * e1 + e3 > height) k = nearest_integer((e1 - e3) * 0.5);
    const double f3 = e3 + 3.0 * k, f2 = e2 + 2.0 * k, f1 = e1 + k;
    const double outer = f3 > e0 ? f3 : e0;
    const double inner = f2 > f1 ? f2 : f1;
    const double top = outer > inner ? outer : inner;
    const double up = decoupled(f3 - top);
    const double down = decoupled(e0 - top);
    const double A = sa.significand * power_of_two(f3 - top + up);
    const double B = inner_coefficient(sb, f2 - top);
    const double C = inner_coefficient(sc, f1 - top);
    const double D = sd.significand * power_of_two(e0 - top + down);

    // The discriminant is (4 P R - Q^2) / 3, with the coefficients of the
    // Hessian P = B^2 - 3AC, Q = BC - 9AD, R = C^2 - 3BD. The margin follows
    // the errors of P, Q, R (8 u^2 of their terms) through the products (6 u^2
    // each, and 3.1 u^2 for the sum: 12 covers them); the factor covers the
    // rounding of the margin itself. What scaling changed is below the margin
    // too: wherever a coefficient was raised or dropped, 4 |P R| + Q^2 is not
    // small, since the coefficients on the edge alone give it a size of 1.
    // In all the margin is at most 200 u^2 times the sum of the terms' sizes.
    constexpr double uu = 0x1p-106;
    const Pair P = product_difference(B, B, 3.0, A, C);
    const Pair Q = product_difference(B, C, 9.0, A, D);
    const Pair R = product_difference(C, C, 3.0, B, D);
    const double error_p = 8.0 * uu * (B * B + 3.0 * std::fabs(A * C));
    const double error_q = 8.0 * uu * (std::fabs(B * C) + 9.0 * std::fabs(A * D));
    const double error_r = 8.0 * uu * (C * C + 3.0 * std::fabs(B * D));
    const Pair pr = multiply(P, R);
    const Pair four_pr = {4.0 * pr.hi, 4.0 * pr.lo};
    const Pair discriminant = add(four_pr, negate(multiply(Q, Q)));
    const double p = std::fabs(P.hi), q = std::fabs(Q.hi), r = std::fabs(R.hi);
    const double margin =
        1.001 * (4.0 * (p * error_r + r * error_p + error_p * error_r) +
                 (2.0 * q + error_q) * error_q + 12.0 * uu * (4.0 * p * r + q * q));

    if (!(std::fabs(discriminant.hi) > margin)) {
        // All roots are real. P is half the sum of the squared gaps between
        // them, times A^2: no P, no gap.
        if (p <= error_p) {
            const double x = unscale(-divide({B, 0.0}, two_product(3.0, A)).hi, k, up, down);
            return {x, x, x};
        }
        // The Hessian has the double root too, twice: -Q / 2P. The three roots
        // multiply to -D/A.
        const Pair twice = divide(negate(Q), {2.0 * P.hi, 2.0 * P.lo});
        const Pair single = divide(divide({-D, 0.0}, multiply(twice, A)), twice);
        const double x = unscale(twice.hi, k, up, down);
        return ascending(x, x, unscale(single.hi, k, up, down));
    }

    // At the inflection X = -B/3A the cubic takes the sign of G/A: two real
    // roots, if there are that many, lie on one side of it, and the one on the
    // other side is isolated. With x = X - side * t it becomes
    // t^3 - m t - |g| = 0, whose positive root Newton's five steps give to
    // rounding. For m >= 0 the guess is within 7%, and the errors run 0.8%,
    // 9e-5, 2e-8, 1e-15. For m < 0 it may be far too large, but the more so the
    // nearer to linear the equation is: the worst is m^3 = -125 g^2, with
    // errors of 80%, 3%, 1e-4, 3e-9.
    const double G = 2.0 * B * P.hi - 3.0 * A * Q.hi;
    const double g = G / (27.0 * A * A * A);
    const double m = P.hi / (3.0 * A * A);
    const double side = g < 0.0 ? -1.0 : 1.0;
    const double size = std::fabs(g);
    double t = root_guess(m > 0.0 ? m : 0.0, size);
    for (int i = 0; i < 5; ++i) {
        const double square = t * t;
        t = std::fma(2.0 * t, square, size) / std::fma(3.0, square, -m);
    }
    const Pair y = refine_root(A, B, C, D, -B / (3.0 * A) - side * t);
    const double isolated = unscale(y.hi, k, up, down);
    if (discriminant.hi < 0.0) return {isolated, nan, nan};

    // Divide by x - y: from the top where y is the smaller root, else from the
    // bottom, which Kahan shows to be the stable way each time.
    Pair linear, constant;
    if (std::fabs(A * y.hi) * y.hi * y.hi > std::fabs(D)) {
        constant = divide({-D, 0.0}, y);
        linear = divide(add(constant, {-C, 0.0}), y);
    } else {
        linear = add(multiply(y, A), {B, 0.0});
        constant = add(multiply(linear, y), {C, 0.0});
    }
    const Pair h = {0.5 * linear.hi, 0.5 * linear.lo};
    const Pair rest = add(multiply(h, h), negate(multiply(constant, A)));
    const TwoRoots x = quadratic_from_discriminant(A, h, constant, rest);
    return ascending(isolated, unscale(x.first, k, up, down), unscale(x.second, k, up, down));
}

// ---- All real roots, where they lie well apart ----
// The same without branches, for nearly all inputs: two functions over which loops
// vectorise, and two because each then is a chain of operations short enough for the
// CPU to overlap its iterations. Which inputs are left to careful_roots() depends on
// nothing but their own numbers.
//
// "Well apart" is |Delta| > 2^-32 S, where Delta = 4 P R - Q^2 as above, which is 3
// times the discriminant, and S = 4 (b^2 + 3|ac|) (c^2 + 3|bd|) + (|bc| + 9|ad|)^2.
// With roots |x1| <= |x2| <= |x3| and g_ij = |xi - xj| / max(|xi|, |xj|) <= 2,
//   |Delta| = 3 (a^2 |x2| x3^2 g12 g13 g23)^2 and S >= (5/16) (a^2 |x2| x3^2)^2:
// Fujiwara's bound on x3, and on the largest root x2 x3 of the cubic of the pairwise
// products, bounds (x2 x3^2)^2 by 16 times a product of powers of b^2 c^2, c^3, b^3 d,
// bcd and d^2 (a = 1) whose exponents sum to one, and S holds at least 5 of each.
// So g12 g13 g23 > 2^-17.7: every g_ij > 2^-19.7, and every root's condition, at most
// 8 / (g_ij g_ik), is below 2^21.7.

// A root of such a cubic, to 2^-60 and then rounded once, from the guess x; NaN if
// Newton's step f/f' from it is more than 2^-41 |x|.
//
// f'/f is the sum of 1/(x - root). So small a step means that one root is within
// 3 * 2^-41 |x| (a real one: its conjugate would be as near), while the others are
// at 2^-19.8 |x| or more: what the step leaves is below 2^20.8 step^2/|x|, that is
// 2^-61.2 |x|. Horner's scheme, carrying along what its first two stages lost, is off
// by 2^-98 of its terms, hence by 2^-76 |x|.
HPLAWS_HD double polished_root(double a, double b, double c, double d, double x) {
    const Pair ax = two_product(a, x), q1 = two_sum(ax.hi, b);
    const Pair q1x = two_product(q1.hi, x), q2 = two_sum(q1x.hi, c);
    const Pair q2x = two_product(q2.hi, x);
    const double lost = std::fma(ax.lo + q1.lo, x, q1x.lo + q2.lo);
    const double value = (q2x.hi + d) + std::fma(lost, x, q2x.lo);
    const double step = value / std::fma(ax.hi + q1.hi, x, q2.hi);
    return std::fabs(step) <= 0x1p-41 * std::fabs(x) ? x - step : not_a_number();
}

// Sizes between which no product of four coefficients, or of one and three roots,
// leaves the range, nor what it lost to rounding.
HPLAWS_HD bool is_moderate(double x) {
    return (std::fabs(x) >= 0x1p-100) & (std::fabs(x) <= 0x1p100);
}

struct IsolatedGuess {
    double y;      // NaN: left to careful_roots()
    double delta;  // its sign tells three real roots from one
};

HPLAWS_HD IsolatedGuess isolated_guess(double a, double b, double c, double d) {
    const bool moderate = is_moderate(a) & (is_moderate(b) | (b == 0.0)) &
                          (is_moderate(c) | (c == 0.0)) & is_moderate(d);
    const double ac = 3.0 * (a * c), ad = 9.0 * (a * d), bd = 3.0 * (b * d);
    const double P = std::fma(b, b, -ac), Q = std::fma(b, c, -ad), R = std::fma(c, c, -bd);
    const double delta = std::fma(4.0 * P, R, -(Q * Q));  // to 2^-49 S
    const double q = std::fabs(b * c) + std::fabs(ad);
    const double S =
        std::fma(4.0 * std::fma(b, b, std::fabs(ac)), std::fma(c, c, std::fabs(bd)), q * q);
    const bool apart = std::fabs(delta) > 0x1p-32 * S;

    // As in careful_roots(), but with x = (-b -+ w)/3a: w^3 - 3P w - |G| = 0. For P < 0
    // the guess |G| / sqrt((3P)^2 + |G|^(4/3)) is within 12%, as 1.2 makes up for the
    // crude power; two Halley steps leave 1e-10, and a Newton step on the cubic itself
    // what x lost where b and w cancel.
    const double G = std::fma(2.0 * b, P, -3.0 * a * Q);
    const double p = 3.0 * P, r = std::fabs(G), crude = crude_power_two_thirds(r);
    const double square = p > 0.0 ? p + crude : std::fma(p, p, 1.2 * crude * crude);
    double w = (p > 0.0 ? square : r) / std::sqrt(square);
    w = halley_step(w, p, r);
    w = halley_step(w, p, r);
    double x = ((G < 0.0 ? w : -w) - b) / (3.0 * a);
    const double ax = a * x, q1 = ax + b, q2 = std::fma(q1, x, c);
    x = x - std::fma(q2, x, d) / std::fma(ax + q1, x, q2);
    return {moderate & apart ? x : not_a_number(), delta};
}

// All roots; r0 is NaN where they are left to careful_roots(). The isolated one is
// divided off as there, but in rounded numbers, so it is asked in the end whether the
// roots are three.
HPLAWS_HD RealRoots separate_roots(double a, double b, double c, double d, IsolatedGuess guess) {
    const double y = guess.y, inverse_y = 1.0 / y;
    const double bottom = -d * inverse_y, top = std::fma(a, y, b);
    const bool larger = std::fabs(a * y) * y * y > std::fabs(d);
    const double h = 0.5 * (larger ? (bottom - c) * inverse_y : top);
    const double constant = larger ? bottom : std::fma(top, y, c);
    const double s = std::sqrt(std::fma(h, h, -a * constant));
    const double q = h < 0.0 ? s - h : -h - s;
    const double inverse = 1.0 / (a * q);
    const double isolated = polished_root(a, b, c, d, y);
    const RealRoots x = ascending(isolated, polished_root(a, b, c, d, q * q * inverse),
                                  polished_root(a, b, c, d, a * constant * inverse));
    const double nan = not_a_number(), gap = 0x1p-40 * std::fabs(x.r1);
    const double least = (x.r1 - x.r0 > gap) & (x.r2 - x.r1 > gap) ? x.r0 : nan;
    const bool three = guess.delta > 0.0;
    return {three ? least : isolated, three ? x.r1 : nan, three ? x.r2 : nan};
}

// All real roots of a x^3 + b x^2 + c x + d, ascending, NaN-padded, repeated
// according to multiplicity; a leading zero lowers the degree. A root beyond
// the largest double is an infinity. Not finite in, all NaN out.
//
// Their number is that of the exact polynomial unless its discriminant is below
// 2^-99 of the sum of its five terms' absolute values; it is then taken for
// zero. The roots of such a double root are given as their mean. Every other
// root is rounded once, from a value good to 2^-60 or better whatever its
// condition up to 2^40.
HPLAWS_HD RealRoots cubic_roots(double a, double b, double c, double d) {
    const RealRoots x = separate_roots(a, b, c, d, isolated_guess(a, b, c, d));
    return x.r0 == x.r0 ? x : careful_roots(a, b, c, d);
}

}  // namespace hplaws
