// The loops over the formulas. This file is compiled once per instruction set,
// with HPLAWS_ISA naming the namespace. Nothing here may instantiate a template
// of the standard library or define an inline function with external linkage:
// the linker would keep one copy for all units, perhaps one the CPU cannot run.
#include "kernels.hpp"

#include <hplaws/critical_batch.hpp>
#include <hplaws/cubic.hpp>
#include <hplaws/optimum.hpp>
#include <hplaws/theorems.hpp>

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
    constexpr int U = V >= 6 ? 1 : V >= 3 ? 2 : 4;
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

// What R needs of one row, its eta aside.
struct RowTerms {
    double D, N;
};

HPLAWS_HD BudgetTerms budget_at(const DenseGrid& g, int64_t j) {
    const double b = g.b[j], T = g.budget_is_steps ? b * g.budget : g.budget;
    return budget_terms(g.bound, g.batch_start[j], b, reciprocal(T));
}

HPLAWS_HD RowTerms row_terms(const DenseGrid& g, const MomentumTerms& m, int64_t j) {
    const BudgetTerms t = budget_at(g, j);
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
            const BudgetTerms t = budget_at(g, j0 + j);
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
            double least = R[0];
            for (int64_t j = 1; j < rows; ++j) least = R[j] < least ? R[j] : least;
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
                const RowTerms t = row_terms(g, m, j);
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
    const RowTerms t = row_terms(g, m, b);
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

// ---- element-wise --------------------------------------------------------------

HPLAWS_HD Coefficients coefficients(const double* const* in, int64_t k) {
    return {in[0][k], in[1][k], in[2][k], in[3][k], in[4][k], in[5][k], in[6][k]};
}

// out[.][k] = Formula::at(coefficients, in, k) for every element. q = 1/2
// throughout, the usual case, is known to the compiler in a loop of its own: b^-q
// becomes a square root there, and the loop vectorises. Outputs overlap nothing.
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

struct Values {
    double* x;

    explicit Values(double* const* out) : x(out[0]) {}
    void put(int64_t k, double value) const { x[k] = value; }
};

struct Points {
    double *eta, *alpha, *b, *K, *T, *risk;

    explicit Points(double* const* out)
        : eta(out[0]), alpha(out[1]), b(out[2]), K(out[3]), T(out[4]), risk(out[5]) {}
    void put(int64_t k, const StationaryPoint& p) const {
        eta[k] = p.eta;
        alpha[k] = p.alpha;
        b[k] = p.b;
        K[k] = p.K;
        T[k] = p.T;
        risk[k] = p.risk;
    }
};

struct Risk {
    using Target = Values;
    HPLAWS_HD double at(const Coefficients& c, const double* const* in, int64_t k) {
        return risk(c, in[7][k], in[8][k], in[9][k], in[10][k]);
    }
};

struct RiskOrNotFinite {
    using Target = Values;
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

struct Theorem1Tokens {
    using Target = Points;
    HPLAWS_HD StationaryPoint at(const Coefficients& c, const double* const* in, int64_t k) {
        return theorem1(c, in[7][k], in[8][k]);
    }
};

struct Theorem1Steps {
    using Target = Points;
    HPLAWS_HD StationaryPoint at(const Coefficients& c, const double* const* in, int64_t k) {
        return theorem1_steps(c, in[7][k], in[8][k], in[9][k]);
    }
};

struct Theorem2 {
    using Target = Points;
    HPLAWS_HD StationaryPoint at(const Coefficients& c, const double* const* in, int64_t k) {
        return theorem2(c, in[7][k], in[8][k]);
    }
};

struct Theorem3Momentum {
    using Target = Values;
    HPLAWS_HD double at(const Coefficients& c, const double* const* in, int64_t k) {
        return theorem3_momentum(c, in[7][k]);
    }
};

struct Theorem3AsymptoticMomentum {
    using Target = Values;
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

struct BoxedPoints : Points {
    double *eta_limit, *alpha_limit, *b_limit;

    explicit BoxedPoints(double* const* out)
        : Points(out), eta_limit(out[6]), alpha_limit(out[7]), b_limit(out[8]) {}
    void put(int64_t k, const BoxedOptimum& o) const {
        Points::put(k, {o.eta, o.alpha, o.b, o.K, o.T, o.risk});
        eta_limit[k] = o.eta_limit;
        alpha_limit[k] = o.alpha_limit;
        b_limit[k] = o.b_limit;
    }
};

struct Optimum {
    using Target = BoxedPoints;
    HPLAWS_HD BoxedOptimum at(const Coefficients& c, const double* const* in, int64_t k) {
        const Box box = {{in[8][k], in[9][k]}, {in[10][k], in[11][k]}, {in[12][k], in[13][k]}};
        return boxed_optimum(c, box, in[7][k], in[14][k]);
    }
};

void positive_cubic_root_loop(const double* const* in, double* const* out, int64_t n) {
    const double *a = in[0], *b = in[1], *c = in[2];
    double* x = out[0];
    for (int64_t k = 0; k < n; ++k) x[k] = positive_cubic_root(a[k], b[k], c[k]);
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

void stability_spectrum_loop(const double* const* in, double* const* out, int64_t n) {
    const double *eta = in[0], *f = in[1], *h = in[2], *r = in[3];
    double *re1 = out[0], *im1 = out[1], *re2 = out[2], *im2 = out[3];
    HPLAWS_INDEPENDENT
    for (int64_t k = 0; k < n; ++k) {
        const Spectrum x = stability_spectrum(eta[k], f[k], h[k], r[k]);
        re1[k] = x.re1;
        im1[k] = x.im1;
        re2[k] = x.re2;
        im2[k] = x.im2;
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
    risk_loop,
    positive_cubic_root_loop,
    cubic_roots_loop,
    stability_spectrum_loop,
    bound_loop<Theorem1Tokens>,
    bound_loop<Theorem1Steps>,
    bound_loop<Theorem2>,
    theorem3_loop<Theorem3Momentum>,
    theorem3_loop<Theorem3AsymptoticMomentum>,
    bound_loop<Optimum>,
};
}  // namespace HPLAWS_ISA

}  // namespace hplaws
