// The pruned search, a thread to a cell.
#pragma once

#include <hplaws/pruned.hpp>

#include "tables.hpp"

namespace hplaws {
namespace cuda {

// What became of a problem.
enum : uint8_t { kPruned = 0, kDense = 1 };

struct PrunedCells {
    static constexpr int kThreads = 64, kBlocks = 5, kPhases = 1;
    struct Shared {};
    struct Local {};

    // Axes by Axis as the searches see them: sorted if minimised away, else the caller's.
    const Coefficients* bound;
    SortedAxis axis[3];
    const double* inverse_eta;      // [n_eta], of axis[2]
    const MomentumTerms* momentum;  // [bounds][n_alpha], of axis[0]
    const BatchTerms* batch;        // [bounds][n_b], of axis[1]
    const double* budget;
    int64_t budgets, first_bound;
    bool budget_is_steps;
    int64_t cells, n;     // cells of a problem; of all problems here
    int64_t per_thread;   // cells a thread searches, kThreads apart: hints come from near
    int64_t most_visits;  // before a problem is left to dense evaluation
    uint8_t* state;       // by problem
    Outputs out;

    int64_t blocks() const {
        const int64_t per_block = kThreads * per_thread;
        return (n + per_block - 1) / per_block;
    }
    HPLAWS_INLINE int64_t passes(int64_t) const { return 1; }

    HPLAWS_INLINE void phase(Phase<0>, const Place& at, Shared&, Local&) const {
        PrunedSearch s = {};
        for (int64_t m = 0; m < per_thread; ++m) {
            const int64_t i = (at.block * per_thread + m) * kThreads + at.thread;
            if (i < n) search(s, i);
        }
    }

    HPLAWS_INLINE void search(PrunedSearch& s, int64_t i) const {
        const int64_t problem = first_bound * budgets + i / cells;
        if (state[problem] != kPruned) return;
        const int64_t local_bound = problem / budgets - first_bound;
        const Coefficients& c = s.bound = bound[local_bound];
        const bool matters[3] = {depends_on_alpha(c), depends_on_b(c), depends_on_eta(c)};
        int64_t rest = i % cells, at[3] = {0, 0, 0};
        bool tabled[3] = {true, true, true};
        SortedAxis part[3];
        for (int a = 2; a >= 0; --a) {
            part[a] = axis[a];
            if (!out.over[a]) {
                at[a] = rest % axis[a].size;
                rest /= axis[a].size;
                part[a] = {axis[a].value + at[a], &at[a], 1};
            } else if (!matters[a]) {
                part[a] = {out.axis[a], &at[a], 1};
                tabled[a] = false;  // the tables follow the sorted axis
            }
        }
        s.alpha = part[0];
        s.b = part[1];
        s.eta = part[2];
        s.momentum = tabled[0] ? momentum + local_bound * axis[0].size + at[0] : nullptr;
        s.batch = tabled[1] ? batch + local_bound * axis[1].size + at[1] : nullptr;
        s.inverse_eta = tabled[2] ? inverse_eta + at[2] : nullptr;
        s.row_stride = out.n[1];
        s.budget = budget[problem % budgets];
        s.budget_is_steps = budget_is_steps;
        const Winner w = pruned_argmin(s, most_visits);
        if (w.row < 0) state[problem] = kDense;
        else out.put(first_bound * budgets * cells + i, w);
    }
};

}  // namespace cuda
}  // namespace hplaws
