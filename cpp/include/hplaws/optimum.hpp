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

// The minimiser over b > 0 of A b^-q + C b^(1-q) + E b + H b^(1/2); infinity where
// that only falls, 0 where it only rises. Its derivative in log b vanishes where
//   f(b) = (1-q) C b + E b^(1+q) + (H/2) b^(q+1/2)   equals   q A.
HPLAWS_HD double best_batch(double A, double C, double E, double H, double q) {
    if (!(A > 0.0)) return 0.0;
    if (q == 0.5) {
        const double B = C + H;
        if (!(E > 0.0)) return A / B;
        const double y = B > 0.0 ? positive_cubic_root(A, B, 2.0 * E) : cube_root(2.0 * E / A);
        return 1.0 / (y * y);
    }
    const double weight[3] = {(1.0 - q) * C, E, 0.5 * H};
    const double power[3] = {1.0, 1.0 + q, q + 0.5};
    // Each term alone would put the root at (q A/weight)^(1/power): the least of
    // these is at or above it, and not by more than a factor 3^(1/power).
    double b = infinity();
    for (int k = 0; k < 3; ++k) {
        if (!(weight[k] > 0.0)) continue;
        const Pair root = inverse_power(weight[k] / (q * A), 1.0 / power[k]);
        b = root.hi < b ? root.hi : b;
    }
    if (!positive_finite(b)) return b;
    // Newton on log f as a function of log b, which is convex and increasing: from
    // above the root it descends monotonically. 2 (r-1)/(r+1) <= log r for r >= 1 and
    // 1 + h + h^2/2 <= e^h for h >= 0 replace the functions: both only shorten a step,
    // and agree with them to second order.
    for (int iteration = 0; iteration < 60; ++iteration) {
        double f = 0.0, slope = 0.0;
        for (int k = 0; k < 3; ++k) {
            if (!(weight[k] > 0.0)) continue;
            const double term = weight[k] / inverse_power(b, power[k]).hi;
            f += term;
            slope += power[k] * term;
        }
        const double r = f / (q * A);
        const double h = 2.0 * (r - 1.0) / (r + 1.0) * (f / slope);
        b /= 1.0 + h + 0.5 * h * h;
        if (std::fabs(h) < 0x1p-26) break;
    }
    return b;
}

// R's terms and derivatives at one alpha with b and eta at their best.
struct Slice {
    double eta, b;
    double slope;      // G'
    double curvature;  // G''
    double noise;      // size of the terms G' is the difference of
};

HPLAWS_HD double best_eta(double D, double S, const double limits[2]) {
    double eta = std::sqrt(D) / std::sqrt(S);
    if (eta != eta) eta = 1.0;  // D = S = 0: R does not depend on eta
    return clip(eta, limits);
}

HPLAWS_HD Slice at_alpha(const Coefficients& c, const Box& box, double alpha, double T) {
    const double S = smoothness(c, alpha), A = c.noise * std::sqrt(alpha);
    const double C = c.burn_in * c.noise / alpha / T, E = c.init_error / alpha / T;
    const double H = 2.0 * std::sqrt(c.descent / T) * std::sqrt(S);
    Slice s;
    s.b = box.b[0];
    if (box.b[0] < box.b[1]) {
        s.b = best_batch(A, C, E, H, c.q);
        const double eta = std::sqrt(c.descent * (s.b / T)) / std::sqrt(S);
        // With eta in its cap, descent b/(eta T) is one more term linear in b.
        const double cap = eta < box.eta[0] ? box.eta[0] : box.eta[1];
        if (eta < box.eta[0] || eta > box.eta[1]) s.b = best_batch(A, C, E + c.descent / T / cap, 0.0, c.q);
        s.b = clip(s.b, box.b);
    }
    const double D = c.descent * (s.b / T);
    s.eta = best_eta(D, S, box.eta);

    const Pair size = inverse_power(s.b, c.q);
    const double descent = D > 0.0 ? D / s.eta : 0.0;
    const double start = C * size.hi * s.b, floor = A * size.hi, init = E * s.b;
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
    if (s.b > box.b[0] && s.b < box.b[1] && yy > 0.0) xx -= xy * (xy / yy);
    s.curvature = xx;
    return s;
}

HPLAWS_HD BoxedOptimum nothing(double T) {
    const double nan = not_a_number();
    return {nan, nan, nan, nan, positive_finite(T) ? T : nan, nan, nan, nan, nan};
}

