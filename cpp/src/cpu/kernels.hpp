// The table of compiled loops: one per instruction set, all with the same bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hplaws/argmin.hpp>
#include <hplaws/bound.hpp>
#include <hplaws/pruned.hpp>

namespace hplaws {

// A block of the grid at one bound and one budget: half-open index ranges, and
// which of the three axes survive in the result.
struct Block {
    int64_t alpha[2], b[2], eta[2];
    bool keep_alpha, keep_b, keep_eta;

    int64_t kept(const int64_t range[2], bool keep) const { return keep ? range[1] - range[0] : 1; }
    int64_t cells() const {
        return kept(alpha, keep_alpha) * kept(b, keep_b) * kept(eta, keep_eta);
    }
};

// The caller's axes, with what R needs of each batch size and learning rate.
struct DenseGrid {
    Coefficients bound;
    const double *eta, *inverse_eta, *alpha, *b, *batch_noise, *batch_start;
    int64_t n_eta, n_alpha, n_b;
    double budget;
    bool budget_is_steps;
};

// The eta axis for pruned_rows. D/eta + S eta is smallest at axis.value[k] until D/S
// exceeds value[k] value[k + 1]. By the leading bits of D/S, first[] tells how many of
// these crossings lie in lower buckets: k, or k - 1 where a bucket holds one crossing.
struct RateTable {
    SortedAxis axis;
    const double *eta, *inverse_eta;  // of value[k] at [k + 1]; around them DBL_MAX loses
    const int32_t* first;
    double least, largest;  // crossings, to which D/S is clipped
    uint64_t lowest_bucket;
    int shift;
};

// Element r of each array belongs to the r-th row asked for.
struct RowWinners {
    double* risk;
    int64_t* index;
    double* eta;
    bool* at_edge;
};

// in[i][k] -> out[j][k] on contiguous chunks, k < n.
using Loop = void (*)(const double* const* in, double* const* out, int64_t n);

// An element-wise function, and its form for chunks in which one column alone varies, as
// along the last axis of a mesh: of the other columns that reads the first element.
struct Elementwise {
    Loop loop;
    Loop along = nullptr;
    size_t column = 0;
};

struct Kernels {
    const char* name;
    // Lower each cell's (risk, row) to the block's minimum where that precedes.
    void (*dense_block)(const DenseGrid&, const Block&, double* risk, int64_t* row);
    // Smallest eta index at which the row (alpha, b) attains `risk`.
    int64_t (*find_eta)(const DenseGrid&, int64_t alpha, int64_t b, double risk);
    Winner (*pruned)(PrunedSearch&, int64_t visits);
    // Winners of the rows [first, last) in flat order (alpha, b): eta alone is minimised
    // away, depends_on_eta() and pruning_applies() hold. Returns how many of the `visits`
    // are left; below zero it gave up.
    int64_t (*pruned_rows)(const DenseGrid&, const RateTable&, int64_t first, int64_t last,
                           int64_t visits, const RowWinners&);
    Elementwise risk, positive_cubic_root, cubic_roots;
    Elementwise stability_spectrum;
    Elementwise theorem1_tokens, theorem1_steps, theorem2, theorem3, theorem3_asymptotic;
    Elementwise optimum;
};

namespace baseline {
extern const Kernels kernels;
}
namespace avx2 {
extern const Kernels kernels;
}
namespace avx512 {
extern const Kernels kernels;
}

}  // namespace hplaws
