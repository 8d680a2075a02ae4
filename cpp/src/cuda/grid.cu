#include "grid.hpp"

#include <algorithm>
#include <stdexcept>

#include "dense.hpp"
#include "pruned.hpp"

namespace hplaws {
namespace cuda {
namespace {

#if !defined(HPLAWS_SMALL_LAUNCHES)
// A launch covers about this many configurations, 30 ms at 5e12 a second, or searches
// this many cells, so that a waiting Ctrl-C is seen soon.
constexpr double kLaunch = double(int64_t{1} << 37);
constexpr int64_t kSearches = int64_t{1} << 22;
// A block covers about this many configurations, a small part of a launch.
constexpr double kBlock = double(int64_t{1} << 26);
// Partial winners, of 24 bytes, held at a time; terms of bounds, of 16 and 32 bytes.
constexpr int64_t kPartials = int64_t{1} << 21;
constexpr int64_t kTerms = int64_t{1} << 21;
#else  // by tests, whose grids are small: so small that theirs are divided like large ones
constexpr double kLaunch = 3000, kBlock = 500;
constexpr int64_t kSearches = 100, kPartials = 200, kTerms = 16;
#endif
// A search that has looked at this many configurations, and at one more for every 128 it
// has, is worth less than dense evaluation: a thread looks at few in the time in which a
// multiprocessor evaluates thousands.
constexpr int64_t kFewestVisits = int64_t{1} << 14;
constexpr int64_t kMostVisits = int64_t{1} << 16;
constexpr int64_t kLongestAxis = (int64_t{1} << 31) - 1;

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t clamp(double x, int64_t low, int64_t high) {
    return static_cast<int64_t>(std::min(std::max(x, double(low)), double(high)));
}

class GridRun {
public:
    GridRun(const GridRequest& q, const GridResult& result, int multiprocessors,
            cudaStream_t stream, const std::function<void(double)>& progress)
        : q(q), shape(q), processors(multiprocessors), stream(stream), progress(progress) {
        for (int a = 0; a < 3; ++a) {
            if (shape.n[a] > kLongestAxis) throw std::invalid_argument("an axis exceeds 2^31 - 1");
            axis[a] = copied(q.axis[a].data, q.axis[a].size);
            out.axis[a] = axis[a].data();
            out.index[a] = result.index[a];
            out.value[a] = result.value[a];
            out.n[a] = shape.n[a];
            out.least[a] = shape.least[a];
            out.largest[a] = shape.largest[a];
            out.over[a] = q.over[a];
        }
        out.risk = result.risk;
        out.at_edge = result.at_edge;
        budget = copied(q.budget.data, q.budget.size);
    }

    void run() {
        if (shape.problems == 0) return;
        const std::vector<bool> dense = dense_problems(q, shape);
        state.assign(dense.begin(), dense.end());
        if (!q.dense) run_pruned();
        run_dense();
        wait(stream);
        progress(1.0);
    }

private:
    const GridRequest& q;
    const GridShape shape;
    const int processors;
    const cudaStream_t stream;
    const std::function<void(double)>& progress;
    Outputs out;
    Array<double> axis[3], budget;
    std::vector<uint8_t> state;  // by problem
    double done = 0.0;           // problems

    template <class T>
    Array<T> copied(const T* data, int64_t n) const {
        Array<T> there(n, stream);
        upload(there.data(), data, n * static_cast<int64_t>(sizeof(T)), stream);
        return there;
    }

    void advance(double problems) {
        wait(stream);
        done += problems;
        // What a search leaves to dense evaluation is done twice.
        progress(std::min(1.0, done / double(shape.problems)));
    }

    // All blocks of a kernel that covers `problems`, `step` in a launch.
    template <class Kernel>
    void launch_blocks(const Kernel& kernel, double problems, double step_wanted) {
        const int64_t blocks = kernel.blocks();
        const int64_t step = clamp(step_wanted, processors, int64_t{1} << 30);
        for (int64_t first = 0; first < blocks; first += step) {
            const int64_t count = std::min(step, blocks - first);
            launch(kernel, first, count, stream);
            advance(problems * double(count) / double(blocks));
        }
    }

    struct Terms {
        Array<Coefficients> bound;
        Array<double> inverse_eta;
        Array<MomentumTerms> momentum;
        Array<BatchTerms> batch;
    };

    Terms fill_terms(int64_t first_bound, int64_t bounds, const SortedAxis on[3]) const {
        Terms t;
        t.bound = copied(q.bounds.data() + first_bound, bounds);
        t.inverse_eta = Array<double>(on[kEta].size, stream);
        t.momentum = Array<MomentumTerms>(bounds * on[kAlpha].size, stream);
        t.batch = Array<BatchTerms>(bounds * on[kB].size, stream);
        FillTables fill;
        fill.bound = t.bound.data();
        fill.bounds = bounds;
        fill.eta = on[kEta].value;
        fill.alpha = on[kAlpha].value;
        fill.b = on[kB].value;
        fill.n_eta = on[kEta].size;
        fill.n_alpha = on[kAlpha].size;
        fill.n_b = on[kB].size;
        fill.inverse_eta = t.inverse_eta.data();
        fill.momentum = t.momentum.data();
        fill.batch = t.batch.data();
        launch(fill, 0, fill.blocks(), stream);
        return t;
    }

