#include "grid.hpp"

#include <algorithm>
#include <atomic>
#include <cfloat>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>

#include "features.hpp"

namespace hplaws {
namespace {

// A dense unit covers at most this many configurations: some ten milliseconds,
// so that a waiting Ctrl-C is seen well within a second even without SIMD.
constexpr int64_t kDenseUnit = int64_t{1} << 25;
// Fewer configurations than this cost less than starting a thread.
constexpr int64_t kThreadUnit = int64_t{1} << 16;
// A unit's partial results: 2^14 cells are 256 KiB.
constexpr int64_t kUnitCells = int64_t{1} << 14;
// A pruned search may look at this many rows and configurations before it gives up,
// and at one more for every 128 it has: a look costs what a hundred cost densely. It
// does not look at the clock, hence the cap, a fraction of a second, for a unit too.
// Where eta alone is minimised away, the searches of a problem share what all have.
constexpr int64_t kFewestVisits = int64_t{1} << 16;
constexpr int64_t kMostVisits = int64_t{1} << 24;
constexpr int64_t kKeptRates = 1024;
// Rates: 2^17 values of eta and 2^18 buckets are 4 MiB, 1 of them while it is made.
constexpr int64_t kMostRates = int64_t{1} << 17;
constexpr uint64_t kBuckets = uint64_t{1} << 18;

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// What the dense kernels read besides the axes; the batch columns belong to one bound.
struct BatchColumns {
    int64_t bound = -1;
    std::vector<double> noise, start;

    void fill(const Coefficients& c, int64_t which, Values b) {
        if (bound == which) return;
        bound = which;
        noise.resize(b.size);
        start.resize(b.size);
        for (int64_t j = 0; j < b.size; ++j) {
            const BatchTerms terms = batch_terms(c, b.data[j]);
            noise[j] = terms.noise;
            start[j] = terms.start;
        }
    }
};

// Tables for the pruned search, of one bound, in the order in which it sees the axes.
struct SearchTables {
    int64_t bound = -1;
    std::vector<double> inverse_eta;
    std::vector<MomentumTerms> momentum;
    std::vector<BatchTerms> batch;
};

// What pruned_rows reads of the eta axis.
struct Rates {
    std::vector<double> eta, inverse_eta;
    std::vector<int32_t> first;
    RateTable table;

    explicit Rates(const SortedAxis& axis) {
        const int64_t n = axis.size;
        eta.assign(static_cast<size_t>(n + 3), DBL_MAX);
        inverse_eta = eta;
        std::vector<uint64_t> crossing;  // the bits of positive numbers are in their order
        for (int64_t k = 0; k < n; ++k) {
            eta[k + 1] = axis.value[k];
            inverse_eta[k + 1] = inverse_rate(axis.value[k]);
            if (k > 0) crossing.push_back(bits_of(axis.value[k - 1] * axis.value[k]));
        }
        if (n == 1) crossing.push_back(bits_of(axis.value[0]));  // any will do
        // Buckets no wider than the narrowest gap hold one crossing each.
        uint64_t narrowest = UINT64_MAX;
        for (size_t k = 1; k < crossing.size(); ++k)
            narrowest = std::min(narrowest, crossing[k] - crossing[k - 1]);
        const uint64_t range = crossing.back() - crossing.front();
        const uint64_t most = std::min(kBuckets, static_cast<uint64_t>(16 * n));
        int shift = 0;
        while (narrowest >> shift > 1 || range >> shift > most) ++shift;
        const uint64_t lowest = crossing.front() >> shift;
        size_t below = 0;
        for (uint64_t bucket = lowest; bucket <= crossing.back() >> shift; ++bucket) {
            while (crossing[below] >> shift < bucket) ++below;
            first.push_back(static_cast<int32_t>(below));
        }
        table = {axis,
                 eta.data(),
                 inverse_eta.data(),
                 first.data(),
                 from_bits(crossing.front()),
                 from_bits(crossing.back()),
                 lowest,
                 shift};
    }
};

struct Worker {
    BatchColumns columns;
    std::vector<double> risk;
    std::vector<int64_t> row;
    PrunedSearch search{};
    SearchTables tables;
};

// A problem is one bound at one budget. Its units come one after another.
class GridRun : GridShape {
public:
    GridRun(const GridRequest& request, const GridResult& result,
            const std::function<bool(double)>& progress)
        : GridShape(request),
          q(request),
          out(result),
          progress(progress),
          kernels(active_kernels()) {
        for (int a = 2; a >= 0; --a) {
            if (q.over[a]) row_of_cell = out.index[a];
        }
    }

