// Stationary points of the paper's three theorems, with their exact constants.
//
// Each function returns its formula's point and the value there of the bound it
// is about, also where the point leaves alpha <= 1 or 1 <= b <= T; who asks for
// feasibility asks the caller. Where the formula has no positive finite point
// (a coefficient it divides by is zero, an argument is outside its domain),
// everything but T is NaN. Theorems 1 and 2 need init_error = 0 and hold for
// every q; Theorem 3 needs q = 1/2 as well.
#pragma once

#include "bound.hpp"
#include "cubic.hpp"

namespace hplaws {

struct StationaryPoint {
    double eta, alpha, b, K, T, risk;
};

// `valid`: what the solver knows about its arguments. That alpha is positive and
// finite need not be asked: otherwise S, and with it eta or b, is not.
HPLAWS_HD StationaryPoint stationary_point(const Coefficients& c, bool valid, double eta,
                                           double alpha, double b, double K, double T) {
    const bool exists =
        valid & positive_finite(eta) & positive_finite(b) & positive_finite(K) & positive_finite(T);
    const double nan = not_a_number(), R = value(c, eta, alpha, b, T);
    return {exists ? eta : nan, exists ? alpha : nan,         exists ? b : nan,
            exists ? K : nan,   positive_finite(T) ? T : nan, exists ? R : nan};
}

HPLAWS_HD bool is_momentum(double alpha) { return (alpha > 0.0) & (alpha <= 1.0); }

// argmin over eta of D/eta + S eta (eq. 12), with D = descent b/T.
HPLAWS_HD double best_rate(double descent, double smooth, double b, double T) {
    return std::sqrt(descent / smooth) * std::sqrt(b / T);
}

HPLAWS_HD double smoothness(const Coefficients& c, double alpha) { return c.drift + c.lag / alpha; }

// Theorem 1, token budget (B.1): at fixed alpha, burn_in dropped, minimise
// 2 sqrt(descent S b/T) + noise sqrt(alpha) b^-q over b. With
// g = q noise sqrt(alpha) sqrt(T/(descent S)) the minimiser is b = g^(1/(q + 1/2)).
HPLAWS_HD StationaryPoint theorem1(Coefficients c, double alpha, double T) {
    c.burn_in = 0.0;
    const double S = smoothness(c, alpha);
    const double g = c.q * c.noise * std::sqrt(alpha) * (std::sqrt(T / c.descent) / std::sqrt(S));
    double b = g;
    if (c.q != 0.5) {
        const Pair power = inverse_power(1.0 / g, 1.0 / (c.q + 0.5));
        b = positive_finite(g) ? power.hi + power.lo : g;
    }
    const double eta = best_rate(c.descent, S, b, T);
    return stationary_point(c, is_momentum(alpha), eta, alpha, b, T / b, T);
}

// Theorem 1, iteration budget (B.1): at fixed alpha, b and K, eta = sqrt(descent/(S K)).
HPLAWS_HD StationaryPoint theorem1_steps(Coefficients c, double alpha, double K, double b) {
    c.burn_in = 0.0;
    const double eta = std::sqrt(c.descent / smoothness(c, alpha)) / std::sqrt(K);
    return stationary_point(c, is_momentum(alpha), eta, alpha, b, K, b * K);
}

// Theorem 2 (B.2): at fixed b, burn_in and drift dropped, alpha balances
// 2 sqrt(descent lag/(K alpha)) and noise b^-q sqrt(alpha).
HPLAWS_HD StationaryPoint theorem2(Coefficients c, double b, double T) {
    c.burn_in = 0.0;
    c.drift = 0.0;
    const Pair size = inverse_power(b, c.q);
    const double noise = c.noise * size.hi;
    const double alpha = 2.0 * std::sqrt(c.descent) * std::sqrt(c.lag) * std::sqrt(b / T) / noise;
    const double eta = best_rate(c.descent, c.lag / alpha, b, T);
    return stationary_point(c, true, eta, alpha, b, T / b, T);
}

// Steps 1 and 2 of B.3 on the full bound, q = 1/2: the best b and eta at alpha
// (eq. 16 and 12).
HPLAWS_HD StationaryPoint best_batch_and_rate(const Coefficients& c, double alpha, double T) {
    const double S = smoothness(c, alpha);
    const double slope =
        2.0 * std::sqrt(c.descent / T) * std::sqrt(S) + c.burn_in * c.noise / alpha / T;
    const double b = c.noise * std::sqrt(alpha) / slope;
    return stationary_point(c, true, best_rate(c.descent, S, b, T), alpha, b, T / b, T);
}

// Step 3 of B.3 (eq. 20) divided by its leading coefficient:
// alpha^3 - p alpha - r = 0 with p = (burn_in noise)^2/(4 descent T drift), r = p lag/drift.
struct MomentumCubic {
    double p, r;
};

HPLAWS_HD MomentumCubic momentum_cubic(const Coefficients& c, double T) {
    const double s = 0.5 * c.burn_in * c.noise / (std::sqrt(c.descent) * std::sqrt(T));
    const double p = s * (s / c.drift);
    return {p, p * (c.lag / c.drift)};
}

HPLAWS_HD double theorem3_momentum(const Coefficients& c, double T) {
    const MomentumCubic m = momentum_cubic(c, T);
    return m.r > 0.0 ? positive_cubic_root(1.0, m.p, m.r) : std::sqrt(m.p);
}

// Theorem 3 (B.3): the exact joint minimiser, no clamping.
HPLAWS_HD StationaryPoint theorem3(const Coefficients& c, double T) {
    return best_batch_and_rate(c, theorem3_momentum(c, T), T);
}

// Theorem 3 for large T (eq. 22): alpha = r^(1/3), of order T^(-1/3); order 1 adds
// the first correction p/(3 alpha), of order T^(-2/3). b and eta follow from alpha.
HPLAWS_HD double theorem3_asymptotic_momentum(const Coefficients& c, double T, double order) {
    const MomentumCubic m = momentum_cubic(c, T);
    const double alpha = positive_cubic_root(1.0, 0.0, m.r);
    return order == 1.0 ? alpha + m.p / (3.0 * alpha) : alpha;
}

HPLAWS_HD StationaryPoint theorem3_asymptotic(const Coefficients& c, double T, double order) {
    return best_batch_and_rate(c, theorem3_asymptotic_momentum(c, T, order), T);
}

}  // namespace hplaws
