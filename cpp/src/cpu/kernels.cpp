// The loops over the formulas. This file is compiled once per instruction set,
// with HPLAWS_ISA naming the namespace. Nothing here may instantiate a template
// of the standard library or define an inline function with external linkage:
// the linker would keep one copy for all units, perhaps one the CPU cannot run.
#include "kernels.hpp"

#include "../formulas.hpp"
#include "simd.hpp"

namespace hplaws {
namespace {

// Chunk lengths: the arrays of one pass stay within half of a 32 KiB L1 cache.
constexpr int64_t kRows = 256;
constexpr int64_t kRates = 1024;

// ---- dense ---------------------------------------------------------------------

// m[i] = min(m[i], fma(D[i], inverse_eta[k], smooth_eta[k]) over k), for V vectors
// of rows at once: two loads serve 2 V arithmetic operations. Each minimum waits for
// the one before it, so a narrow tile runs U chains side by side, over every U-th k.
template <int V>
HPLAWS_HD void lower_tile(const double* D, double* m, const double* inverse_eta,
                          const double* smooth_eta, int64_t n) {
    constexpr int kEnough = Vec::registers == 32 ? 10 : 6;  // chains; more would not fit
    constexpr int U = V >= kEnough ? 1 : 2 * V >= kEnough ? 2 : 4;
    Vec d[V], low[U][V];
    for (int v = 0; v < V; ++v) {
        d[v] = load(D + v * Vec::width);
        for (int u = 0; u < U; ++u) low[u][v] = load(m + v * Vec::width);
    }
    int64_t k = 0;
    for (; k + U <= n; k += U) {
        for (int u = 0; u < U; ++u) {
            const Vec x = broadcast(inverse_eta[k + u]), y = broadcast(smooth_eta[k + u]);
            for (int v = 0; v < V; ++v) low[u][v] = min(fma(d[v], x, y), low[u][v]);
        }
    }
    for (; k < n; ++k) {
        const Vec x = broadcast(inverse_eta[k]), y = broadcast(smooth_eta[k]);
        for (int v = 0; v < V; ++v) low[0][v] = min(fma(d[v], x, y), low[0][v]);
    }
    for (int v = 0; v < V; ++v) {
        for (int u = 1; u < U; ++u) low[0][v] = min(low[u][v], low[0][v]);
        store(m + v * Vec::width, low[0][v]);
    }
}

// D and the minima fill the registers, less two for the loads.
constexpr int kWidestTile = Vec::registers == 32 ? 12 : 6;

// lower_tile<vectors>, 1 <= vectors <= V.
template <int V>
HPLAWS_HD void lower_vectors(int64_t vectors, const double* D, double* m, const double* inverse_eta,
                             const double* smooth_eta, int64_t n) {
    if constexpr (V > 1) {
        if (vectors < V) return lower_vectors<V - 1>(vectors, D, m, inverse_eta, smooth_eta, n);
    }
    lower_tile<V>(D, m, inverse_eta, smooth_eta, n);
}

// Tiles of nearly equal width, because a narrow one costs almost as much as a wide
// one. Rows are padded to whole vectors by the caller.
HPLAWS_HD void lower_rows(const double* D, double* m, int64_t rows, const double* inverse_eta,
                          const double* smooth_eta, int64_t n) {
    int64_t vectors = (rows + Vec::width - 1) / Vec::width;
    for (int64_t tiles = (vectors + kWidestTile - 1) / kWidestTile; tiles > 0; --tiles) {
        const int64_t width = (vectors + tiles - 1) / tiles;
        lower_vectors<kWidestTile>(width, D, m, inverse_eta, smooth_eta, n);
        D += width * Vec::width;
        m += width * Vec::width;
        vectors -= width;
    }
}

// In vectors by hand: a compiler that keeps to the order of comparisons would wait for
// each before the next.
HPLAWS_HD double least_of(const double* x, int64_t n) {
    Vec low = load(x);
    for (int64_t k = Vec::width; k < n; k += Vec::width) low = min(load(x + k), low);
    double lanes[Vec::width];
    store(lanes, low);
    double least = lanes[0];
    for (int v = 1; v < Vec::width; ++v) least = lanes[v] < least ? lanes[v] : least;
    return least;
}

// What R needs of one row, its eta aside.
struct RowTerms {
    double D, N;
};

HPLAWS_HD Pair inverse_T_at(const DenseGrid& g, int64_t j) {
    return reciprocal(g.budget_is_steps ? g.b[j] * g.budget : g.budget);
}

HPLAWS_HD BudgetTerms budget_at(const DenseGrid& g, int64_t j, Pair inverse_T) {
    return budget_terms(g.bound, g.batch_start[j], g.b[j], inverse_T);
}

HPLAWS_HD RowTerms row_terms(const DenseGrid& g, const MomentumTerms& m, int64_t j,
                             Pair inverse_T) {
    const BudgetTerms t = budget_at(g, j, inverse_T);
    return {t.descent,
            noise_term(g.batch_noise[j], m.sqrt_alpha, burn_in_term(t.start, m.inverse))};
}

// eta is minimised away: rows in vectors, the axis in chunks.
void dense_over_eta(const DenseGrid& g, const Block& block, double* risk, int64_t* row) {
    alignas(64) double D[kRows], start_hi[kRows], start_lo[kRows], R[kRows], smooth_eta[kRates];
    const int64_t kept_b = block.kept(block.b, block.keep_b);
    for (int64_t j0 = block.b[0]; j0 < block.b[1]; j0 += kRows) {
        const int64_t rows = block.b[1] - j0 < kRows ? block.b[1] - j0 : kRows;
        const int64_t padded = (rows + Vec::width - 1) / Vec::width * Vec::width;
        for (int64_t j = rows; j < padded; ++j) D[j] = 0.0;
        for (int64_t j = 0; j < rows; ++j) {
            const BudgetTerms t = budget_at(g, j0 + j, inverse_T_at(g, j0 + j));
            D[j] = t.descent;
            start_hi[j] = t.start.hi;
            start_lo[j] = t.start.lo;
        }
        for (int64_t i = block.alpha[0]; i < block.alpha[1]; ++i) {
            const MomentumTerms m = momentum_terms(g.bound, g.alpha[i]);
            for (int64_t j = 0; j < padded; ++j) R[j] = infinity();
            for (int64_t k0 = block.eta[0]; k0 < block.eta[1]; k0 += kRates) {
                const int64_t rates = block.eta[1] - k0 < kRates ? block.eta[1] - k0 : kRates;
                for (int64_t k = 0; k < rates; ++k) smooth_eta[k] = m.smooth * g.eta[k0 + k];
                lower_rows(D, R, rows, g.inverse_eta + k0, smooth_eta, rates);
            }
            const double* noise = g.batch_noise + j0;
            for (int64_t j = 0; j < rows; ++j) {
                const double burn_in = burn_in_term({start_hi[j], start_lo[j]}, m.inverse);
                R[j] += noise_term(noise[j], m.sqrt_alpha, burn_in);
            }
            const int64_t cell = (block.keep_alpha ? i - block.alpha[0] : 0) * kept_b;
            const int64_t first = i * g.n_b + j0;
            if (block.keep_b) {
                double* to = risk + cell + (j0 - block.b[0]);
                int64_t* to_row = row + cell + (j0 - block.b[0]);
                for (int64_t j = 0; j < rows; ++j) {
                    const bool wins = precedes(R[j], first + j, to[j], to_row[j]);
                    to[j] = wins ? R[j] : to[j];
                    to_row[j] = wins ? first + j : to_row[j];
                }
                continue;
            }
            for (int64_t j = rows; j < padded; ++j) R[j] = infinity();
            const double least = least_of(R, padded);
            if (!(least <= risk[cell])) continue;
            int64_t j = 0;
            while (R[j] != least) ++j;
            if (precedes(least, first + j, risk[cell], row[cell])) {
                risk[cell] = least;
                row[cell] = first + j;
            }
        }
    }
}

// eta survives: vectors run along it. Rows come in flat order, so a strict
// comparison keeps the first of equals within the block.
void dense_along_eta(const DenseGrid& g, const Block& block, double* risk, int64_t* row) {
    alignas(64) double smooth_eta[kRates];
    const int64_t kept_b = block.kept(block.b, block.keep_b), n_eta = block.eta[1] - block.eta[0];
    for (int64_t k0 = 0; k0 < n_eta; k0 += kRates) {
        const int64_t rates = n_eta - k0 < kRates ? n_eta - k0 : kRates;
        const double* eta = g.eta + block.eta[0] + k0;
        const double* inverse_eta = g.inverse_eta + block.eta[0] + k0;
        for (int64_t i = block.alpha[0]; i < block.alpha[1]; ++i) {
            const MomentumTerms m = momentum_terms(g.bound, g.alpha[i]);
            for (int64_t k = 0; k < rates; ++k) smooth_eta[k] = m.smooth * eta[k];
            for (int64_t j = block.b[0]; j < block.b[1]; ++j) {
                const RowTerms t = row_terms(g, m, j, inverse_T_at(g, j));
                const int64_t here = i * g.n_b + j;
                const int64_t cell = (block.keep_alpha ? i - block.alpha[0] : 0) * kept_b +
                                     (block.keep_b ? j - block.b[0] : 0);
                double* to = risk + cell * n_eta + k0;
                int64_t* to_row = row + cell * n_eta + k0;
                for (int64_t k = 0; k < rates; ++k) {
                    const double R = assemble(t.D, inverse_eta[k], smooth_eta[k], t.N);
                    const bool wins = precedes(R, here, to[k], to_row[k]);
                    to[k] = wins ? R : to[k];
                    to_row[k] = wins ? here : to_row[k];
                }
            }
        }
    }
}

void dense_block(const DenseGrid& g, const Block& block, double* risk, int64_t* row) {
    if (block.keep_eta) dense_along_eta(g, block, risk, row);
    else dense_over_eta(g, block, risk, row);
}

int64_t find_eta(const DenseGrid& g, int64_t alpha, int64_t b, double risk) {
    constexpr int64_t kStep = 64;
    const MomentumTerms m = momentum_terms(g.bound, g.alpha[alpha]);
    const RowTerms t = row_terms(g, m, b, inverse_T_at(g, b));
    int64_t k = 0;
    // Whole chunks are tested without a branch, so that the test vectorises.
    for (; k + kStep <= g.n_eta; k += kStep) {
        int64_t found = 0;
        for (int64_t l = 0; l < kStep; ++l) {
            found |= assemble(t.D, g.inverse_eta[k + l], m.smooth * g.eta[k + l], t.N) == risk;
        }
        if (found) break;
    }
    while (k + 1 < g.n_eta && assemble(t.D, g.inverse_eta[k], m.smooth * g.eta[k], t.N) != risk)
        ++k;
    return k;
}

Winner pruned_search(PrunedSearch& search, int64_t visits) { return pruned_argmin(search, visits); }

// Rows of one alpha from b index j on. The kind of budget is settled outside of the
// loops, which would not vectorise otherwise.
HPLAWS_HD void fill_rows(const DenseGrid& g, int64_t alpha, int64_t j, int64_t rows, double* D,
                         double* S, double* N) {
    const MomentumTerms m = momentum_terms(g.bound, g.alpha[alpha]);
    const auto put = [&](int64_t r, Pair inverse_T) {
        const RowTerms t = row_terms(g, m, j + r, inverse_T);
        D[r] = t.D;
        S[r] = m.smooth;
        N[r] = t.N;
    };
    if (g.budget_is_steps) {
        HPLAWS_INDEPENDENT
        for (int64_t r = 0; r < rows; ++r) put(r, inverse_T_at(g, j + r));
    } else {
        const Pair inverse_T = reciprocal(g.budget);
        HPLAWS_INDEPENDENT
        for (int64_t r = 0; r < rows; ++r) put(r, inverse_T);
    }
}

// Four neighbouring values of eta decide most rows, by (e) of pruned.hpp; a search by
// (d) the others. Each loop is one that vectorises, or a few loads a row.
int64_t pruned_rows(const DenseGrid& g, const RateTable& table, int64_t first, int64_t last,
                    int64_t visits, const RowWinners& out) {
    const double* eta = table.axis.value;
    const int64_t end = table.axis.size - 1;
    const bool has_edges = g.n_eta > 1;
    PrunedSearch search = {};
    search.eta = table.axis;
    search.visits = visits;
    alignas(64) double D[kRows], S[kRows], N[kRows], rate[kRows][4];
    alignas(64) int32_t bucket[kRows];
    alignas(64) int64_t at[kRows];
    for (int64_t r0 = first; r0 < last; r0 += kRows) {
        const int64_t rows = last - r0 < kRows ? last - r0 : kRows;
        for (int64_t r = 0; r < rows;) {
            const int64_t i = (r0 + r) / g.n_b, j = (r0 + r) % g.n_b;
            const int64_t length = rows - r < g.n_b - j ? rows - r : g.n_b - j;
            fill_rows(g, i, j, length, D + r, S + r, N + r);
            r += length;
        }
        for (int64_t r = 0; r < rows; ++r) {
            double x = D[r] / S[r];
            x = x > table.least ? x : table.least;
            x = x < table.largest ? x : table.largest;
            bucket[r] = static_cast<int32_t>((bits_of(x) >> table.shift) - table.lowest_bucket);
        }
        for (int64_t r = 0; r < rows; ++r) {
            const int32_t k = table.first[bucket[r]];
            fma_four(D[r], table.inverse_eta + k, S[r], table.eta + k, rate[r]);
            at[r] = k;
        }
        double* risk = out.risk + (r0 - first);
        int64_t* index = out.index + (r0 - first);
        double* best_eta = out.eta + (r0 - first);
        bool* at_edge = out.at_edge + (r0 - first);
        int64_t open = 0;  // below zero once a row is
        HPLAWS_INDEPENDENT
        for (int64_t r = 0; r < rows; ++r) {
            const double* f = rate[r];
            const bool upper = f[2] < f[1];
            const double least = upper ? f[2] : f[1], other = upper ? f[1] : f[2];
            const double outer = f[0] < f[3] ? f[0] : f[3], next = other < outer ? other : outer;
            const double R = least + N[r];
            const int64_t k = at[r] + upper;
            at[r] = pruned::low(next) + N[r] > R ? k : ~k;
            open |= at[r];
            risk[r] = R;
            index[r] = k;
            best_eta[r] = eta[k];
        }
        HPLAWS_INDEPENDENT
        for (int64_t r = 0; r < rows; ++r)
            at_edge[r] = has_edges & ((index[r] == 0) | (index[r] == end));
        if (table.axis.index) {
            for (int64_t r = 0; r < rows; ++r) index[r] = table.axis.index[index[r]];
        }
        for (int64_t r = 0; open < 0 && r < rows; ++r) {
            if (at[r] >= 0) continue;
            Winner best = {infinity(), 0, INT64_MAX};
            search.eta_hint = ~at[r];
            pruned::visit_row(search, {D[r], S[r], N[r], std::sqrt(D[r]) / std::sqrt(S[r])}, 0,
                              best);
            if (search.visits < 0) return search.visits;
            risk[r] = best.risk;
            index[r] = best.eta;
            best_eta[r] = g.eta[best.eta];
            at_edge[r] = has_edges & ((best_eta[r] == eta[0]) | (best_eta[r] == eta[end]));
        }
    }
    return search.visits;
}

// ---- element-wise --------------------------------------------------------------

// out[.][k] = Formula::at(in, k) for every element. Outputs overlap nothing.
template <class Formula>
void plain_loop(const double* const* in, double* const* out, int64_t n) {
    const typename Formula::Target to(out);
    HPLAWS_INDEPENDENT
    for (int64_t k = 0; k < n; ++k) to.put(k, Formula::at(in, k));
}

// out[.][k] = Formula::at(coefficients, in, k) for every element. q = 1/2
// throughout, the usual case, is known to the compiler in a loop of its own: b^-q
// becomes a square root there, and the loop vectorises.
template <class Formula>
void bound_loop(const double* const* in, double* const* out, int64_t n) {
    int64_t other = 0;
    for (int64_t k = 0; k < n; ++k) other |= in[6][k] != 0.5;
    const typename Formula::Target to(out);
    if (other) {
        for (int64_t k = 0; k < n; ++k) to.put(k, Formula::at(coefficients(in, k), in, k));
        return;
    }
    HPLAWS_INDEPENDENT
    for (int64_t k = 0; k < n; ++k) {
        Coefficients c = coefficients(in, k);
        c.q = 0.5;
        to.put(k, Formula::at(c, in, k));
    }
}

struct RiskOrNotFinite {
    using Target = OneValue;
    HPLAWS_HD double at(const Coefficients& c, const double* const* in, int64_t k) {
        return risk_or_not_finite(c, in[7][k], in[8][k], in[9][k], in[10][k]);
    }
};

void risk_loop(const double* const* in, double* const* out, int64_t n) {
    bound_loop<RiskOrNotFinite>(in, out, n);
    int64_t left = 0;
    for (int64_t k = 0; k < n; ++k) left |= !is_finite(out[0][k]);
    if (left) bound_loop<Risk>(in, out, n);
}

void risk_along_eta(const double* const* in, double* const* out, int64_t n) {
    const double alpha = in[8][0], b = in[9][0], T = in[10][0];
    const RateTerms terms = rate_terms(coefficients(in, 0), alpha, b, T);
    const double* eta = in[7];
    double* R = out[0];
    HPLAWS_INDEPENDENT
    for (int64_t k = 0; k < n; ++k) {
        const double value = value_at(terms, eta[k]);
        R[k] = in_domain(eta[k], alpha, b, T) ? value : not_a_number();
    }
}

struct Theorem3Momentum {
    using Target = OneValue;
    HPLAWS_HD double at(const Coefficients& c, const double* const* in, int64_t k) {
        return theorem3_momentum(c, in[7][k]);
    }
};

struct Theorem3AsymptoticMomentum {
    using Target = OneValue;
    HPLAWS_HD double at(const Coefficients& c, const double* const* in, int64_t k) {
        return theorem3_asymptotic_momentum(c, in[7][k], in[8][k]);
    }
};

struct BestBatchAndRate {
    using Target = Points;
    HPLAWS_HD StationaryPoint at(const Coefficients& c, const double* const* in, int64_t k) {
        return best_batch_and_rate(c, in[8][k], in[7][k]);
    }
};

// Theorem 3 in two loops, as one is a chain of operations too long for the CPU to
// overlap its iterations.
template <class Momentum>
void theorem3_loop(const double* const* in, double* const* out, int64_t n) {
    double* alpha = out[1];
    bound_loop<Momentum>(in, &alpha, n);
    const double* const with_alpha[] = {in[0], in[1], in[2], in[3], in[4],
                                        in[5], in[6], in[7], alpha};
    bound_loop<BestBatchAndRate>(with_alpha, out, n);
}

// cubic_roots(), one part after the other; the results hold what passes between them.
void cubic_roots_loop(const double* const* in, double* const* out, int64_t n) {
    const double *a = in[0], *b = in[1], *c = in[2], *d = in[3];
    double *r0 = out[0], *r1 = out[1], *r2 = out[2];
    HPLAWS_INDEPENDENT
    for (int64_t k = 0; k < n; ++k) {
        const IsolatedGuess x = isolated_guess(a[k], b[k], c[k], d[k]);
        r0[k] = x.y;
        r1[k] = x.delta;
    }
    HPLAWS_INDEPENDENT
    for (int64_t k = 0; k < n; ++k) {
        const RealRoots x = separate_roots(a[k], b[k], c[k], d[k], {r0[k], r1[k]});
        r0[k] = x.r0;
        r1[k] = x.r1;
        r2[k] = x.r2;
    }
    for (int64_t k = 0; k < n; ++k) {
        if (r0[k] == r0[k]) continue;
        const RealRoots x = careful_roots(a[k], b[k], c[k], d[k]);
        r0[k] = x.r0;
        r1[k] = x.r1;
        r2[k] = x.r2;
    }
}

}  // namespace

#define HPLAWS_TEXT(x) #x
#define HPLAWS_NAME(x) HPLAWS_TEXT(x)

namespace HPLAWS_ISA {
const Kernels kernels = {
    HPLAWS_NAME(HPLAWS_ISA),
    dense_block,
    find_eta,
    pruned_search,
    pruned_rows,
    {risk_loop, risk_along_eta, 7},
    {plain_loop<PositiveCubicRoot>},
    {cubic_roots_loop},
    {plain_loop<StabilitySpectrum>},
    {bound_loop<Theorem1Tokens>},
    {bound_loop<Theorem1Steps>},
    {bound_loop<Theorem2>},
    {theorem3_loop<Theorem3Momentum>},
    {theorem3_loop<Theorem3AsymptoticMomentum>},
    {bound_loop<Optimum>},
};
}  // namespace HPLAWS_ISA

}  // namespace hplaws
