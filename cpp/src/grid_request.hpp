// A grid as it is asked for, and what every way of searching it needs to know of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <vector>

#include <hplaws/bound.hpp>
#include <hplaws/pruned.hpp>

namespace hplaws {

enum Axis { kAlpha, kB, kEta };

struct Values {
    const double* data;
    int64_t size;
};

struct GridRequest {
    std::vector<Coefficients> bounds;
    Values axis[3];  // by Axis, in the caller's order
    Values budget;
    bool budget_is_steps;
    bool over[3];  // minimised away
    bool dense;
    int threads;  // of the CPU
};

// One element per cell (bound, budget, kept alpha, kept b, kept eta), eta fastest.
// index and value are set for the axes in `over` alone.
struct GridResult {
    double* risk;
    int64_t* index[3];
    double* value[3];
    bool* at_edge;
};

// A problem is one bound at one budget; its cells are the kept alpha, b and eta.
struct GridShape {
    int64_t n[3], kept[3];
    int64_t problems, cells;  // cells of one problem
    double configs;           // of one problem
    double least[3], largest[3];

    explicit GridShape(const GridRequest& q)
        : problems(static_cast<int64_t>(q.bounds.size()) * q.budget.size), cells(1), configs(1) {
        for (int a = 0; a < 3; ++a) {
            n[a] = q.axis[a].size;
            kept[a] = q.over[a] ? 1 : n[a];
            configs *= double(n[a]);
            cells *= kept[a];
            const auto ends = std::minmax_element(q.axis[a].data, q.axis[a].data + n[a]);
            least[a] = *ends.first;
            largest[a] = *ends.second;
        }
    }
};

// An axis sorted for the pruned search, each value once with its smallest index.
struct Sorted {
    std::vector<double> values;
    std::vector<int64_t> indices;
    SortedAxis axis;

    // `axis` points into the vectors: a Sorted moves, and is not copied.
    Sorted(Sorted&&) = default;
    explicit Sorted(Values v) {
        if (std::is_sorted(v.data, v.data + v.size, std::less_equal<double>())) {
            axis = {v.data, nullptr, v.size};
            return;
        }
        std::vector<int64_t> order(static_cast<size_t>(v.size));
        std::iota(order.begin(), order.end(), int64_t{0});
        std::sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
            return v.data[i] < v.data[j] || (v.data[i] == v.data[j] && i < j);
        });
        for (const int64_t i : order) {
            if (!values.empty() && values.back() == v.data[i]) continue;
            values.push_back(v.data[i]);
            indices.push_back(i);
        }
        axis = {values.data(), indices.data(), static_cast<int64_t>(values.size())};
    }
};

// By problem, whether every configuration must be evaluated: asked for, or because
// pruning does not apply. R's factors are monotone in the budget as well: if its ends
// are fine, all are.
inline std::vector<bool> dense_problems(const GridRequest& q, const GridShape& shape) {
    std::vector<bool> dense(static_cast<size_t>(shape.problems), q.dense);
    if (q.dense) return dense;
    const double eta[] = {shape.least[kEta], shape.largest[kEta]};
    const double alpha[] = {shape.least[kAlpha], shape.largest[kAlpha]};
    const double b[] = {shape.least[kB], shape.largest[kB]};
    const auto applies = [&](const Coefficients& c, double budget) {
        return pruning_applies(c, eta, alpha, b, budget, q.budget_is_steps);
    };
    const auto ends = std::minmax_element(q.budget.data, q.budget.data + q.budget.size);
    for (int64_t p = 0; p < shape.problems; p += q.budget.size) {
        const Coefficients& c = q.bounds[static_cast<size_t>(p / q.budget.size)];
        if (applies(c, *ends.first) && applies(c, *ends.second)) continue;
        for (int64_t t = 0; t < q.budget.size; ++t)
            dense[static_cast<size_t>(p + t)] = !applies(c, q.budget.data[t]);
    }
    return dense;
}

}  // namespace hplaws
