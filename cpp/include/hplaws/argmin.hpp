// The order in which configurations compete, and where they stand.
//
// numpy.argmin returns the smallest flat index among equal minima. Flat order is
// (alpha, b, eta) with eta fastest, so a configuration is the pair (row, eta)
// with row = alpha * n_b + b, and ties go to the smaller pair. The order is
// total, hence merging partial results is associative and commutative: blocks
// may finish in any order on any number of threads with the same answer.
#pragma once

#include <cstdint>

#include "config.hpp"

namespace hplaws {

struct Winner {
    double risk;
    int64_t row;  // alpha * n_b + b
    int64_t eta;
};

HPLAWS_HD bool precedes(double risk, int64_t row, double other_risk, int64_t other_row) {
    return risk < other_risk || (risk == other_risk && row < other_row);
}

HPLAWS_HD bool precedes(const Winner& x, const Winner& y) {
    return x.risk < y.risk ||
           (x.risk == y.risk && (x.row < y.row || (x.row == y.row && x.eta < y.eta)));
}

}  // namespace hplaws