    bool run() {
        if (problems == 0) return true;
        plan();
        workers.resize(static_cast<size_t>(std::max(1, threads)));
        // What is handed over is done twice, and progress shall not fall.
        double reported = 0.0;
        const Poll poll = [&] {
            reported = std::max(reported, covered.load() / double(problems));
            return !progress || progress(reported);
        };
        if (!run_problems(poll)) return false;
        if (hand_over() && !run_problems(poll)) return false;
        return !progress || progress(1.0);
    }

private:
    const GridRequest& q;
    const GridResult& out;
    const std::function<bool(double)>& progress;
    const Kernels& kernels;
    int threads = 1;
    bool any_dense = false, sliced = false;
    int64_t slice[3], slices[3], cells_per_unit = 1, most_visits = kFewestVisits;
    std::vector<bool> dense_problem;
    std::unique_ptr<std::atomic<bool>[]> gave_up;         // by problem
    std::unique_ptr<std::atomic<int64_t>[]> visits_left;  // of run_rows, by problem
    std::vector<int64_t> first_unit;
    std::vector<double> inverse_eta;
    std::vector<Sorted> sorted;
    std::unique_ptr<Rates> rates;  // for run_rows; none where another search is used
    std::vector<Worker> workers;
    std::atomic<double> covered{0.0};  // problems done, in fractions
    std::mutex merge;
    int64_t* row_of_cell = nullptr;  // the first index array serves until the end

    bool run_problems(const Poll& poll) {
        const auto work = [this](int64_t unit, int worker) { run_unit(unit, workers[worker]); };
        return run_units(first_unit.back(), threads, work, poll) &&
               (!any_dense || finish_dense(poll));
    }

    // Problems whose pruned search gave up are evaluated densely, all of each.
    bool hand_over() {
        any_dense = false;
        for (int64_t p = 0; p < problems; ++p) {
            dense_problem[p] = gave_up[p].load();
            any_dense = any_dense || dense_problem[p];
            if (dense_problem[p]) covered = covered.load() - 1.0;
        }
        if (any_dense) {
            threads = q.threads;
            workers.resize(static_cast<size_t>(threads));
            number_units(0);
            prepare_dense();
        }
        return any_dense;
    }

    void plan() {
        dense_problem = dense_problems(q, *this);
        if (!q.dense) {
            for (int a = 0; a < 3; ++a) sorted.emplace_back(q.axis[a]);
            const int64_t eta = sorted[kEta].axis.size, rows = cells * problems;
            if (!q.over[kAlpha] && !q.over[kB] && eta <= std::min(rows, kMostRates))
                rates = std::make_unique<Rates>(sorted[kEta].axis);
        }
        any_dense =
            std::find(dense_problem.begin(), dense_problem.end(), true) != dense_problem.end();
        plan_slices();
        const double earned = configs / double(cells) / 128.0;
        most_visits = kFewestVisits + static_cast<int64_t>(std::min(earned, double(kMostVisits)));
        const int64_t searches = rates ? kUnitCells : 2 * kMostVisits / most_visits;
        cells_per_unit = std::min(cells, std::max<int64_t>(1, searches));
        const double pruned_work = (rates ? 32.0 : 256.0) * double(cells) * double(problems);
        const double work = any_dense ? configs * double(problems) : pruned_work;
        threads = static_cast<int>(
            std::min<double>(q.threads, std::max(1.0, work / double(kThreadUnit))));
        if (!any_dense && threads > 1) {
            const int64_t share = ceil_div(cells * problems, int64_t{8} * threads);
            cells_per_unit = std::max<int64_t>(1, std::min(cells_per_unit, share));
        }
        gave_up.reset(new std::atomic<bool>[static_cast<size_t>(problems)]());
        if (rates) {
            visits_left.reset(new std::atomic<int64_t>[static_cast<size_t>(problems)]);
            for (int64_t p = 0; p < problems; ++p)
                visits_left[p] = kFewestVisits + cells * n[kEta] / 128;
        }
        number_units(ceil_div(cells, cells_per_unit));
        prepare_dense();
    }

