// The bound and its ONE canonical order of operations.
//
//   R(eta, alpha, b; T) = descent b/(eta T)
//                       + noise b^-q (burn_in b/(alpha T) + sqrt(alpha))
//                       + init_error b/(alpha T)
//                       + eta (drift + lag/alpha)
//
// is evaluated as   R = fma(D, 1/eta, S eta) + N   with
//
//   D(b, T)        = descent b/T
//   S(alpha)       = drift + lag/alpha
//   N(alpha, b, T) = noise b^-q sqrt(alpha) + (burn_in noise b^-q + init_error) b/(alpha T)
//
// and every function below performs exactly the operations it shows. On a grid
// 1/eta and S eta are shared by all (b, T), and adding N preserves order, so a
// configuration costs one fma and one min.
//
// Why |computed - R| <= 4 u R, u = 2^-53, hence <= 4 ulp (u R < ulp(R)): D, S,
// noise b^-q, the start factor and start b/(alpha T) are each formed as a Pair
// or from Pairs and rounded once (1 u plus 2^-100; for q other than 1/2 and 1
// plus 2^-60). Roundings met by each term:
//   descent term: D, 1/eta, fma, final sum                                  4
//   drift, lag:   S, S eta, fma, final sum                                  4
//   noise floor:  noise b^-q, sqrt(alpha), fma, final sum                   4
//   burn-in:      start factor, start b/(alpha T), fma, final sum           4
// All terms are non-negative, so relative errors do not add across terms. The
// bound holds while D, 1/eta, S eta, noise b^-q and start b/T stay normal numbers
// wherever their terms matter (between 2^-960 and 2^960 there is nothing to ask);
// one that overflows gives infinity, one that underflows loses digits. Nothing
// inside the domain gives NaN.
#pragma once

#include "exact.hpp"
#include "power.hpp"

namespace hplaws {

struct Coefficients {
    double descent, noise, drift, lag, burn_in, init_error, q;
};

// What R needs of one batch size.
struct BatchTerms {
    double noise;  // noise b^-q
    double start;  // burn_in noise b^-q + init_error
};

// What R needs of one momentum.
struct MomentumTerms {
    double sqrt_alpha;
    Pair inverse;   // 1/alpha
    double smooth;  // S = drift + lag/alpha
};

// What R needs of one batch size at one budget.
struct BudgetTerms {
    double ratio;    // b/T = 1/K
    double descent;  // D = descent b/T
    Pair start;      // start b/T
};

// x + y rounded once, x >= 0 and y >= 0.
template <bool guarded = true>
HPLAWS_HD double sum(double x, Pair y) {
    const Pair s = two_sum(x, y.hi);
    const double rounded = s.hi + (s.lo + y.lo);
    return !guarded || s.hi <= DBL_MAX ? rounded : infinity();
}

template <bool guarded = true>
HPLAWS_HD BatchTerms batch_terms(const Coefficients& c, double b) {
    const Pair noise = product_pair<guarded>(c.noise, inverse_power(b, c.q));
    return {noise.hi + noise.lo,
            sum<guarded>(c.init_error, product_pair<guarded>(c.burn_in, noise))};
}

template <bool guarded = true>
HPLAWS_HD MomentumTerms momentum_terms(const Coefficients& c, double alpha) {
    const Pair inverse = reciprocal<guarded>(alpha);
    return {std::sqrt(alpha), inverse,
            sum<guarded>(c.drift, product_pair<guarded>(c.lag, inverse))};
}

template <bool guarded = true>
HPLAWS_HD BudgetTerms budget_terms(const Coefficients& c, double start, double b, Pair inverse_T) {
    const Pair ratio = product_pair<guarded>(b, inverse_T);
    return {ratio.hi, product<guarded>(c.descent, ratio), product_pair<guarded>(start, ratio)};
}

template <bool guarded = true>
HPLAWS_HD double inverse_rate(double eta) {
    return reciprocal<guarded>(eta).hi;
}

template <bool guarded = true>
HPLAWS_HD double burn_in_term(Pair start, Pair inverse_alpha) {
    return product<guarded>(start, inverse_alpha);
}

HPLAWS_HD double noise_term(double noise, double sqrt_alpha, double burn_in) {
    return std::fma(noise, sqrt_alpha, burn_in);
}

HPLAWS_HD double rate_term(double D, double inverse_eta, double smooth_eta) {
    return std::fma(D, inverse_eta, smooth_eta);
}

// R from its parts: the last two roundings of every configuration.
HPLAWS_HD double assemble(double D, double inverse_eta, double smooth_eta, double N) {
    return rate_term(D, inverse_eta, smooth_eta) + N;
}

HPLAWS_HD bool positive_finite(double x) { return (x > 0.0) & (x <= DBL_MAX); }

HPLAWS_HD bool in_domain(double eta, double alpha, double b, double T) {
    return positive_finite(eta) & (alpha > 0.0) & (alpha <= 1.0) & positive_finite(b) &
           positive_finite(T);
}

// What R needs of everything but eta.
struct RateTerms {
    double descent, smooth, N;
};

template <bool guarded = true>
HPLAWS_HD RateTerms rate_terms(const Coefficients& c, double alpha, double b, double T) {
    const BatchTerms batch = batch_terms<guarded>(c, b);
    const MomentumTerms momentum = momentum_terms<guarded>(c, alpha);
    const BudgetTerms budget = budget_terms<guarded>(c, batch.start, b, reciprocal<guarded>(T));
    const double burn_in = burn_in_term<guarded>(budget.start, momentum.inverse);
    const double N = noise_term(batch.noise, momentum.sqrt_alpha, burn_in);
    return {budget.descent, momentum.smooth, N};
}

template <bool guarded = true>
HPLAWS_HD double value_at(const RateTerms& t, double eta) {
    return assemble(t.descent, inverse_rate<guarded>(eta), t.smooth * eta, t.N);
}

// R for positive finite arguments; alpha may exceed 1, where the bound says
// nothing about training but its formula still has a value.
template <bool guarded = true>
HPLAWS_HD double value(const Coefficients& c, double eta, double alpha, double b, double T) {
    return value_at<guarded>(rate_terms<guarded>(c, alpha, b, T), eta);
}

// R at one point; NaN outside the domain eta, b, T in (0, inf), alpha in (0, 1].
HPLAWS_HD double risk(const Coefficients& c, double eta, double alpha, double b, double T) {
    const double R = value(c, eta, alpha, b, T);
    return in_domain(eta, alpha, b, T) ? R : not_a_number();
}

// risk() wherever this is finite, and a third less work: an infinity or NaN that a guard
// would have caught stays one in all the sums and products up to R.
HPLAWS_HD double risk_or_not_finite(const Coefficients& c, double eta, double alpha, double b,
                                    double T) {
    const double R = value<false>(c, eta, alpha, b, T);
    const bool inside = (eta > 0.0) & (alpha > 0.0) & (alpha <= 1.0) & (b > 0.0) & (T > 0.0);
    return inside ? R : not_a_number();
}

}  // namespace hplaws
