// Dense evaluation of a grid: every configuration, at one fma and one minimum each.
#pragma once

#include "tables.hpp"

namespace hplaws {
namespace cuda {

HPLAWS_HD uint32_t high_word(double x) { return static_cast<uint32_t>(bits_of(x) >> 32); }

// From sm_90 on one instruction; elsewhere the compiler makes it two.
HPLAWS_HD uint32_t least(uint32_t x, uint32_t y, uint32_t z) {
#if defined(__CUDA_ARCH__)
    return __vimin3_u32(x, y, z);
#else
    const uint32_t w = x < y ? x : y;
    return w < z ? w : z;
#endif
}

constexpr uint32_t kInfiniteWord = 0x7FF00000;

// The doubles >= 0 whose high word is `word` lie between these two.
HPLAWS_HD double smallest_of(uint32_t word) { return from_bits(uint64_t{word} << 32); }
HPLAWS_HD double largest_of(uint32_t word) {
    return word >= kInfiniteWord ? infinity() : from_bits(uint64_t{word} << 32 | 0xFFFFFFFF);
}

// The budgets and alphas of one launch, and which axes survive in the result.
struct Part {
    int64_t first_budget, budgets;
    int64_t first_alpha, alphas;  // those kept; all, if alpha is minimised away
    bool keep_alpha, keep_b;
};

// eta is minimised away.
//
// Rows (budget, b) that share a bound and an alpha share 1/eta and S eta as well. A block
// takes a tile of such rows, R to a thread, through its alphas; the eta axis passes
// through shared memory, where one load serves R configurations.
//
// The GPU has no instruction for the minimum of doubles, but for non-negative ones the
// order is that of their bits, and their high words alone cost one integer minimum, of two
// configurations at a time, which runs beside the fma instead of after it on the same units. That
// leaves an interval for a row's risk. Only rows whose interval reaches below the end of every
// other one in their cell (and below what the cell already has) are evaluated again, exactly.
//
// A slot is a cell of the tile: a row if b is kept, else a budget.
template <int R>
struct OverEta {
    static constexpr int kThreads = 128, kBlocks = 4, kPhases = 6;
    static constexpr int kRows = kThreads * R;
    static constexpr int kRates = 512;
    static constexpr uint32_t kNone = 0xFFFFFFFF;

    struct alignas(16) Rate {
        double inverse, smooth;  // 1/eta, S eta
    };
    struct Shared {
        Rate rate[kRates];
        uint64_t least[kRows];    // bits of the smallest risk in this pass or before
        uint64_t best[kRows];     // bits of the smallest risk before this pass
        uint32_t ceiling[kRows];  // high word no smaller than the winner's
        uint32_t claim[kRows];    // first row that attains `least`
        uint32_t alpha[kRows], row[kRows], eta[kRows];  // of the winner
    };
    struct Local {
        double D[R], noise[R], N[R], risk[R];
        Pair start[R];
        uint32_t word[R], eta[R];
        int slot[R];  // -1: no such row
    };

    Grid grid;
    Part part;
    int64_t groups;  // blocks a tile: one for each alpha kept, or for each share of them
    int64_t slots;   // at most this many in a tile
    Partial out;     // [tiles][groups][slots]

    HPLAWS_INLINE int64_t rows() const { return part.budgets * grid.n_b; }
    int64_t tiles() const { return (rows() + kRows - 1) / kRows; }
    int64_t blocks() const { return tiles() * groups; }
    static int64_t slots_of(int64_t n_b, bool keep_b) {
        return keep_b ? kRows : 2 + (kRows - 1) / n_b;
    }

    HPLAWS_INLINE int64_t tile_of(int64_t block) const { return block / groups; }
    HPLAWS_INLINE int64_t share(int64_t group) const { return group * part.alphas / groups; }
    HPLAWS_INLINE int64_t chunks() const { return (grid.n_eta + kRates - 1) / kRates; }
    HPLAWS_INLINE int64_t first_slot(int64_t tile) const {
        return part.keep_b ? tile * kRows : tile * kRows / grid.n_b;
    }
    HPLAWS_INLINE int64_t slot_of(int64_t row) const { return part.keep_b ? row : row / grid.n_b; }

    HPLAWS_INLINE int64_t passes(int64_t block) const {
        const int64_t group = block % groups;
        return (share(group + 1) - share(group)) * chunks();
    }

    HPLAWS_INLINE int64_t alpha_at(const Place& at) const {
        return part.first_alpha + share(at.block % groups) + at.pass / chunks();
    }
    HPLAWS_INLINE bool ends_axis(const Place& at) const {
        return at.pass % chunks() == chunks() - 1;
    }

