// The minimum of R over a box in (eta, alpha, b): what hardware caps, stability
// limits and habit leave of Theorem 3.
//
// In x = log alpha, y = log b, z = log eta every term of R is a positive constant
// times exp of a linear form, so R is convex there and the box stays a box: one
// global optimum. Its variables are taken one inside the other:
//
//   eta  closed form sqrt(D/S), clipped (eq. 12)
//   b    closed form for q = 1/2, once eta is eliminated, in its cap or not: both
//        times the derivative vanishes where A y^3 - B y - C = 0, y = 1/sqrt(b);
//        for other q a monotone scalar equation; clipped
//   alpha  safeguarded Newton on the derivative G'(x) of what is left
//
// Clipping a one-dimensional minimiser of a convex function is exact. Partial
// minimisation keeps G convex; by the envelope theorem G' is R's own partial
// derivative, and G'' the Schur complement of R's Hessian in the free variables.
//
// Limits may be open: eta -> 0, eta -> infinity or alpha -> 0 where coefficients
// vanish. Then that limit is returned, with the infimum as risk.
#pragma once

#include "bound.hpp"
#include "cubic.hpp"
#include "theorems.hpp"

namespace hplaws {

struct Box {
    double eta[2], alpha[2], b[2];
};

struct BoxedOptimum {
    double eta, alpha, b, K, T, risk;
    // Which limit binds: -1 the lower, +1 the upper, 0 neither, 2 both (fixed).
    double eta_limit, alpha_limit, b_limit;
};

namespace boxed {

HPLAWS_HD double clip(double v, const double limits[2]) {
    return v < limits[0] ? limits[0] : v > limits[1] ? limits[1] : v;
}

HPLAWS_HD double limit_of(double v, const double limits[2]) {
    if (limits[0] == limits[1]) return 2.0;
    return v <= limits[0] ? -1.0 : v >= limits[1] ? 1.0 : 0.0;
}

// A batch size with its b^-q, the one costly thing here: an alpha's best b is often
// the last alpha's, at a limit above all.
struct Size {
    double b, power;
};

HPLAWS_HD double power_at(double b, double q, Size known) {
    return b == known.b ? known.power : inverse_power(b, q).hi;
}

// The minimiser over b in its limits of A b^-q + C b^(1-q) + E b + H b^(1/2). Its
// derivative in log b has the sign of f(b) - q A, where f increases:
//   f(b) = (1-q) C b + E b^(1+q) + (H/2) b^(q+1/2).
// `near` > 0 is a guess at it.
HPLAWS_HD double best_batch(double A, double C, double E, double H, double q,
                            const double limits[2], double near, Size known) {
    if (!(A > 0.0)) return limits[0];
    if (q == 0.5) {
        const double B = C + H;
        if (!(E > 0.0)) return clip(A / B, limits);
        const double y = B > 0.0 ? positive_cubic_root(A, B, 2.0 * E) : cube_root(2.0 * E / A);
        return clip(1.0 / (y * y), limits);
    }
    const double linear_weight = (1.0 - q) * C, root_weight = 0.5 * H, target = q * A;
    // Newton on log f as a function of log b: its slope lies between 1/2 and 2, so a
    // few steps do from any distance. The bracket is there for the last digits, and
    // for where f overflows.
    double low = limits[0], high = limits[1], b = clip(near, limits);
    for (int iteration = 0; iteration < 100; ++iteration) {
        const double growth = 1.0 / power_at(b, q, known);  // b^q
        const double linear = linear_weight * b, steep = E * b * growth;
        const double root = root_weight * std::sqrt(b) * growth;
        const double f = linear + steep + root;
        if (!(f > 0.0)) return limits[1];
        if ((b == limits[0] && f >= target) || (b == limits[1] && f <= target)) return b;
        (f < target ? low : high) = b;
        const double slope = (linear + (1.0 + q) * steep + (q + 0.5) * root) / f, r = f / target;
        // log r by its Pade form where that is good to the third order in r - 1.
        const bool close = r > 0.75 && r < 1.5;
        const double log_r = close ? 2.0 * (r - 1.0) / (r + 1.0) : logarithm(r).hi;
        const double h = log_r / slope;
        double next = std::fabs(h) < 0.5 ? b * (1.0 - 0.5 * h) / (1.0 + 0.5 * h)
                                         : b * exponential({-h, 0.0}).hi;
        if (next != next) next = std::sqrt(low) * std::sqrt(high);
        const double bracket[2] = {low, high};
        next = clip(next, bracket);
        // The error left is of the order of h^3, or h^2 times how far f is from a power.
        if (std::fabs(h) < 0x1p-26 || next == b) return next;
        b = next;
    }
    return b;
}

// R's terms and derivatives at one alpha with b and eta at their best.
struct Slice {
    double eta;
    Size size;
    double slope;      // G'
    double curvature;  // G''
    double noise;      // size of the terms G' is the difference of
};

HPLAWS_HD double best_eta(double D, double S, const double limits[2]) {
    double eta = std::sqrt(D) / std::sqrt(S);
    if (eta != eta) eta = 1.0;  // D = S = 0: R does not depend on eta
    return clip(eta, limits);
}

HPLAWS_HD Slice at_alpha(const Coefficients& c, const Box& box, double alpha, double T, Size near) {
    const double S = smoothness(c, alpha), A = c.noise * std::sqrt(alpha);
    const double C = c.burn_in * c.noise / alpha / T, E = c.init_error / alpha / T;
    const double H = 2.0 * std::sqrt(c.descent / T) * std::sqrt(S);
    double b = box.b[0];
    if (box.b[0] < box.b[1]) {
        b = best_batch(A, C, E, H, c.q, box.b, near.b, near);
        const double eta = std::sqrt(c.descent * (b / T)) / std::sqrt(S);
        // With eta at its cap, descent b/(eta T) is one more term linear in b. A limit
        // of b that was met with eta free is met again, or rightly left.
        const double cap = eta < box.eta[0] ? box.eta[0] : box.eta[1];
        if (eta < box.eta[0] || eta > box.eta[1]) {
            b = best_batch(A, C, E + c.descent / T / cap, 0.0, c.q, box.b, b, near);
        }
    }
    Slice s;
    s.size = {b, power_at(b, c.q, near)};
    const double D = c.descent * (b / T);
    s.eta = best_eta(D, S, box.eta);

    const double descent = D > 0.0 ? D / s.eta : 0.0;
    const double start = C * s.size.power * b, floor = A * s.size.power, init = E * b;
    const double drift = c.drift > 0.0 ? c.drift * s.eta : 0.0;
    const double lag = c.lag > 0.0 ? c.lag / alpha * s.eta : 0.0;
    const double q = c.q, p = 1.0 - c.q;
    s.slope = 0.5 * floor - (start + init + lag);
    s.noise = 0.5 * floor + start + init + lag;
    double xx = start + 0.25 * floor + init + lag;
    double xy = -(p * start + 0.5 * q * floor + init);
    double yy = descent + p * p * start + q * q * floor + init;
    const double zz = descent + drift + lag;
    if (s.eta > box.eta[0] && s.eta < box.eta[1] && zz > 0.0) {
        xx -= lag * (lag / zz);
        xy -= lag * (descent / zz);
        yy -= descent * (descent / zz);
    }
    if (b > box.b[0] && b < box.b[1] && yy > 0.0) xx -= xy * (xy / yy);
    s.curvature = xx;
    return s;
}

HPLAWS_HD BoxedOptimum nothing(double T) {
    const double nan = not_a_number();
    return {nan, nan, nan, nan, positive_finite(T) ? T : nan, nan, nan, nan, nan};
}

HPLAWS_HD BoxedOptimum result(const Coefficients& c, const Box& box, double alpha, double b,
                              double eta, double T) {
    BoxedOptimum o = {eta,
                      alpha,
                      b,
                      T / b,
                      T,
                      0.0,
                      limit_of(eta, box.eta),
                      limit_of(alpha, box.alpha),
                      limit_of(b, box.b)};
    if (eta > 0.0 && eta <= DBL_MAX) {
        o.risk = value(c, eta, alpha, b, T);
        return b > 0.0 && o.risk <= DBL_MAX ? o : nothing(T);
    }
    // An open limit of eta. Both of its terms vanish there, unless the limit is but
    // an intermediate result out of range.
    const bool honest = eta == 0.0 ? c.descent == 0.0 : c.drift == 0.0 && c.lag == 0.0;
    if (!honest) return nothing(T);
    Coefficients limit = c;
    limit.descent = limit.drift = limit.lag = 0.0;
    o.risk = value(limit, 1.0, alpha, b, T);
    return o;
}

// Where the search starts. Theorem 2 gives alpha at a limit of b. Between the limits it
// is Theorem 3's for q = 1/2, and for q > 1/2 that of large T: with b by Theorem 1, R is
// proportional to (S^2q alpha)^(1/(4q+2)), least at alpha = (2q-1) lag/drift. For q < 1/2
// there is none, as b falls to its lower limit when T grows. Since Theorem 2's alpha
// increases with b, an upper limit of b is one of alpha too.
struct Start {
    double alpha, b;
};

HPLAWS_HD Start likely_optimum(const Coefficients& c, const Box& box, double T,
                               const StationaryPoint& free) {
    const double b = c.q >= 0.5 && free.b == free.b ? clip(free.b, box.b) : box.b[0];
    if (c.q == 0.5 && b == free.b) return {free.alpha, b};
    const double inside = (2.0 * c.q - 1.0) * c.lag / c.drift;
    const double at_limit = theorem2(c, c.q > 0.5 ? box.b[1] : b, T).alpha;
    return {c.q > 0.5 && inside < at_limit ? inside : at_limit, b};
}

HPLAWS_HD BoxedOptimum minimise(const Coefficients& c, const Box& box, double T) {
    const StationaryPoint free = theorem3(c, T);
    // Theorem 3 itself, where it applies and no limit binds.
    if (c.q == 0.5 && c.init_error == 0.0 && free.alpha > box.alpha[0] &&
        free.alpha < box.alpha[1] && free.b > box.b[0] && free.b < box.b[1] &&
        free.eta > box.eta[0] && free.eta < box.eta[1]) {
        return result(c, box, free.alpha, free.b, free.eta, T);
    }
    const Start start = likely_optimum(c, box, T, free);
    const Size first = {start.b, inverse_power(start.b, c.q).hi};
    const Slice top = at_alpha(c, box, box.alpha[1], T, first);
    if (box.alpha[0] == box.alpha[1] || top.slope <= 0.0) {
        return result(c, box, box.alpha[1], top.size.b, top.eta, T);
    }
    double low = box.alpha[0], high = box.alpha[1];
    if (low > 0.0) {
        const Slice bottom = at_alpha(c, box, low, T, first);
        if (bottom.slope >= 0.0) return result(c, box, low, bottom.size.b, bottom.eta, T);
    }
    // G' is negative at low (or at the open end 0) and positive at high.
    double alpha = start.alpha > low && start.alpha < high ? start.alpha
                   : low > 0.0                             ? std::sqrt(low) * std::sqrt(high)
                                                           : 0.25 * high;
    double stride = 0.25, previous = top.slope;
    Slice s = at_alpha(c, box, alpha, T, c.q < 0.5 ? first : top.size);
    for (int iteration = 0; iteration < 200; ++iteration) {
        (s.slope > 0.0 ? high : low) = alpha;
        if (std::fabs(s.slope) <= 0x1p-51 * s.noise) break;
        // exp(-h) by its Pade form, good for |h| < 1; a longer step is cut by the bracket.
        const double h = s.slope / s.curvature;
        double next = std::fabs(h) < 1.0 ? alpha * (1.0 - 0.5 * h) / (1.0 + 0.5 * h) : 0.0;
        const bool useful =
            next > low && next < high && std::fabs(s.slope) < 0.75 * std::fabs(previous);
        if (!useful) {
            stride *= low > 0.0 ? 1.0 : stride;  // 2^-2, -4, -8, ... towards an open end
            next = low > 0.0 ? std::sqrt(low) * std::sqrt(high) : high * stride;
            if (next < 0x1p-1000) {
                // No end below: R falls all the way to alpha = 0. (Where a term rises there,
                // an intermediate result has left the range.)
                const Slice end = at_alpha(c, box, 0x1p-1000, T, s.size);
                const bool rises = (c.lag > 0.0 && end.eta > 0.0) || c.init_error > 0.0 ||
                                   c.burn_in * c.noise > 0.0;
                if (rises) return nothing(T);
                return result(c, box, 0.0, end.size.b, end.eta, T);
            }
        }
        previous = s.slope;
        const bool small = useful && std::fabs(h) < 0x1p-20;
        if (next == alpha || next <= low || next >= high) break;
        alpha = next;
        s = at_alpha(c, box, alpha, T, s.size);
        // The next error is of order h^2, unless a limit of eta or b lies between and
        // G'' with it jumps; then the slope tells.
        if (small && std::fabs(s.slope) <= 0x1p-26 * s.curvature) break;
    }
    return result(c, box, alpha, s.size.b, s.eta, T);
}

HPLAWS_HD bool valid(const Box& box, double T) {
    return positive_finite(T) && box.eta[0] >= 0.0 && box.eta[0] <= box.eta[1] &&
           box.eta[0] <= DBL_MAX && box.eta[1] > 0.0 && box.alpha[0] >= 0.0 &&
           box.alpha[0] <= box.alpha[1] && box.alpha[1] > 0.0 && box.alpha[1] <= 1.0 &&
           box.b[0] > 0.0 && box.b[0] <= box.b[1] && box.b[1] <= DBL_MAX;
}

}  // namespace boxed

// The exact minimiser of R in the box. batch_multiple (NaN: none) restricts b to its
// multiples, as products rounded once: the best risk at each b is convex in log b, so
// the better of the two multiples around the continuous optimum is the best of all
// (ties to the smaller). NaN where the box is empty, or an argument out of its domain.
HPLAWS_HD BoxedOptimum boxed_optimum(const Coefficients& c, const Box& given, double T,
                                     double batch_multiple) {
    Box box = given;
    if (box.b[1] > DBL_MAX) box.b[1] = DBL_MAX;  // infinity: no upper limit
    if (!boxed::valid(box, T)) return boxed::nothing(T);
    const BoxedOptimum continuous = boxed::minimise(c, box, T);
    const double m = batch_multiple;
    if (m != m) return continuous;
    if (!positive_finite(m)) return boxed::nothing(T);
    // The quotient is rounded, so the count may be one off on either side.
    double first = std::ceil(box.b[0] / m), last = std::floor(box.b[1] / m);
    if (first * m < box.b[0]) first += 1.0;
    if (last * m > box.b[1]) last -= 1.0;
    if (first < 1.0) first = 1.0;
    if (!(first <= last)) return boxed::nothing(T);
    const double ends[2] = {first, last}, below = std::floor(continuous.b / m);
    const double counts[2] = {boxed::clip(below, ends), boxed::clip(below + 1.0, ends)};
    BoxedOptimum best = boxed::nothing(T);
    for (int k = 0; k < 2; ++k) {
        Box fixed = box;
        fixed.b[0] = fixed.b[1] = counts[k] * m;
        BoxedOptimum candidate = boxed::minimise(c, fixed, T);
        candidate.b_limit = boxed::limit_of(counts[k], ends);
        if (k == 0 || candidate.risk < best.risk) best = candidate;
    }
    return best;
}

}  // namespace hplaws
