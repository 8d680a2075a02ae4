// What grid kernels read: the axes, what R needs of each of their values, and where
// the winners go.
#pragma once

#include <cstdint>

#include <hplaws/argmin.hpp>
#include <hplaws/bound.hpp>

#include "launch.hpp"

namespace hplaws {
namespace cuda {

// One bound on the caller's axes, in the caller's order.
struct Grid {
    Coefficients bound;
    const double *eta, *inverse_eta, *b, *budget;
    const MomentumTerms* momentum;
    const BatchTerms* batch;
    int64_t n_eta, n_alpha, n_b;
    bool budget_is_steps;
};

HPLAWS_HD BudgetTerms budget_at(const Grid& g, int64_t t, int64_t j) {
    const double b = g.b[j], T = g.budget_is_steps ? b * g.budget[t] : g.budget[t];
    return budget_terms(g.bound, g.batch[j].start, b, reciprocal(T));
}

// The terms of each value of the axes, for as many bounds as there are.
struct FillTables {
    static constexpr int kThreads = 128, kBlocks = 4, kPhases = 1;
    struct Shared {};
    struct Local {};

    const Coefficients* bound;
    int64_t bounds;
    const double *eta, *alpha, *b;
    int64_t n_eta, n_alpha, n_b;
    double* inverse_eta;      // [n_eta], common to all bounds
    MomentumTerms* momentum;  // [bounds][n_alpha]
    BatchTerms* batch;        // [bounds][n_b]

    int64_t blocks() const {
        const int64_t values = n_eta + bounds * (n_alpha + n_b);
        return (values + kThreads - 1) / kThreads;
    }

    HPLAWS_INLINE int64_t passes(int64_t) const { return 1; }

    HPLAWS_INLINE void phase(Phase<0>, const Place& at, Shared&, Local&) const {
        int64_t i = at.block * kThreads + at.thread;
        if (i < n_eta) {
            inverse_eta[i] = inverse_rate(eta[i]);
            return;
        }
        i -= n_eta;
        if (i < bounds * n_alpha) {
            momentum[i] = momentum_terms(bound[i / n_alpha], alpha[i % n_alpha]);
            return;
        }
        i -= bounds * n_alpha;
        if (i < bounds * n_b) batch[i] = batch_terms(bound[i / n_b], b[i % n_b]);
    }
};

// The result, by cell, and the axes its values come from, by Axis.
struct Outputs {
    double* risk;
    int64_t* index[3];
    double* value[3];
    bool* at_edge;
    const double* axis[3];
    int64_t n[3];
    double least[3], largest[3];
    bool over[3];

    HPLAWS_INLINE void put(int64_t cell, const Winner& w) const {
        const int64_t at[3] = {w.row / n[1], w.row % n[1], w.eta};
        risk[cell] = w.risk;
        bool edge = false;
        for (int a = 0; a < 3; ++a) {
            if (!over[a]) continue;
            const double found = axis[a][at[a]];
            index[a][cell] = at[a];
            value[a][cell] = found;
            edge = edge || (n[a] > 1 && (found == least[a] || found == largest[a]));
        }
        at_edge[cell] = edge;
    }
};

// Winners of the blocks that share a cell, before they are compared.
struct Partial {
    double* risk;
    int64_t* row;
    int64_t* eta;

    HPLAWS_INLINE void lower(Winner& best, int64_t i) const {
        const Winner other = {risk[i], row[i], eta[i]};
        if (precedes(other, best)) best = other;
    }
};

// The winner of every cell a dense kernel has covered. Layout: cells() of them, the
// position cell(i) of each in the result, and winner(i) among its partial ones.
template <class Layout>
struct Finish {
    static constexpr int kThreads = 128, kBlocks = 4, kPhases = 1;
    struct Shared {};
    struct Local {};

    Layout layout;
    Outputs out;

    int64_t blocks() const { return (layout.cells() + kThreads - 1) / kThreads; }
    HPLAWS_INLINE int64_t passes(int64_t) const { return 1; }
    HPLAWS_INLINE void phase(Phase<0>, const Place& at, Shared&, Local&) const {
        const int64_t i = at.block * kThreads + at.thread;
        if (i < layout.cells()) out.put(layout.cell(i), layout.winner(i));
    }
};

}  // namespace cuda
}  // namespace hplaws