    // The eta axis, or the next chunk of it; at the start, the rows and the slots.
    HPLAWS_INLINE void phase(Phase<0>, const Place& at, Shared& s, Local& l) const {
        const double smooth = grid.momentum[alpha_at(at)].smooth;
        const int64_t chunk = at.pass % chunks(), first = chunk * kRates;
        for (int k = at.thread; k < kRates; k += kThreads) {
            const bool inside = first + k < grid.n_eta;
            s.rate[k] = inside ? Rate{grid.inverse_eta[first + k], smooth * grid.eta[first + k]}
                               : Rate{0.0, infinity()};  // infinite, or NaN: never the least
        }
        if (at.pass == 0) start(at, s, l);
        if (chunk == 0) {
            for (int r = 0; r < R; ++r) l.word[r] = kInfiniteWord;
        }
    }

    HPLAWS_INLINE void start(const Place& at, Shared& s, Local& l) const {
        const int64_t tile = tile_of(at.block);
        for (int i = at.thread; i < kRows; i += kThreads) {
            s.least[i] = s.best[i] = ~uint64_t{0};
            s.ceiling[i] = kNone;
        }
        for (int r = 0; r < R; ++r) {
            const int64_t row = tile * kRows + at.thread * R + r;
            const bool inside = row < rows();
            const int64_t t = inside ? row / grid.n_b : 0, j = inside ? row % grid.n_b : 0;
            const BudgetTerms terms = budget_at(grid, part.first_budget + t, j);
            l.D[r] = terms.descent;
            l.start[r] = terms.start;
            l.noise[r] = grid.batch[j].noise;
            l.slot[r] = inside ? static_cast<int>(slot_of(row) - first_slot(tile)) : -1;
        }
    }

    // All configurations of the rows, by high words.
    HPLAWS_INLINE void phase(Phase<1>, const Place& at, Shared& s, Local& l) const {
        const int64_t left = grid.n_eta - at.pass % chunks() * kRates;
        const int n = left < kRates ? static_cast<int>(left) : kRates;
#if defined(__CUDA_ARCH__)
#pragma unroll 4
#endif
        for (int k = 0; k < n; k += 2) {  // the chunk is padded
            const Rate one = s.rate[k], two = s.rate[k + 1];
            for (int r = 0; r < R; ++r) {
                l.word[r] = least(l.word[r], high_word(rate_term(l.D[r], one.inverse, one.smooth)),
                                  high_word(rate_term(l.D[r], two.inverse, two.smooth)));
            }
        }
        if (!ends_axis(at)) return;
        for (int i = at.thread; i < kRows; i += kThreads) s.claim[i] = kNone;
        const MomentumTerms m = grid.momentum[alpha_at(at)];
        // Atomic operations on one address come one by one: rows of a slot are compared here.
        uint32_t ceiling = kNone;
        for (int r = 0; r < R; ++r) {
            l.N[r] = noise_term(l.noise[r], m.sqrt_alpha, burn_in_term(l.start[r], m.inverse));
            if (l.slot[r] < 0) continue;
            const uint32_t word = high_word(largest_of(l.word[r]) + l.N[r]);
            ceiling = word < ceiling ? word : ceiling;
            if (r + 1 < R && l.slot[r + 1] == l.slot[r]) continue;
            lower(&s.ceiling[l.slot[r]], ceiling);
            ceiling = kNone;
        }
    }

    // The rows that may win, exactly.
    HPLAWS_INLINE void phase(Phase<2>, const Place& at, Shared& s, Local& l) const {
        if (!ends_axis(at)) return;
        const double smooth = grid.momentum[alpha_at(at)].smooth;
#if defined(__CUDA_ARCH__)
#pragma unroll
#endif
        for (int r = 0; r < R; ++r) {
            l.eta[r] = kNone;
            if (l.slot[r] < 0) continue;
            if (high_word(smallest_of(l.word[r]) + l.N[r]) > s.ceiling[l.slot[r]]) continue;
            scan(l.D[r], smooth, l.N[r], l.risk[r], l.eta[r]);
            lower(&s.least[l.slot[r]], bits_of(l.risk[r]));
        }
    }