HPLAWS_HD BoxedOptimum result(const Coefficients& c, const Box& box, double alpha, double b, double eta,
                              double T) {
    BoxedOptimum o = {eta, alpha, b, T / b, T, 0.0, limit_of(eta, box.eta), limit_of(alpha, box.alpha),
                      limit_of(b, box.b)};
    if (eta > 0.0 && eta <= DBL_MAX) {
        o.risk = value(c, eta, alpha, b, T);
        return o;
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

HPLAWS_HD BoxedOptimum minimise(const Coefficients& c, const Box& box, double T) {
    const StationaryPoint free = theorem3(c, T);
    // Theorem 3 itself, where it applies and no limit binds.
    if (c.q == 0.5 && c.init_error == 0.0 && free.alpha > box.alpha[0] && free.alpha < box.alpha[1] &&
        free.b > box.b[0] && free.b < box.b[1] && free.eta > box.eta[0] && free.eta < box.eta[1]) {
        return result(c, box, free.alpha, free.b, free.eta, T);
    }
    const Slice top = at_alpha(c, box, box.alpha[1], T);
    if (box.alpha[0] == box.alpha[1] || top.slope <= 0.0) {
        return result(c, box, box.alpha[1], top.b, top.eta, T);
    }
    double low = box.alpha[0], high = box.alpha[1];
    if (low > 0.0) {
        const Slice bottom = at_alpha(c, box, low, T);
        if (bottom.slope >= 0.0) return result(c, box, low, bottom.b, bottom.eta, T);
    }
    // G' is negative at low (or at the open end 0) and positive at high.
    double alpha = free.alpha > low && free.alpha < high ? free.alpha
                   : low > 0.0                           ? std::sqrt(low) * std::sqrt(high)
                                                         : 0.25 * high;
    double stride = 0.25, previous = top.slope;
    Slice s = at_alpha(c, box, alpha, T);
    for (int iteration = 0; iteration < 200; ++iteration) {
        (s.slope > 0.0 ? high : low) = alpha;
        if (std::fabs(s.slope) <= 0x1p-51 * s.noise) break;
        // exp(-h) by its Pade form, good for |h| < 1; a longer step is cut by the bracket.
        const double h = s.slope / s.curvature;
        double next = std::fabs(h) < 1.0 ? alpha * (1.0 - 0.5 * h) / (1.0 + 0.5 * h) : 0.0;
        const bool useful = next > low && next < high && std::fabs(s.slope) < 0.75 * std::fabs(previous);
        if (!useful) {
            stride *= low > 0.0 ? 1.0 : stride;  // 2^-2, -4, -8, ... towards an open end
            next = low > 0.0 ? std::sqrt(low) * std::sqrt(high) : high * stride;
            if (next < 0x1p-1000) {  // no end below: R falls all the way to alpha = 0
                const Slice end = at_alpha(c, box, 0x1p-1000, T);
                return result(c, box, 0.0, end.b, end.eta, T);
            }
        }
        previous = s.slope;
        const bool converged = useful && std::fabs(h) < 0x1p-20;  // the next error is of order h^2
        if (next == alpha || next <= low || next >= high) break;
        alpha = next;
        s = at_alpha(c, box, alpha, T);
        if (converged) break;
    }
    return result(c, box, alpha, s.b, s.eta, T);
}

HPLAWS_HD bool valid(const Box& box, double T) {
    return positive_finite(T) && box.eta[0] >= 0.0 && box.eta[0] <= box.eta[1] && box.eta[0] <= DBL_MAX &&
           box.eta[1] > 0.0 && box.alpha[0] >= 0.0 && box.alpha[0] <= box.alpha[1] && box.alpha[1] > 0.0 &&
           box.alpha[1] <= 1.0 && box.b[0] > 0.0 && box.b[0] <= box.b[1] && box.b[1] <= DBL_MAX;
}

}  // namespace boxed

// The exact minimiser of R in the box. batch_multiple > 0 restricts b to its
// multiples: the best risk at each b is convex in log b, so the better of the two
// multiples around the continuous optimum is the best of all (ties to the smaller).
// NaN where the box is empty, not positive, or T is out of its domain.
HPLAWS_HD BoxedOptimum boxed_optimum(const Coefficients& c, const Box& box, double T,
                                     double batch_multiple) {
    if (!boxed::valid(box, T) || !(batch_multiple >= 0.0 && batch_multiple <= DBL_MAX)) {
        return boxed::nothing(T);
    }
    const BoxedOptimum continuous = boxed::minimise(c, box, T);
    if (batch_multiple == 0.0) return continuous;
    // Whole numbers of multiples in [first, last]; products are rounded once, like
    // the multiples the caller would write down.
    const double first = std::ceil(box.b[0] / batch_multiple), last = std::floor(box.b[1] / batch_multiple);
    if (!(first <= last) || !(last >= 1.0)) return boxed::nothing(T);
    const double ends[2] = {first < 1.0 ? 1.0 : first, last};
    const double below = std::floor(continuous.b / batch_multiple);
    const double counts[2] = {boxed::clip(below, ends), boxed::clip(below + 1.0, ends)};
    BoxedOptimum best = boxed::nothing(T);
    for (int k = 0; k < 2; ++k) {
        Box fixed = box;
        fixed.b[0] = fixed.b[1] = counts[k] * batch_multiple;
        BoxedOptimum candidate = boxed::minimise(c, fixed, T);
        candidate.b_limit = counts[k] == ends[0] && continuous.b <= candidate.b   ? -1.0
                            : counts[k] == ends[1] && continuous.b >= candidate.b ? 1.0
                                                                                  : 0.0;
        if (ends[0] == ends[1]) candidate.b_limit = 2.0;
        if (k == 0 || candidate.risk < best.risk) best = candidate;
    }
    return best;
}

}  // namespace hplaws
