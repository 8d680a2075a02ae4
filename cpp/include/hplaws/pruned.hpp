// Exact grid argmin without looking at the grid.
//
// Problem: axes eta, alpha, b sorted ascending without repeats (each value with
// the smallest index it has in the caller's axis), one budget. Find the smallest
// computed R and, among equal ones, the smallest index: what numpy.argmin says.
//
// Facts. In x = log alpha, y = log b, z = log eta every term of R is a positive
// constant times exp of a linear form whose coefficients lie in [-1, 1]. So R is
// convex, and so is the envelope F(x, y) = min of R over z in [z_min, z_max]
// (partial minimisation over an interval), attained at eta = sqrt(D/S) clipped.
// Its gradient is R's own at the minimiser, and its components are at most F in
// size. With G = (G_x, G_y) the gradient at a point (x0, y0), convexity gives
// the supporting plane
//
//   F(x, y) >= F0 + G_x (x - x0) + G_y (y - y0)     for all x, y.          (1)
//
// Rounding. Where pruning_applies (no factor of R comes near the ends of the
// double range anywhere on the axes), computed F and computed R differ from the exact ones by less
// than 16 u relative, computed slopes by less than 32 u F absolute (u = 2^-53): every quantity is a
// sum of at most five such terms, each with few roundings. All logs of doubles lie in an interval
// of length ln(DBL_MAX) - ln(2^-1074) < 1455, so a slope that is wrong by 32 u F moves (1) by less
// than 32 * 1455 u F = 5.2e-12 F anywhere on any grid. One slope enters a skip at most; computed
// F and R and the quotient of (c) add 96 u; the computed minimiser in z is off by 4 u, and F with
// it by 16 u^2. Sum: 5.2e-12 and some 1e-14, which kMargin = 2^-36 = 1.46e-11 exceeds. With
// low(v) = v (1 - kMargin):
//
//   (a) low(F at (x, y)) > best  =>  every computed R of that row exceeds best;
//   (b) if moreover G_y >= 0 as computed, so does every row of larger b at this
//       alpha, by (1) in y alone; likewise G_y <= 0 for smaller b;
//   (c) let phi(x) be the least F(x, y) with y in the range of the axis, gaps included.
//       At fixed x, let y1 < y2 be neighbours with G_y1 < 0 <= G_y2: it is attained
//       between them. In y, F is a sum of exponentials and of the least D/eta + S eta.
//       The slope of that is d = D/eta, which does not fall; its second derivative is
//       d/2 where eta = sqrt(D/S) and d where eta is clipped. So the second derivatives that rise,
//       taken at y1, and those that fall, at y2, have a sum m <= F'' on all of [y1, y2], and F >=
//       F1 - G_y1^2/(2 m) there, or the same from y2. With low(F) for F and |G_y| + kMargin F for
//       |G_y|, call it L. Where all slopes have one sign, L is low(F) at the end of the axis. phi
//       is convex, too: L > best rules out the alpha, and with it all that lie beyond as seen from
//       an alpha whose phi is at most best, such as that of the best configuration yet.
//   (d) within a row, exact R rises away from sqrt(D/S) on either side, so once
//       low(D/eta + S eta) + N > best no configuration further out can match best.
//   (e) Of some neighbours on the eta axis, let k be the one of the least computed rate
//       term r, and have neighbours on both sides that the axis goes on to. If
//       low(r_i) + N > r_k + N, all as computed, for each other i of them, k alone wins
//       the row: adding N preserves order, hence low(r_i) > r_k, so D/eta + S eta is
//       exactly larger at either neighbour of k, where it rises outwards, and best <= R_k
//       in (d) rules out the rest. No sqrt(D/S) has to be known.
//
// Skips are strict (> best), so every configuration equal to the minimum is
// visited and the smallest index wins. Where a search starts changes the time but
// not the answer: (a) to (e) alone permit a skip, and they ask for the signs of the
// slopes they use, whatever first_rising saw on its way.
#pragma once

#include <cstdint>

#include "argmin.hpp"
#include "bound.hpp"

namespace hplaws {

// One axis as the search sees it. index == nullptr: the position is the index.
struct SortedAxis {
    const double* value;
    const int64_t* index;
    int64_t size;
};

struct PrunedSearch {
    Coefficients bound;
    SortedAxis eta, alpha, b;
    int64_t row_stride;    // length of the caller's b axis
    double budget;         // T, or K if budget_is_steps
    bool budget_is_steps;  // K means T = b K, rounded once