    void number_units(int64_t pruned_units) {
        first_unit.assign(1, 0);
        for (int64_t p = 0; p < problems; ++p) {
            const int64_t dense_units = slices[kAlpha] * slices[kB] * slices[kEta];
            first_unit.push_back(first_unit.back() +
                                 (dense_problem[p] ? dense_units : pruned_units));
        }
    }

    void prepare_dense() {
        if (!any_dense) return;
        inverse_eta.resize(n[kEta]);
        for (int64_t k = 0; k < n[kEta]; ++k) inverse_eta[k] = inverse_rate(q.axis[kEta].data[k]);
        for (int64_t p = 0; p < problems; ++p) {
            if (!dense_problem[p]) continue;
            std::fill_n(out.risk + p * cells, cells, infinity());
            std::fill_n(row_of_cell + p * cells, cells, std::numeric_limits<int64_t>::max());
        }
    }

    // eta first, as the innermost loop, then b, then alpha, each as long as the
    // unit's configurations and its partial results allow.
    void plan_slices() {
        const double share = configs * double(problems) / (8.0 * q.threads);
        const int64_t target = static_cast<int64_t>(
            std::max(double(kThreadUnit), std::min(double(kDenseUnit), share)));
        int64_t unit = 1, unit_cells = 1;
        for (const int a : {kEta, kB, kAlpha}) {
            int64_t length = std::max<int64_t>(1, std::min(n[a], target / unit));
            if (!q.over[a])
                length = std::max<int64_t>(1, std::min(length, kUnitCells / unit_cells));
            if (a == kEta) length = q.over[a] ? n[a] : std::min(n[a], kKeptRates);
            slice[a] = length;
            slices[a] = ceil_div(n[a], length);
            sliced = sliced || (q.over[a] && slices[a] > 1);
            unit *= length;
            if (!q.over[a]) unit_cells *= length;
        }
    }

    int64_t problem_of(int64_t unit) const {
        return std::upper_bound(first_unit.begin(), first_unit.end(), unit) - first_unit.begin() -
               1;
    }

    void run_unit(int64_t unit, Worker& worker) {
        const int64_t p = problem_of(unit), local = unit - first_unit[p];
        if (dense_problem[p]) run_dense(p, local, worker);
        else if (rates && depends_on_eta(q.bounds[p / q.budget.size])) run_rows(p, local, worker);
        else run_pruned(p, local, worker);
        const double share = 1.0 / double(first_unit[p + 1] - first_unit[p]);
        for (double was = covered.load(); !covered.compare_exchange_weak(was, was + share);) {
        }
    }

    DenseGrid dense_grid(int64_t p, Worker& worker) const {
        const int64_t bound = p / q.budget.size;
        worker.columns.fill(q.bounds[bound], bound, q.axis[kB]);
        DenseGrid grid;
        grid.bound = q.bounds[bound];
        grid.eta = q.axis[kEta].data;
        grid.inverse_eta = inverse_eta.data();
        grid.alpha = q.axis[kAlpha].data;
        grid.b = q.axis[kB].data;
        grid.batch_noise = worker.columns.noise.data();
        grid.batch_start = worker.columns.start.data();
        grid.n_eta = n[kEta];
        grid.n_alpha = n[kAlpha];
        grid.n_b = n[kB];
        grid.budget = q.budget.data[p % q.budget.size];
        grid.budget_is_steps = q.budget_is_steps;
        return grid;
    }