    // ---- pruned ------------------------------------------------------------------

    void run_pruned() {
        Array<double> values[3];
        Array<int64_t> indices[3];
        SortedAxis searched[3];
        for (int a = 0; a < 3; ++a) {
            searched[a] = {axis[a].data(), nullptr, shape.n[a]};
            if (!q.over[a]) continue;
            const Sorted sorted(q.axis[a]);
            searched[a].size = sorted.axis.size;
            if (!sorted.axis.index) continue;
            values[a] = copied(sorted.axis.value, sorted.axis.size);
            indices[a] = copied(sorted.axis.index, sorted.axis.size);
            searched[a].value = values[a].data();
            searched[a].index = indices[a].data();
        }
        Array<uint8_t> there = copied(state.data(), shape.problems);
        const int64_t bounds = static_cast<int64_t>(q.bounds.size());
        const int64_t terms = searched[kAlpha].size + searched[kB].size;
        const int64_t step = std::max<int64_t>(1, kTerms / terms);
        for (int64_t first = 0; first < bounds; first += step) {
            const int64_t count = std::min(step, bounds - first);
            const Terms t = fill_terms(first, count, searched);
            PrunedCells kernel;
            kernel.bound = t.bound.data();
            std::copy_n(searched, 3, kernel.axis);
            kernel.inverse_eta = t.inverse_eta.data();
            kernel.momentum = t.momentum.data();
            kernel.batch = t.batch.data();
            kernel.budget = budget.data();
            kernel.budgets = q.budget.size;
            kernel.first_bound = first;
            kernel.budget_is_steps = q.budget_is_steps;
            kernel.cells = shape.cells;
            kernel.n = count * q.budget.size * shape.cells;
            // As many threads as the device holds at once, before one takes a second cell.
            const double resident = double(PrunedCells::kThreads) * PrunedCells::kBlocks;
            kernel.per_thread = clamp(double(kernel.n) / (resident * processors), 1, 16);
            kernel.most_visits =
                kFewestVisits + clamp(shape.configs / double(shape.cells) / 128, 0, kMostVisits);
            kernel.state = there.data();
            kernel.out = out;
            const int64_t per_block = PrunedCells::kThreads * kernel.per_thread;
            launch_blocks(kernel, double(count * q.budget.size), double(kSearches / per_block));
        }
        download(state.data(), there.data(), shape.problems, stream);
    }

    // ---- dense -------------------------------------------------------------------

    void run_dense() {
        const SortedAxis plain[3] = {{axis[kAlpha].data(), nullptr, shape.n[kAlpha]},
                                     {axis[kB].data(), nullptr, shape.n[kB]},
                                     {axis[kEta].data(), nullptr, shape.n[kEta]}};
        const int64_t budgets = q.budget.size;
        for (int64_t bound = 0; bound < shape.problems / budgets; ++bound) {
            const uint8_t* const begin = state.data() + bound * budgets;
            const uint8_t* const end = begin + budgets;
            if (std::find(begin, end, kDense) == end) continue;
            const Terms terms = fill_terms(bound, 1, plain);
            Grid grid;
            grid.bound = q.bounds[static_cast<size_t>(bound)];
            grid.eta = axis[kEta].data();
            grid.inverse_eta = terms.inverse_eta.data();
            grid.b = axis[kB].data();
            grid.budget = budget.data();
            grid.momentum = terms.momentum.data();
            grid.batch = terms.batch.data();
            grid.n_eta = shape.n[kEta];
            grid.n_alpha = shape.n[kAlpha];
            grid.n_b = shape.n[kB];
            grid.budget_is_steps = q.budget_is_steps;
            for (const uint8_t* from = std::find(begin, end, kDense); from != end;) {
                const uint8_t* const to = std::find(from, end, kPruned);
                run_budgets(grid, bound, from - begin, to - begin);
                from = std::find(to, end, kDense);
            }
        }
    }

    // Budgets [first, last) of one bound.
    void run_budgets(const Grid& grid, int64_t bound, int64_t first, int64_t last) {
        if (!q.over[kEta]) return along_eta(grid, bound, first, last);
        // A wide tile costs the same whether its rows are there or not.
        if ((last - first) * grid.n_b > 2 * OverEta<1>::kRows) {
            over_eta<8>(grid, bound, first, last);
        } else {
            over_eta<1>(grid, bound, first, last);
        }
    }