    // What R needs of each value, beside the axes above; nullptr: computed when needed.
    // Tables pay where many searches share an axis, and cost its length.
    const double* inverse_eta;
    const MomentumTerms* momentum;
    const BatchTerms* batch;

    Pair inverse_T;  // 1/budget, set by pruned_argmin; means nothing if budget_is_steps

    // Where the last search ended: neighbours in T and b end nearby.
    int64_t alpha_hint, b_hint, eta_hint;

    int64_t visits;  // rows and configurations that may still be looked at
};

namespace pruned {

constexpr double kMargin = 0x1p-36;

HPLAWS_HD double low(double v) { return v * (1.0 - kMargin); }

HPLAWS_HD int64_t index_of(const SortedAxis& axis, int64_t i) {
    return axis.index ? axis.index[i] : i;
}

HPLAWS_HD int64_t row_of(const PrunedSearch& s, int64_t i, int64_t j) {
    return index_of(s.alpha, i) * s.row_stride + index_of(s.b, j);
}

HPLAWS_HD double inverse_eta_at(const PrunedSearch& s, int64_t i) {
    return s.inverse_eta ? s.inverse_eta[i] : inverse_rate(s.eta.value[i]);
}

HPLAWS_HD MomentumTerms momentum_at(const PrunedSearch& s, int64_t i) {
    return s.momentum ? s.momentum[i] : momentum_terms(s.bound, s.alpha.value[i]);
}

HPLAWS_HD BatchTerms batch_at(const PrunedSearch& s, int64_t j) {
    return s.batch ? s.batch[j] : batch_terms(s.bound, s.b.value[j]);
}

// What the configurations of one row (alpha, b) share.
struct Row {
    double D, S, N;
    double centre;  // sqrt(D/S)
};

// The terms of N, and how much of the burn-in falls with b^-q.
struct NoiseTerms {
    double floor, burn_in, noisy_start;
};

HPLAWS_HD Row make_row(const PrunedSearch& s, const MomentumTerms& m, int64_t j,
                       NoiseTerms& noise) {
    const BatchTerms batch = batch_at(s, j);
    const double b = s.b.value[j];
    const Pair inverse_T = s.budget_is_steps ? reciprocal(b * s.budget) : s.inverse_T;
    const BudgetTerms t = budget_terms(s.bound, batch.start, b, inverse_T);
    noise.floor = batch.noise * m.sqrt_alpha;
    noise.burn_in = burn_in_term(t.start, m.inverse);
    // As a share of the whole, because b/(alpha T) alone may overflow.
    const double share =
        s.bound.init_error > 0.0 ? s.bound.burn_in * batch.noise / batch.start : 1.0;
    noise.noisy_start = share * noise.burn_in;
    const double N = noise_term(batch.noise, m.sqrt_alpha, noise.burn_in);
    return {t.descent, m.smooth, N, std::sqrt(t.descent) / std::sqrt(m.smooth)};
}

// A row with its envelope F and the slopes of F.
struct Envelope {
    Row row;
    double value;
    double slope_x;  // dF / d log alpha
    double slope_y;  // dF / d log b
    // Least second derivatives in log b, for (c): of the terms in which they rise with b,
    // from here on, and of those in which they fall, up to here.
    double rising_curvature, falling_curvature;
};

HPLAWS_HD Envelope make_envelope(const PrunedSearch& s, const MomentumTerms& m, int64_t j) {
    NoiseTerms noise;
    const Row row = make_row(s, m, j, noise);
    const double smallest = s.eta.value[0], largest = s.eta.value[s.eta.size - 1];
    double eta = row.centre > smallest ? row.centre : smallest;  // also takes 0/0
    eta = eta < largest ? eta : largest;
    const double descent = row.D / eta, smooth = row.S * eta;
    Envelope e;
    e.row = row;
    e.value = (descent + smooth) + row.N;
    e.slope_x = (s.bound.drift * eta - smooth) + (0.5 * noise.floor - noise.burn_in);
    const double q = s.bound.q;
    if (s.budget_is_steps) {
        e.slope_y = -q * (noise.noisy_start + noise.floor);
        e.rising_curvature = e.falling_curvature = 0.0;  // nothing rises: no bracket asks
    } else {
        e.slope_y = (descent + noise.burn_in) - q * (noise.noisy_start + noise.floor);
        // 1 for what starts from init_error and (1 - q)^2 = 1 - q (2 - q) for the noise.
        const double start = low(noise.burn_in) - q * (2.0 - q) * noise.noisy_start;
        e.rising_curvature = 0.5 * descent + (start > 0.0 ? start : 0.0);
        e.falling_curvature = q * q * noise.floor;
    }
    return e;
}

// Smallest position in [0, n] where rising(i) holds, found from `hint` outwards
// in about 2 log2(distance) calls. rising is false, then true, along the axis.
template <class Rising>
HPLAWS_HD int64_t first_rising(int64_t n, int64_t hint, Rising rising) {
    int64_t lo = 0, hi = n;  // rising fails below lo and holds from hi on
    int64_t i = hint < n ? hint : n - 1;
    for (int64_t step = 1; lo < hi; step *= 2) {
        if (rising(i)) {
            hi = i;
            if (i - lo <= step) break;
            i -= step;
        } else {
            lo = i + 1;
            if (hi - lo <= step) break;
            i += step;
        }
        if (lo > 0 && hi < n) break;  // bracketed from both sides
    }
    while (lo < hi) {
        const int64_t mid = lo + (hi - lo) / 2;
        if (rising(mid)) hi = mid;
        else lo = mid + 1;
    }
    return lo;
}

// (d): all configurations of one row that can still win.
HPLAWS_HD void visit_row(PrunedSearch& s, const Row& row, int64_t row_index, Winner& best) {
    const SortedAxis& eta = s.eta;
    const int64_t start =
        first_rising(eta.size, s.eta_hint, [&](int64_t i) { return eta.value[i] >= row.centre; });
    s.eta_hint = start;
    for (int direction = 0; direction < 2; ++direction) {
        const int64_t step = direction == 0 ? 1 : -1;
        for (int64_t i = direction == 0 ? start : start - 1; i >= 0 && i < eta.size; i += step) {
            if (--s.visits < 0) return;
            const double rate = rate_term(row.D, inverse_eta_at(s, i), row.S * eta.value[i]);
            const Winner candidate = {rate + row.N, row_index, index_of(eta, i)};
            if (precedes(candidate, best)) best = candidate;
            if (low(rate) + row.N > best.risk) break;
        }
    }
}

// One alpha: where its rows begin to rise with b, the rows on either side, and phi.
struct Slice {
    MomentumTerms momentum;
    int64_t rising;        // first b at which slope_y >= 0, or the axis's length
    Envelope left, right;  // at rising - 1 and at rising, where those exist
    double bound;          // L of (c)
    double slope;          // about d phi / d log alpha: a hint where to start
};

HPLAWS_HD Slice make_slice(PrunedSearch& s, int64_t i) {
    Slice slice = {};
    slice.momentum = momentum_at(s, i);
    // The search ends having looked last at rising - 1 and at rising.
    slice.rising = first_rising(s.b.size, s.b_hint, [&](int64_t j) {
        const Envelope e = make_envelope(s, slice.momentum, j);
        const bool rises = e.slope_y >= 0.0;
        (rises ? slice.right : slice.left) = e;
        return rises;
    });
    s.b_hint = slice.rising;
    const Envelope &left = slice.left, &right = slice.right;
    if (slice.rising == 0 || slice.rising == s.b.size) {
        const Envelope& end = slice.rising == 0 ? right : left;
        slice.bound = low(end.value);
        slice.slope = end.slope_x;
        return slice;
    }
    const double w = right.slope_y / (right.slope_y - left.slope_y);
    slice.slope = w * left.slope_x + (1.0 - w) * right.slope_x;
    const Envelope& near = -left.slope_y < right.slope_y ? left : right;
    const double slope = std::fabs(near.slope_y) + kMargin * near.value;
    const double curvature = left.rising_curvature + right.falling_curvature;
    slice.bound = low(near.value) - 0.5 * slope * (slope / curvature);
    return slice;
}

// (a) and (b): all rows of one alpha that can still win.
HPLAWS_HD void visit_slice(PrunedSearch& s, const Slice& slice, int64_t i, Winner& best) {
    for (int direction = 0; direction < 2; ++direction) {
        const bool up = direction == 0;
        Envelope e = up ? slice.right : slice.left;
        int64_t j = up ? slice.rising : slice.rising - 1;
        while (j >= 0 && j < s.b.size) {
            if (--s.visits < 0) return;
            const bool climbs = up ? e.slope_y >= 0.0 : e.slope_y <= 0.0;
            if (!(low(e.value) > best.risk)) visit_row(s, e.row, row_of(s, i, j), best);
            else if (climbs) break;
            j += up ? 1 : -1;
            if (j >= 0 && j < s.b.size) e = make_envelope(s, slice.momentum, j);
        }
    }
}

}  // namespace pruned

// Whether the error bounds above hold on the box spanned by the axes (each given
// by its smallest and largest value): every factor that is not exactly zero stays
// within 2^+-960, so that neither it nor the low word of a Pair leaves the normal
// range. The factors are monotone in eta, alpha and b, hence corners suffice.
// Then slopes, sums of terms in that range, are finite and never NaN. Elsewhere the
// caller must evaluate every configuration.
HPLAWS_HD bool pruning_applies(const Coefficients& c, const double eta[2], const double alpha[2],
                               const double b[2], double budget, bool budget_is_steps) {
    const auto normal = [](double x) { return x >= 0x1p-960 && x <= 0x1p960; };
    const bool has_noise = c.noise > 0.0, has_smooth = c.drift > 0.0 || c.lag > 0.0;
    const bool has_start = c.init_error > 0.0 || (c.burn_in > 0.0 && has_noise);
    bool good = true;
    for (int corner = 0; corner < 8; ++corner) {
        const double rate = eta[corner & 1], size = b[corner >> 2];
        const MomentumTerms m = momentum_terms(c, alpha[(corner >> 1) & 1]);
        const BatchTerms batch = batch_terms(c, size);
        const double T = budget_is_steps ? size * budget : budget;
        const BudgetTerms t = budget_terms(c, batch.start, size, reciprocal(T));
        good = good && normal(rate) && normal(size) && normal(T) && normal(t.ratio) &&
               normal(m.inverse.hi);
        if (c.descent > 0.0)
            good = good && normal(t.descent) && normal(t.descent * inverse_rate(rate));
        if (has_smooth) good = good && normal(m.smooth) && normal(m.smooth * rate);
        if (has_noise) good = good && normal(batch.noise) && normal(batch.noise * m.sqrt_alpha);
        if (has_start) {
            good = good && normal(batch.start) && normal(t.start.hi) &&
                   normal(burn_in_term(t.start, m.inverse));
        }
    }
    return good;
}

// Along an axis on which no term depends every computed R has the same bits, all
// values tie and the first wins. The caller searches such an axis at its first
// element alone; visiting whole planes of equals would cost what pruning saves.
HPLAWS_HD bool depends_on_eta(const Coefficients& c) { return c.descent + c.drift + c.lag > 0.0; }
HPLAWS_HD bool depends_on_alpha(const Coefficients& c) {
    return c.noise + c.init_error + c.lag > 0.0;
}
HPLAWS_HD bool depends_on_b(const Coefficients& c) {
    return c.descent + c.noise + c.init_error > 0.0;
}

// The winner of one search, indices into the caller's axes; row = -1 if the search
// gave up after `visits` rows and configurations. Where values lie closer than the
// margin, on whole axes of neighbouring doubles say, nothing can be skipped, and to
// evaluate every configuration by vector instructions is a hundred times cheaper.
HPLAWS_HD Winner pruned_argmin(PrunedSearch& s, int64_t visits = INT64_MAX) {
    const Winner gave_up = {infinity(), -1, -1};
    // Every visited configuration precedes this one.
    Winner best = {infinity(), INT64_MAX, INT64_MAX};
    s.visits = visits;
    s.inverse_T = reciprocal(s.budget);
    const int64_t n = s.alpha.size;
    if (n == 1 && s.b.size == 1) {
        pruned::NoiseTerms noise;
        const pruned::Row row = pruned::make_row(s, pruned::momentum_at(s, 0), 0, noise);
        pruned::visit_row(s, row, pruned::row_of(s, 0, 0), best);
        return s.visits < 0 ? gave_up : best;
    }
    const int64_t start = pruned::first_rising(
        n, s.alpha_hint, [&](int64_t i) { return pruned::make_slice(s, i).slope >= 0.0; });
    s.alpha_hint = start;
    for (int direction = 0; direction < 2; ++direction) {
        const int64_t step = direction == 0 ? 1 : -1;
        for (int64_t i = direction == 0 ? start : start - 1; i >= 0 && i < n; i += step) {
            if (--s.visits < 0) return gave_up;
            // The best b falls with alpha: to begin below it saves two looks of four.
            if (direction == 1 && s.b_hint > 0) --s.b_hint;
            const pruned::Slice slice = pruned::make_slice(s, i);
            if (slice.bound > best.risk) break;
            pruned::visit_slice(s, slice, i, best);
        }
    }
    return s.visits < 0 ? gave_up : best;
}

}  // namespace hplaws