    // The first eta that attains the smallest risk of a row.
    HPLAWS_INLINE void scan(double D, double smooth, double N, double& risk, uint32_t& eta) const {
        risk = assemble(D, grid.inverse_eta[0], smooth * grid.eta[0], N);
        eta = 0;
#if defined(__CUDA_ARCH__)
#pragma unroll 4
#endif
        for (int64_t k = 1; k < grid.n_eta; ++k) {
            const double R_k = assemble(D, grid.inverse_eta[k], smooth * grid.eta[k], N);
            if (R_k < risk) {
                risk = R_k;
                eta = static_cast<uint32_t>(k);
            }
        }
    }

    // Rows of smaller alpha came first and win ties: only what is below `best` counts.
    HPLAWS_INLINE void phase(Phase<3>, const Place& at, Shared& s, Local& l) const {
        if (!ends_axis(at)) return;
        for (int r = 0; r < R; ++r) {
            if (attains(s, l, r) && s.least[l.slot[r]] < s.best[l.slot[r]])
                lower(&s.claim[l.slot[r]], row_in_tile(at, r));
        }
    }

    HPLAWS_INLINE void phase(Phase<4>, const Place& at, Shared& s, Local& l) const {
        if (!ends_axis(at)) return;
        for (int r = 0; r < R; ++r) {
            if (!attains(s, l, r) || s.claim[l.slot[r]] != row_in_tile(at, r)) continue;
            const int slot = l.slot[r];
            s.best[slot] = s.least[slot];
            s.alpha[slot] = static_cast<uint32_t>(alpha_at(at));
            s.row[slot] = row_in_tile(at, r);
            s.eta[slot] = l.eta[r];
        }
    }

    HPLAWS_INLINE bool attains(const Shared& s, const Local& l, int r) const {
        return l.eta[r] != kNone && bits_of(l.risk[r]) == s.least[l.slot[r]];
    }
    HPLAWS_INLINE uint32_t row_in_tile(const Place& at, int r) const {
        return static_cast<uint32_t>(at.thread * R + r);
    }

    HPLAWS_INLINE void phase(Phase<5>, const Place& at, Shared& s, Local&) const {
        if (at.pass + 1 != at.passes) return;
        const int64_t tile = tile_of(at.block), after = (tile + 1) * kRows;
        const int64_t last = (after < rows() ? after : rows()) - 1;
        const int64_t n = slot_of(last) - first_slot(tile) + 1;
        for (int64_t i = at.thread; i < n; i += kThreads) {
            const int64_t to = at.block * slots + i, row = tile * kRows + s.row[i];
            out.risk[to] = from_bits(s.best[i]);
            out.row[to] = s.alpha[i] * grid.n_b + row % grid.n_b;
            out.eta[to] = s.eta[i];
        }
    }

    // Cells of this part: (budget, alpha if kept, b if kept).
    struct Layout {
        OverEta kernel;
        int64_t all_alphas;  // on the kept alpha axis, or 1

        HPLAWS_INLINE int64_t cells() const {
            const Part& p = kernel.part;
            return p.budgets * (p.keep_alpha ? p.alphas : 1) * (p.keep_b ? kernel.grid.n_b : 1);
        }
        HPLAWS_INLINE void split(int64_t i, int64_t& t, int64_t& alpha, int64_t& b) const {
            const Part& p = kernel.part;
            const int64_t n_b = p.keep_b ? kernel.grid.n_b : 1;
            const int64_t n_alpha = p.keep_alpha ? p.alphas : 1;
            b = i % n_b;
            alpha = i / n_b % n_alpha;
            t = i / n_b / n_alpha;
        }
        HPLAWS_INLINE int64_t cell(int64_t i) const {
            int64_t t, alpha, b;
            split(i, t, alpha, b);
            const Part& p = kernel.part;
            const int64_t outer = (p.first_budget + t) * all_alphas;
            return (outer + (p.keep_alpha ? p.first_alpha + alpha : 0)) *
                       (p.keep_b ? kernel.grid.n_b : 1) +
                   b;
        }
        HPLAWS_INLINE Winner winner(int64_t i) const {
            int64_t t, alpha, b;
            split(i, t, alpha, b);
            const Part& p = kernel.part;
            const int64_t n_b = kernel.grid.n_b;
            const int64_t first_row = t * n_b + b,
                          last_row = p.keep_b ? first_row : (t + 1) * n_b - 1;
            const int64_t group = p.keep_alpha ? alpha : 0;
            const int64_t after = p.keep_alpha ? alpha + 1 : kernel.groups;
            Winner best = {infinity(), INT64_MAX, INT64_MAX};
            for (int64_t tile = first_row / kRows; tile <= last_row / kRows; ++tile) {
                const int64_t slot = kernel.slot_of(first_row) - kernel.first_slot(tile);
                for (int64_t g = group; g < after; ++g)
                    kernel.out.lower(best, (tile * kernel.groups + g) * kernel.slots + slot);
            }
            return best;
        }
    };
};

// eta survives: a thread has one learning rate, a block walks the rows it minimises over
// in flat order, so that a strict comparison keeps the first of equals.
struct AlongEta {
    static constexpr int kThreads = 128, kBlocks = 4, kPhases = 2;