    void run_dense(int64_t p, int64_t local, Worker& worker) {
        const int64_t part[3] = {local / (slices[kB] * slices[kEta]),
                                 local / slices[kEta] % slices[kB], local % slices[kEta]};
        Block block;
        int64_t* range[3] = {block.alpha, block.b, block.eta};
        for (int a = 0; a < 3; ++a) {
            range[a][0] = part[a] * slice[a];
            range[a][1] = std::min(n[a], range[a][0] + slice[a]);
        }
        block.keep_alpha = !q.over[kAlpha];
        block.keep_b = !q.over[kB];
        block.keep_eta = !q.over[kEta];
        worker.risk.assign(block.cells(), infinity());
        worker.row.assign(block.cells(), std::numeric_limits<int64_t>::max());
        kernels.dense_block(dense_grid(p, worker), block, worker.risk.data(), worker.row.data());

        // Only units that share cells need the lock.
        std::unique_lock<std::mutex> lock(merge, std::defer_lock);
        if (sliced) lock.lock();
        const int64_t count[3] = {block.kept(block.alpha, block.keep_alpha),
                                  block.kept(block.b, block.keep_b),
                                  block.kept(block.eta, block.keep_eta)};
        int64_t from = 0;
        for (int64_t i = 0; i < count[kAlpha]; ++i) {
            for (int64_t j = 0; j < count[kB]; ++j) {
                int64_t to = q.over[kAlpha] ? 0 : range[kAlpha][0] + i;
                to = to * kept[kB] + (q.over[kB] ? 0 : range[kB][0] + j);
                to = p * cells + to * kept[kEta] + (q.over[kEta] ? 0 : range[kEta][0]);
                for (int64_t k = 0; k < count[kEta]; ++k, ++from, ++to) {
                    if (!precedes(worker.risk[from], worker.row[from], out.risk[to],
                                  row_of_cell[to]))
                        continue;
                    out.risk[to] = worker.risk[from];
                    row_of_cell[to] = worker.row[from];
                }
            }
        }
    }

    // The winner of a cell, all three indices known, into the result.
    void put(int64_t cell, double risk, int64_t row, int64_t eta) {
        const int64_t at[3] = {row / n[kB], row % n[kB], eta};
        out.risk[cell] = risk;
        bool edge = false;
        for (int a = 0; a < 3; ++a) {
            if (!q.over[a]) continue;
            const double value = q.axis[a].data[at[a]];
            out.index[a][cell] = at[a];
            out.value[a][cell] = value;
            edge = edge || (n[a] > 1 && (value == least[a] || value == largest[a]));
        }
        out.at_edge[cell] = edge;
    }

    bool finish_dense(const Poll& poll) {
        const int64_t per_unit =
            q.over[kEta] ? std::max<int64_t>(1, kThreadUnit / n[kEta]) : kThreadUnit;
        const int64_t units_per_problem = ceil_div(cells, per_unit);
        const auto work = [&](int64_t unit, int w) {
            const int64_t p = unit / units_per_problem;
            if (!dense_problem[p]) return;
            const DenseGrid grid = dense_grid(p, workers[w]);
            const int64_t first = unit % units_per_problem * per_unit;
            const int64_t last = std::min(cells, first + per_unit);
            for (int64_t c = first; c < last; ++c) {
                const int64_t cell = p * cells + c, row = row_of_cell[cell];
                const double risk = out.risk[cell];
                const int64_t eta =
                    q.over[kEta] ? kernels.find_eta(grid, row / n[kB], row % n[kB], risk) : 0;
                put(cell, risk, row, eta);
            }
        };
        return run_units(problems * units_per_problem, threads, work, poll);
    }