    Outputs outputs_of(int64_t bound) const {
        Outputs o = out;
        const int64_t first = bound * q.budget.size * shape.cells;
        o.risk += first;
        o.at_edge += first;
        for (int a = 0; a < 3; ++a) {
            if (!q.over[a]) continue;
            o.index[a] += first;
            o.value[a] += first;
        }
        return o;
    }

    struct Partials {
        Array<double> risk;
        Array<int64_t> row, eta;

        Partials(int64_t n, cudaStream_t stream)
            : risk(n, stream), row(n, stream), eta(n, stream) {}
        Partial view() const { return {risk.data(), row.data(), eta.data()}; }
    };

    template <class Kernel>
    void finish(const Kernel& kernel, const typename Kernel::Layout& layout, int64_t bound,
                double problems) {
        const double each = shape.configs * problems / double(kernel.blocks());
        launch_blocks(kernel, problems, kLaunch / each);
        const Finish<typename Kernel::Layout> last = {layout, outputs_of(bound)};
        launch(last, 0, last.blocks(), stream);
    }

    template <int R>
    void over_eta(const Grid& grid, int64_t bound, int64_t first, int64_t last) {
        using Kernel = OverEta<R>;
        const bool keep_alpha = !q.over[kAlpha], keep_b = !q.over[kB];
        const int64_t slots = Kernel::slots_of(grid.n_b, keep_b);
        // Groups of a tile, and budgets at a time, as the memory of the partial winners
        // allows; more groups where the tiles alone would leave processors idle.
        const auto tiles_of = [&](int64_t budgets) {
            return ceil_div(budgets * grid.n_b, Kernel::kRows);
        };
        const double alphas_a_block = kBlock / (double(Kernel::kRows) * double(grid.n_eta));
        const double wanted = std::max(double(grid.n_alpha) / alphas_a_block,
                                       16.0 * processors / double(tiles_of(last - first)));
        const int64_t most = std::max<int64_t>(1, kPartials / (tiles_of(1) * slots));
        const int64_t kept = keep_alpha ? std::min(grid.n_alpha, most) : 1;
        const int64_t groups = keep_alpha ? kept : clamp(wanted, 1, std::min(most, grid.n_alpha));
        const int64_t tiles = std::max<int64_t>(1, kPartials / (groups * slots));
        const int64_t budgets =
            std::max<int64_t>(1, std::min(last - first, tiles * Kernel::kRows / grid.n_b));
        const Partials partials(tiles_of(budgets) * groups * slots, stream);

        Kernel kernel;
        kernel.grid = grid;
        kernel.slots = slots;
        kernel.out = partials.view();
        for (int64_t t = first; t < last; t += budgets) {
            const int64_t count = std::min(budgets, last - t);
            const int64_t step = keep_alpha ? kept : grid.n_alpha;
            for (int64_t i = 0; i < grid.n_alpha; i += step) {
                const int64_t alphas = std::min(step, grid.n_alpha - i);
                kernel.part = {t, count, i, alphas, keep_alpha, keep_b};
                kernel.groups = keep_alpha ? alphas : groups;
                finish(kernel, {kernel, keep_alpha ? grid.n_alpha : 1}, bound,
                       double(count) * double(alphas) / double(grid.n_alpha));
            }
        }
    }

    void along_eta(const Grid& grid, int64_t bound, int64_t first, int64_t last) {
        const int64_t outers_a_budget = shape.kept[kAlpha] * shape.kept[kB];
        AlongEta kernel;
        kernel.grid = grid;
        kernel.keep_alpha = !q.over[kAlpha];
        kernel.keep_b = !q.over[kB];
        const int64_t tiles = kernel.tiles(), all = (last - first) * outers_a_budget;
        const int64_t lanes = AlongEta::kThreads, competing = kernel.competing();
        const double wanted = std::max(double(lanes) * double(competing) / kBlock,
                                       16.0 * processors / (double(all) * double(tiles)));
        const int64_t most = std::max<int64_t>(1, kPartials / (tiles * lanes));
        kernel.groups = clamp(wanted, 1, std::min(most, ceil_div(competing, lanes)));
        const int64_t step =
            std::min(all, std::max<int64_t>(1, kPartials / (tiles * lanes * kernel.groups)));
        const Partials partials(step * tiles * kernel.groups * lanes, stream);
        kernel.out = partials.view();
        for (int64_t i = 0; i < all; i += step) {
            kernel.first_outer = first * outers_a_budget + i;
            kernel.outers = std::min(step, all - i);
            finish(kernel, {kernel}, bound, double(kernel.outers) / double(outers_a_budget));
        }
    }
};

}  // namespace

void grid_argmin(const GridRequest& request, const GridResult& result, int multiprocessors,
                 cudaStream_t stream, const std::function<void(double)>& progress) {
    GridRun(request, result, multiprocessors, stream, progress).run();
}

}  // namespace cuda
}  // namespace hplaws