    struct Row {
        double D, S, N;
        int64_t row;
    };
    struct Shared {
        Row row[kThreads];
    };
    struct Local {
        double risk;
        int64_t row;
    };

    Grid grid;
    bool keep_alpha, keep_b;
    int64_t first_outer, outers;  // cells but for eta: (budget, alpha if kept, b if kept)
    int64_t groups;               // shares of the rows that compete
    Partial out;                  // [outers][tiles][groups][kThreads]

    HPLAWS_INLINE int64_t tiles() const { return (grid.n_eta + kThreads - 1) / kThreads; }
    HPLAWS_INLINE int64_t competing() const {
        return (keep_alpha ? 1 : grid.n_alpha) * (keep_b ? 1 : grid.n_b);
    }
    HPLAWS_INLINE int64_t share(int64_t group) const { return group * competing() / groups; }
    int64_t blocks() const { return outers * tiles() * groups; }

    HPLAWS_INLINE int64_t passes(int64_t block) const {
        const int64_t group = block % groups;
        return (share(group + 1) - share(group) + kThreads - 1) / kThreads;
    }
    HPLAWS_INLINE int64_t rows_in_pass(const Place& at) const {
        const int64_t group = at.block % groups;
        const int64_t left = share(group + 1) - share(group) - at.pass * kThreads;
        return left < kThreads ? left : kThreads;
    }

    HPLAWS_INLINE void phase(Phase<0>, const Place& at, Shared& s, Local& l) const {
        if (at.pass == 0) l = {infinity(), INT64_MAX};
        if (at.thread >= rows_in_pass(at)) return;
        int64_t outer = first_outer + at.block / groups / tiles();
        int64_t row = share(at.block % groups) + at.pass * kThreads + at.thread;
        const int64_t j = keep_b ? outer % grid.n_b : row % grid.n_b;
        (keep_b ? outer : row) /= grid.n_b;
        const int64_t i = keep_alpha ? outer % grid.n_alpha : row % grid.n_alpha;
        const int64_t t = keep_alpha ? outer / grid.n_alpha : outer;
        const BudgetTerms terms = budget_at(grid, t, j);
        const MomentumTerms m = grid.momentum[i];
        const double burn_in = burn_in_term(terms.start, m.inverse);
        const double N = noise_term(grid.batch[j].noise, m.sqrt_alpha, burn_in);
        s.row[at.thread] = {terms.descent, m.smooth, N, i * grid.n_b + j};
    }

    HPLAWS_INLINE void phase(Phase<1>, const Place& at, Shared& s, Local& l) const {
        const int64_t k = at.block / groups % tiles() * kThreads + at.thread;
        if (k >= grid.n_eta) return;
        const double inverse_eta = grid.inverse_eta[k], eta = grid.eta[k];
        const int n = static_cast<int>(rows_in_pass(at));
        for (int i = 0; i < n; ++i) {
            const Row& row = s.row[i];
            const double risk = assemble(row.D, inverse_eta, row.S * eta, row.N);
            if (precedes(risk, row.row, l.risk, l.row)) l = {risk, row.row};
        }
        if (at.pass + 1 != at.passes) return;
        const int64_t to = at.block * kThreads + at.thread;
        out.risk[to] = l.risk;
        out.row[to] = l.row;
        out.eta[to] = k;
    }

    struct Layout;
};

struct AlongEta::Layout {
    AlongEta kernel;

    HPLAWS_INLINE int64_t cells() const { return kernel.outers * kernel.grid.n_eta; }
    HPLAWS_INLINE int64_t cell(int64_t i) const {
        return kernel.first_outer * kernel.grid.n_eta + i;
    }
    HPLAWS_INLINE Winner winner(int64_t i) const {
        const int64_t k = i % kernel.grid.n_eta, outer = i / kernel.grid.n_eta;
        const int64_t block = (outer * kernel.tiles() + k / kThreads) * kernel.groups;
        Winner best = {infinity(), INT64_MAX, INT64_MAX};
        for (int64_t g = 0; g < kernel.groups; ++g)
            kernel.out.lower(best, (block + g) * kThreads + k % kThreads);
        return best;
    }
};

}  // namespace cuda
}  // namespace hplaws