    // The axis as the searches of a bound see it: sorted if it is minimised away, in
    // the caller's order if each cell has one value of it, and at its first element
    // if R does not depend on it.
    SortedAxis search_axis(const Coefficients& c, int a) const {
        static const int64_t first = 0;
        if (!q.over[a]) return {q.axis[a].data, nullptr, n[a]};
        const bool matters[3] = {depends_on_alpha(c), depends_on_b(c), depends_on_eta(c)};
        return matters[a] ? sorted[a].axis : SortedAxis{q.axis[a].data, &first, 1};
    }

    void set_bound(int64_t bound, const SortedAxis axis[3], Worker& worker) const {
        const Coefficients& c = worker.search.bound = q.bounds[bound];
        if (worker.tables.bound == bound) return;
        worker.tables.bound = bound;
        // A search looks at some ten values of each axis, and a table costs its length:
        // where an axis is longer than that, values are worked out when needed.
        const int64_t longest = 16 * cells * q.budget.size;
        const auto fill = [longest](auto& table, const SortedAxis& values, auto terms) {
            table.clear();
            if (values.size > longest) return;
            for (int64_t i = 0; i < values.size; ++i) table.push_back(terms(values.value[i]));
        };
        fill(worker.tables.momentum, axis[kAlpha],
             [&c](double alpha) { return momentum_terms(c, alpha); });
        fill(worker.tables.batch, axis[kB], [&c](double b) { return batch_terms(c, b); });
        fill(worker.tables.inverse_eta, axis[kEta], [](double eta) { return inverse_rate(eta); });
    }

    void run_rows(int64_t p, int64_t local, Worker& worker) {
        if (gave_up[p]) return;
        const int64_t first = local * cells_per_unit,
                      last = std::min(cells, first + cells_per_unit), to = p * cells + first;
        const RowWinners winners = {out.risk + to, out.index[kEta] + to, out.value[kEta] + to,
                                    out.at_edge + to};
        const int64_t visits = std::min(visits_left[p].load(), kMostVisits);
        const int64_t left =
            kernels.pruned_rows(dense_grid(p, worker), rates->table, first, last, visits, winners);
        visits_left[p] -= visits - left;
        if (left < 0) gave_up[p] = true;
    }

    void run_pruned(int64_t p, int64_t local, Worker& worker) {
        PrunedSearch& s = worker.search;
        const int64_t bound = p / q.budget.size;
        SortedAxis axis[3];
        for (int a = 0; a < 3; ++a) axis[a] = search_axis(q.bounds[bound], a);
        set_bound(bound, axis, worker);
        s.budget = q.budget.data[p % q.budget.size];
        s.budget_is_steps = q.budget_is_steps;
        s.row_stride = n[kB];
        const int64_t first = local * cells_per_unit,
                      last = std::min(cells, first + cells_per_unit);
        for (int64_t c = first; c < last; ++c) {
            int64_t rest = c, index[3] = {0, 0, 0};
            SortedAxis part[3] = {axis[kAlpha], axis[kB], axis[kEta]};
            for (const int a : {kEta, kB, kAlpha}) {
                if (q.over[a]) continue;
                index[a] = rest % n[a];
                rest /= n[a];
                part[a] = {axis[a].value + index[a], index + a, 1};
            }
            s.alpha = part[kAlpha];
            s.b = part[kB];
            s.eta = part[kEta];
            const SearchTables& tables = worker.tables;
            s.momentum = tables.momentum.empty() ? nullptr : tables.momentum.data() + index[kAlpha];
            s.batch = tables.batch.empty() ? nullptr : tables.batch.data() + index[kB];
            s.inverse_eta =
                tables.inverse_eta.empty() ? nullptr : tables.inverse_eta.data() + index[kEta];
            if (gave_up[p]) return;
            const Winner w = kernels.pruned(s, most_visits);
            if (w.row < 0) {
                gave_up[p] = true;
                return;
            }
            put(p * cells + c, w.risk, w.row, w.eta);
        }
    }
};

}  // namespace

bool grid_argmin(const GridRequest& request, const GridResult& result,
                 const std::function<bool(double)>& progress) {
    return GridRun(request, result, progress).run();
}

}  // namespace hplaws
