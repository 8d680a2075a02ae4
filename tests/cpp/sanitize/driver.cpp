// The core without Python, for the sanitizers to watch: every loop of every
// instruction set this machine runs, around vector widths, tiles and chunks, on
// one thread and on several, cancelled and interrupted by exceptions; and the CUDA
// kernels over emulated launches.
//
// Every result is compared bit for bit with the formulas of the headers, one
// element at a time. Arrays have exactly their length, so that AddressSanitizer
// sees the first element read or written beyond it.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../../../cpp/src/cuda/elementwise.hpp"
#include "../../../cpp/src/cuda/grid.hpp"
#include "elementwise.hpp"
#include "features.hpp"
#include "grid.hpp"

using namespace hplaws;

namespace {

using Reals = std::vector<double>;

int64_t checks = 0;

void require(bool holds, const std::string& what) {
    ++checks;
    if (holds) return;
    std::fprintf(stderr, "FAILED: %s [%s]\n", what.c_str(), active_kernels().name);
    std::exit(1);
}

// All NaN count as one: the contract leaves their payload open.
bool same(double x, double y) { return x != x ? y != y : std::memcmp(&x, &y, sizeof x) == 0; }

int64_t size(const Reals& x) { return static_cast<int64_t>(x.size()); }

std::mt19937_64 generator(20240607);

double uniform(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(generator);
}

// Values over `decades` in random order, a third of them repeats.
Reals axis(int64_t n, double low, double high) {
    Reals x;
    while (size(x) < n) {
        const bool repeat = !x.empty() && generator() % 3 == 0;
        x.push_back(repeat ? x[generator() % x.size()] : std::pow(10.0, uniform(low, high)));
    }
    return x;
}

// ---- grid_argmin ------------------------------------------------------------------

struct Grid {
    std::vector<Coefficients> bounds;
    Reals axis[3];  // by Axis
    Reals budget;
    bool budget_is_steps = false;

    int64_t length(int a) const { return size(axis[a]); }
    int64_t configs() const { return length(kAlpha) * length(kB) * length(kEta); }
    int64_t problems() const { return static_cast<int64_t>(bounds.size()) * size(budget); }
};

Grid random_grid(std::vector<Coefficients> bounds, int64_t n_alpha, int64_t n_b, int64_t n_eta,
                 int64_t n_budget, bool steps = false) {
    Grid g;
    g.bounds = std::move(bounds);
    g.axis[kAlpha] = axis(n_alpha, -5, 0);
    g.axis[kB] = axis(n_b, 0, 5);
    g.axis[kEta] = axis(n_eta, -7, 1);
    g.budget = axis(n_budget, 2, 12);
    g.budget_is_steps = steps;
    return g;
}

// R on the whole mesh, in the order (bound, budget, alpha, b, eta).
Reals mesh(const Grid& g) {
    Reals R;
    R.reserve(static_cast<size_t>(g.problems() * g.configs()));
    for (const Coefficients& c : g.bounds)
        for (const double budget : g.budget)
            for (const double alpha : g.axis[kAlpha])
                for (const double b : g.axis[kB])
                    for (const double eta : g.axis[kEta])
                        R.push_back(
                            risk(c, eta, alpha, b, g.budget_is_steps ? b * budget : budget));
    return R;
}

struct Cells {
    Reals risk;
    std::vector<int64_t> index[3];
    Reals value[3];
    std::unique_ptr<bool[]> at_edge;
    int64_t count;

    // Every element starts with what no result holds, so that a missing one shows.
    Cells(const Grid& g, const bool over[3]) : count(g.problems()) {
        for (int a = 0; a < 3; ++a) count *= over[a] ? 1 : g.length(a);
        risk.assign(static_cast<size_t>(count), -1.0);
        at_edge.reset(new bool[static_cast<size_t>(count)]());
        for (int a = 0; a < 3; ++a) {
            if (!over[a]) continue;
            index[a].assign(static_cast<size_t>(count), -1);
            value[a].assign(static_cast<size_t>(count), -1.0);
        }
    }

    GridResult view() {
        GridResult out;
        out.risk = risk.data();
        out.at_edge = at_edge.get();
        for (int a = 0; a < 3; ++a) {
            out.index[a] = index[a].empty() ? nullptr : index[a].data();
            out.value[a] = value[a].empty() ? nullptr : value[a].data();
        }
        return out;
    }
};

GridRequest request(const Grid& g, const bool over[3], bool dense, int threads) {
    GridRequest q;
    q.bounds = g.bounds;
    for (int a = 0; a < 3; ++a) {
        q.axis[a] = {g.axis[a].data(), g.length(a)};
        q.over[a] = over[a];
    }
    q.budget = {g.budget.data(), size(g.budget)};
    q.budget_is_steps = g.budget_is_steps;
    q.dense = dense;
    q.threads = threads;
    return q;
}

// numpy.argmin: the first of the least, over the axes in `over`, for every cell.
Cells naive_argmin(const Grid& g, const Reals& R, const bool over[3]) {
    Cells best(g, over);
    double ends[3][2];
    for (int a = 0; a < 3; ++a) {
        ends[a][0] = ends[a][1] = g.axis[a][0];
        for (const double v : g.axis[a]) {
            ends[a][0] = v < ends[a][0] ? v : ends[a][0];
            ends[a][1] = v > ends[a][1] ? v : ends[a][1];
        }
    }
    std::vector<bool> found(static_cast<size_t>(best.count), false);
    size_t flat = 0;
    int64_t at[3];
    for (int64_t p = 0; p < g.problems(); ++p)
        for (at[kAlpha] = 0; at[kAlpha] < g.length(kAlpha); ++at[kAlpha])
            for (at[kB] = 0; at[kB] < g.length(kB); ++at[kB])
                for (at[kEta] = 0; at[kEta] < g.length(kEta); ++at[kEta], ++flat) {
                    int64_t position = p;
                    for (int a = 0; a < 3; ++a)
                        if (!over[a]) position = position * g.length(a) + at[a];
                    const size_t cell = static_cast<size_t>(position);
                    if (found[cell] && !(R[flat] < best.risk[cell])) continue;
                    found[cell] = true;
                    best.risk[cell] = R[flat];
                    best.at_edge[cell] = false;
                    for (int a = 0; a < 3; ++a) {
                        if (!over[a]) continue;
                        const double v = g.axis[a][static_cast<size_t>(at[a])];
                        best.index[a][cell] = at[a];
                        best.value[a][cell] = v;
                        const bool end = v == ends[a][0] || v == ends[a][1];
                        best.at_edge[cell] = best.at_edge[cell] || (end && g.length(a) > 1);
                    }
                }
    return best;
}

bool equal(const Cells& found, const Cells& expected, const bool over[3]) {
    bool same_winners = true;
    for (size_t i = 0; i < static_cast<size_t>(found.count); ++i) {
        same_winners = same_winners && same(found.risk[i], expected.risk[i]) &&
                       found.at_edge[i] == expected.at_edge[i];
        for (int a = 0; a < 3; ++a) {
            if (!over[a]) continue;
            same_winners = same_winners && found.index[a][i] == expected.index[a][i] &&
                           same(found.value[a][i], expected.value[a][i]);
        }
    }
    return same_winners;
}

std::string described(const Grid& g, const bool over[3]) {
    std::string text;
    for (int a = 0; a < 3; ++a) text += (a ? " x " : "") + std::to_string(g.length(a));
    text += ", over ";
    for (int a = 0; a < 3; ++a) text += over[a] ? "1" : "0";
    return text;
}

void expect(const Grid& g, const Cells& expected, const bool over[3], bool dense, int threads) {
    Cells found(g, over);
    double last = 0.0;
    const auto progress = [&last](double fraction) {
        require(fraction >= last && fraction <= 1.0 + 1e-9, "progress goes from 0 to 1");
        last = fraction;
        return true;
    };
    require(grid_argmin(request(g, over, dense, threads), found.view(), progress),
            "the call finishes");
    char what[160];
    std::snprintf(what, sizeof what, "%s argmin of %s, %d threads", dense ? "dense" : "pruned",
                  described(g, over).c_str(), threads);
    require(equal(found, expected, over), what);
}

void expect_on_device(const Grid& g, const Cells& expected, const bool over[3], bool dense) {
    Cells found(g, over);
    double last = 0.0;
    const auto progress = [&last](double fraction) {
        require(fraction >= last && fraction <= 1.0, "progress of a device goes from 0 to 1");
        last = fraction;
    };
    cuda::grid_argmin(request(g, over, dense, 1), found.view(), 2, nullptr, progress);
    const char* method = dense ? "dense" : "pruned";
    require(equal(found, expected, over),
            method + (" argmin on a device of " + described(g, over)));
}

void for_each_isa(const std::function<void()>& body) {
    for (const std::string& isa : supported_isas()) {
        select_isa(isa);
        body();
    }
}

constexpr bool kSubsets[7][3] = {{true, true, true},  {true, true, false},  {true, false, true},
                                 {false, true, true}, {true, false, false}, {false, true, false},
                                 {false, false, true}};

// Both methods, every `over`, one and four threads, every instruction set; the device.
void expect_everywhere(const Grid& g) {
    const Reals R = mesh(g);
    for (const auto& over : kSubsets) {
        const Cells expected = naive_argmin(g, R, over);
        for_each_isa([&] {
            for (const bool dense : {true, false})
                for (const int threads : {1, 4}) expect(g, expected, over, dense, threads);
        });
        for (const bool dense : {true, false}) expect_on_device(g, expected, over, dense);
    }
}

const Coefficients kProxy = {1, 1, 1, 1, 1, 0, 0.5};
const Coefficients kHeavyTailed = {3, 70, 17.5, 10, 1, 0, 0.3};
const Coefficients kUnmatched = {1, 2, 0, 3, 0, 5, 0.5};

std::vector<Coefficients> awkward_bounds() {
    return {kProxy,
            kHeavyTailed,
            kUnmatched,
            {0, 0, 0, 0, 1, 0, 0.5},                  // all tie at zero
            {0, 1, 0, 0, 0, 0, 1},                    // no eta in it
            {1, 0, 1, 0, 0, 0, 0.5},                  // no alpha in it
            {1e300, 1e300, 1e300, 1e300, 1, 0, 0.5},  // infinite here and there: not prunable
            {1e-300, 1e-300, 1e-300, 1e-300, 1, 0, 0.7}};
}

void awkward_grids() {
    for (const bool steps : {false, true}) {
        expect_everywhere(random_grid(awkward_bounds(), 7, 11, 13, 3, steps));
        expect_everywhere(random_grid(awkward_bounds(), 1, 1, 1, 1, steps));
    }
    Grid sorted = random_grid({kProxy, kHeavyTailed}, 9, 12, 15, 2);
    for (Reals& x : sorted.axis)
        for (size_t i = 0; i < x.size(); ++i) x[i] = std::pow(10.0, double(i) - double(x.size()));
    expect_everywhere(sorted);
    for (Reals& x : sorted.axis) x.assign(x.rbegin(), x.rend());
    expect_everywhere(sorted);
}

// Rows and learning rates around every vector width and tile of rows: each grid is
// a corner of one large one, whose R is known.
void odd_sizes() {
    constexpr int64_t kRows = 70, kRates = 40;
    const Grid whole = random_grid({kHeavyTailed}, 2, kRows, kRates, 1);
    const Reals R = mesh(whole);
    for (int64_t rows = 1; rows <= kRows; ++rows) {
        for (int64_t rates = 1; rates <= kRates; ++rates) {
            Grid part = whole;
            part.axis[kB].assign(whole.axis[kB].begin(), whole.axis[kB].begin() + rows);
            part.axis[kEta].assign(whole.axis[kEta].begin(), whole.axis[kEta].begin() + rates);
            Reals part_of_R;
            for (int64_t row = 0; row < 2 * kRows; ++row) {
                if (row % kRows >= rows) continue;
                const auto first = R.begin() + row * kRates;
                part_of_R.insert(part_of_R.end(), first, first + rates);
            }
            // Rows in vectors, merged and kept; rates in vectors.
            for (const int subset : {0, 6, 4}) {
                const auto& over = kSubsets[subset];
                const Cells expected = naive_argmin(part, part_of_R, over);
                for_each_isa([&] {
                    expect(part, expected, over, true, 1);
                    expect(part, expected, over, false, 1);
                });
            }
        }
    }
}

// Lengths at the borders of the kernels' chunks of rows and rates, and products
// large enough to be cut into units that share cells.
void chunk_borders() {
    for (const int64_t rows : {255, 256, 257}) {
        for (const int64_t rates : {1023, 1024, 1025}) {
            expect_everywhere(random_grid({kProxy}, 1, rows, rates / 16, 1));
            expect_everywhere(random_grid({kUnmatched}, 1, rows / 16, rates, 1, true));
        }
    }
    expect_everywhere(random_grid({kHeavyTailed}, 1, 257, 1025, 1));
    expect_everywhere(random_grid({kHeavyTailed}, 1025, 255, 1, 1));
    expect_everywhere(random_grid({kProxy}, 255, 4, 257, 1, true));
}

// Threads start where the whole call is large. Many small problems, each a unit of
// its own, are: their number makes the call.
void small_grids_on_threads() {
    std::vector<Coefficients> bounds;
    for (int i = 0; i < 60; ++i) {
        Coefficients c = kProxy;
        c.noise = std::pow(10.0, uniform(-2, 4));
        c.q = i % 2 == 0 ? 0.5 : uniform(0.1, 1.0);
        bounds.push_back(c);
    }
    expect_everywhere(random_grid(bounds, 5, 18, 10, 5));
}

// (c) of pruned.hpp: no batch size between two neighbours of the axis has an envelope below
// the slice's bound, which shows on no grid as long as the bound is only a little too high.
void bounds_of_slices() {
    int64_t brackets = 0;
    for (int turn = 0; turn < 5000; ++turn) {
        const auto some = [](double decades) {
            return generator() % 5 == 0 ? 0.0 : std::pow(10.0, uniform(-decades, decades));
        };
        PrunedSearch s = {};
        s.bound = {some(2), some(2), some(2), some(2), some(2), some(2), uniform(0.1, 1.0)};
        if (turn % 2 == 0) s.bound.q = turn % 4 == 0 ? 0.5 : 1.0;
        const double alpha = std::pow(10.0, uniform(-4, 0));
        Reals b;
        const double step = std::pow(10.0, uniform(-2, 0.5));
        for (double decade = -6; decade < 10; decade += step) b.push_back(std::pow(10.0, decade));
        const double eta0 = std::pow(10.0, uniform(-6, 0));
        const double eta[] = {eta0, eta0 * std::pow(10.0, uniform(0, 6))};
        s.eta = {eta, nullptr, 2};
        s.alpha = {&alpha, nullptr, 1};
        s.b = {b.data(), nullptr, size(b)};
        s.budget = std::pow(10.0, uniform(2, 12));
        s.inverse_T = reciprocal(s.budget);
        const pruned::Slice slice = pruned::make_slice(s, 0);
        if (slice.rising == 0 || slice.rising == size(b)) continue;
        ++brackets;
        const double b0 = b[static_cast<size_t>(slice.rising - 1)];
        double least = infinity();
        for (int k = 0; k <= 64; ++k) {
            const double between = b0 * std::pow(10.0, step * k / 64.0);
            s.b = {&between, nullptr, 1};
            least = std::fmin(least, pruned::make_envelope(s, slice.momentum, 0).value);
        }
        require(slice.bound <= least, "the bound of a slice is one");
    }
    require(brackets > 500, "some neighbours bracket a minimum");
}

void no_problems() {
    for (const auto& over : kSubsets) {
        Grid g = random_grid({kProxy}, 3, 4, 5, 0);
        for_each_isa([&] { expect(g, Cells(g, over), over, true, 4); });
    }
}

// Two calls at once, as from two Python threads.
void concurrent_calls() {
    const Grid g = random_grid({kProxy}, 50, 60, 100, 1);
    const auto& over = kSubsets[0];
    const Cells expected = naive_argmin(g, mesh(g), over);
    bool finished[2] = {false, false};
    std::vector<Cells> found;
    for (int i = 0; i < 2; ++i) found.emplace_back(g, over);
    std::vector<std::thread> callers;
    for (int i = 0; i < 2; ++i) {
        callers.emplace_back([&, i] {
            Cells& cells = found[static_cast<size_t>(i)];
            finished[i] = grid_argmin(request(g, over, i == 0, 2), cells.view(), {});
        });
    }
    for (std::thread& caller : callers) caller.join();
    for (int i = 0; i < 2; ++i) {
        const Cells& cells = found[static_cast<size_t>(i)];
        require(finished[i] && same(cells.risk[0], expected.risk[0]) &&
                    cells.index[kEta][0] == expected.index[kEta][0],
                "concurrent calls");
    }
}

// ---- element-wise -----------------------------------------------------------------

struct NamedKernel {
    const char* name;
    Elementwise Kernels::* kernel;
    size_t n_in, n_out;
};

const NamedKernel kElementwise[] = {
    {"risk", &Kernels::risk, 11, 1},
    {"positive_cubic_root", &Kernels::positive_cubic_root, 3, 1},
    {"cubic_roots", &Kernels::cubic_roots, 4, 3},
    {"stability_spectrum", &Kernels::stability_spectrum, 4, 4},
    {"theorem1_tokens", &Kernels::theorem1_tokens, 9, 6},
    {"theorem1_steps", &Kernels::theorem1_steps, 10, 6},
    {"theorem2", &Kernels::theorem2, 9, 6},
    {"theorem3", &Kernels::theorem3, 8, 6},
    {"theorem3_asymptotic", &Kernels::theorem3_asymptotic, 9, 6},
    {"optimum", &Kernels::optimum, 15, 9},
};
static_assert(sizeof(Kernels) == 5 * sizeof(void*) + std::size(kElementwise) * sizeof(Elementwise),
              "kElementwise lists every element-wise kernel of the table");

// How an operand lies in memory.
enum class Lie {
    contiguous,
    reversed,
    every_third,
    transposed,
    along_rows,
    along_columns,
    constant
};
constexpr Lie kLies[] = {Lie::contiguous, Lie::reversed,      Lie::every_third, Lie::transposed,
                         Lie::along_rows, Lie::along_columns, Lie::constant};

struct Array {
    Reals memory;
    int64_t first = 0, row_step = 0, column_step = 0;  // in elements

    Array(Lie lie, int64_t rows, int64_t columns) {
        int64_t elements = rows * columns;
        switch (lie) {
            case Lie::contiguous:
                row_step = columns, column_step = 1;
                break;
            case Lie::reversed:
                row_step = -columns, column_step = -1, first = elements - 1;
                break;
            case Lie::every_third:
                row_step = 3 * columns, column_step = 3;
                elements = elements > 0 ? 3 * elements - 2 : 0;
                break;
            case Lie::transposed:
                row_step = 1, column_step = rows;
                break;
            case Lie::along_rows:
                row_step = 1, elements = rows;
                break;
            case Lie::along_columns:
                column_step = 1, elements = columns;
                break;
            case Lie::constant:
                elements = 1;
                break;
        }
        memory.assign(static_cast<size_t>(elements), -1.0);
    }

    double& at(int64_t row, int64_t column) {
        return memory[static_cast<size_t>(first + row * row_step + column * column_step)];
    }

    // Axes of length 1 before, between and after: they must not matter.
    Operand operand() {
        constexpr int64_t bytes = sizeof(double);
        char* data = reinterpret_cast<char*>(memory.data());
        if (!memory.empty()) data += first * bytes;
        return {data, {0, row_step * bytes, 8 * bytes, column_step * bytes, -bytes}};
    }
};

// Mostly ordinary positive numbers; now and then what must become NaN or infinity.
double element(size_t position, bool exponent_half) {
    constexpr double kSpecial[] = {0.0,    1.0,   -1.0,   std::numeric_limits<double>::quiet_NaN(),
                                   1e-310, 1e300, 1e-300, std::numeric_limits<double>::infinity()};
    if (position == 6 && exponent_half) return 0.5;
    if (generator() % 16 == 0) return kSpecial[generator() % 8];
    return std::pow(10.0, uniform(-4, position == 7 ? 8 : 2));
}

void run_on_device(const std::string& name, const std::vector<int64_t>& shape,
                   std::vector<Array>& in, std::vector<Array>& out) {
    std::vector<cuda::Operand> from, to;
    for (Array& a : in) from.push_back({a.operand().data, 0.0, a.operand().strides});
    for (Array& a : out) to.push_back({a.operand().data, 0.0, a.operand().strides});
    for (const cuda::Function& f : cuda::functions())
        if (f.name == name) return f.run(shape, from, to, nullptr);
    require(false, name + " is missing on the device");
}

void expect_elementwise(const NamedKernel& k, int64_t rows, int64_t columns, size_t turn,
                        int threads) {
    const bool exponent_half = k.n_in > 7 && turn % 2 == 0;
    std::vector<Array> in, out;
    for (size_t i = 0; i < k.n_in; ++i) {
        // turn 0: all contiguous, the way past the gathering; turn 8: a mesh, along whose
        // rows one column varies.
        Lie lie = turn == 0 ? Lie::contiguous : kLies[(turn + i) % 7];
        if (turn == 8) lie = i == 7 ? Lie::along_columns : Lie::along_rows;
        in.emplace_back(lie, rows, columns);
        for (double& x : in.back().memory) x = element(i, exponent_half);
    }
    // Outputs never broadcast.
    for (size_t i = 0; i < k.n_out; ++i) {
        out.emplace_back(turn == 0 ? Lie::contiguous : kLies[(turn + i) % 4], rows, columns);
    }
    std::vector<Operand> from, to;
    for (Array& a : in) from.push_back(a.operand());
    for (Array& a : out) to.push_back(a.operand());
    const std::string what = std::string(k.name) + " on " + std::to_string(rows) + " x " +
                             std::to_string(columns) + ", layout " + std::to_string(turn);
    const auto poll = [] { return true; };
    const std::vector<int64_t> shape = {1, rows, 1, columns, 1};
    require(run_elementwise(active_kernels().*k.kernel, shape, from, to, threads, poll), what);

    if (std::string(active_kernels().name) == "baseline") {
        std::vector<Array> on_device;
        for (size_t i = 0; i < k.n_out; ++i)
            on_device.emplace_back(turn == 0 ? Lie::contiguous : kLies[(turn + i) % 4], rows,
                                   columns);
        run_on_device(k.name, shape, in, on_device);
        bool equal = true;
        for (size_t i = 0; i < k.n_out; ++i)
            for (size_t j = 0; j < out[i].memory.size(); ++j)
                equal = equal && same(on_device[i].memory[j], out[i].memory[j]);
        require(equal, what + ", on a device");
    }

    double element_in[16], element_out[16];
    const double* element_from[16];
    double* element_to[16];
    for (size_t i = 0; i < 16; ++i) {
        element_from[i] = element_in + i;
        element_to[i] = element_out + i;
    }
    bool equal = true;
    for (int64_t r = 0; r < rows; ++r) {
        for (int64_t c = 0; c < columns; ++c) {
            for (size_t i = 0; i < k.n_in; ++i) element_in[i] = in[i].at(r, c);
            (baseline::kernels.*k.kernel).loop(element_from, element_to, 1);
            for (size_t i = 0; i < k.n_out; ++i) {
                equal = equal && same(out[i].at(r, c), element_out[i]);
            }
        }
    }
    require(equal, what);
}

void elementwise() {
    constexpr std::pair<int64_t, int64_t> kShapes[] = {
        {0, 0}, {0, 5}, {5, 0}, {1, 1}, {1, 7}, {9, 1}, {3, 11}, {17, 15}, {2, 129}, {127, 3}};
    for_each_isa([&] {
        for (const NamedKernel& k : kElementwise) {
            for (const auto& [rows, columns] : kShapes)
                for (size_t turn = 0; turn <= 8; ++turn)
                    expect_elementwise(k, rows, columns, turn, 1);
        }
        // Above the threading threshold, in cheap kernels: the plumbing is one for all.
        for (const NamedKernel& k : {kElementwise[0], kElementwise[2]})
            for (const size_t turn : {0, 3, 8}) expect_elementwise(k, 257, 256, turn, 4);
    });
}

void risk_is_the_formula() {
    for_each_isa([] {
        Reals in[11], out(1000);
        const double* from[11];
        for (size_t i = 0; i < 11; ++i) {
            for (size_t n = 0; n < out.size(); ++n) in[i].push_back(element(i, false));
            from[i] = in[i].data();
        }
        double* to[] = {out.data()};
        active_kernels().risk.loop(from, to, size(out));
        bool equal = true;
        for (size_t n = 0; n < out.size(); ++n) {
            const Coefficients c = {in[0][n], in[1][n], in[2][n], in[3][n],
                                    in[4][n], in[5][n], in[6][n]};
            equal = equal && same(out[n], risk(c, in[7][n], in[8][n], in[9][n], in[10][n]));
        }
        require(equal, "risk is the header's formula");
    });
}

// ---- cancellation and exceptions ----------------------------------------------------

struct Interruption : std::runtime_error {
    Interruption() : std::runtime_error("interruption") {}
};

template <class Call>
bool throws(Call call) {
    try {
        call();
    } catch (const Interruption&) {
        return true;
    }
    return false;
}

// Minutes of work, were it not stopped.
void interrupted_grids() {
    Grid g = random_grid({kProxy}, 400, 1000, 1000, 0);
    g.budget.assign(1000, 1e6);
    const auto& over = kSubsets[0];
    for (const int threads : {1, 4}) {
        Cells cells(g, over);
        const GridRequest q = request(g, over, true, threads);
        int polls = 0;
        require(!grid_argmin(q, cells.view(), [&polls](double) { return ++polls < 2; }),
                "cancelled");
        require(polls == 2, "no poll after a cancellation");
        const auto interrupt = [](double) -> bool { throw Interruption(); };
        require(throws([&] { grid_argmin(q, cells.view(), interrupt); }),
                "poll's exception arrives");
    }
    // The same while pruned searches run: many T, two kept axes.
    Grid wide = random_grid({kProxy}, 300, 300, 50, 100);
    Cells cells(wide, kSubsets[6]);
    const GridRequest q = request(wide, kSubsets[6], false, 4);
    require(!grid_argmin(q, cells.view(), [](double) { return false; }), "pruned cancelled");
}

void interrupted_elementwise() {
    // The slowest kernel: a long call in little memory.
    const NamedKernel& k = kElementwise[9];
    std::vector<Array> in, out;
    std::vector<Operand> from, to;
    constexpr int64_t kElements = int64_t{1} << 18;
    for (size_t i = 0; i < k.n_in; ++i) {
        in.emplace_back(Lie::constant, 1, 1);
        in.back().memory[0] = i == 6 ? 0.3 : i >= 8 && i % 2 == 0 ? 1e-3 : 1.0;
        from.push_back(in.back().operand());
    }
    for (size_t i = 0; i < k.n_out; ++i) out.emplace_back(Lie::contiguous, 1, kElements);
    for (Array& a : out) to.push_back(a.operand());
    const auto call = [&](const Poll& poll) {
        return run_elementwise(active_kernels().*k.kernel, {1, 1, 1, kElements, 1}, from, to, 4,
                               poll);
    };
    require(!call([] { return false; }), "element-wise cancelled");
    require(throws([&] { call([]() -> bool { throw Interruption(); }); }),
            "element-wise interrupted");
}

void pause(int milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

void units() {
    for (const int threads : {1, 2, 4, 9}) {
        for (const int64_t n : {0, 1, 3, 8, 1000}) {
            std::vector<int> done(static_cast<size_t>(n), 0);
            const auto work = [&](int64_t unit, int worker) {
                done[static_cast<size_t>(unit)] += worker >= 0 && worker < threads;
            };
            require(run_units(n, threads, work, {}), "units finish");
            bool once = true;
            for (const int times : done) once = once && times == 1;
            require(once, "every unit runs once");
        }
        const auto fails = [](int64_t unit, int) {
            if (unit == 7) throw Interruption();
        };
        require(throws([&] { run_units(1000, threads, fails, {}); }),
                "an exception from work arrives");
        const auto all_fail = [](int64_t, int) { throw Interruption(); };
        require(throws([&] { run_units(1000, threads, all_fail, {}); }),
                "one of many exceptions arrives");
    }
    // Polls go on while the calling thread has nothing left but to wait for another,
    // and their outcome waits for that other.
    const auto slow_helper = [](int64_t, int worker) { pause(worker == 0 ? 20 : 200); };
    require(!run_units(2, 2, slow_helper, [] { return false; }), "cancelled while waiting");
    require(throws([&] { run_units(2, 2, slow_helper, []() -> bool { throw Interruption(); }); }),
            "interrupted while waiting");
}

void step(const char* name, void (*body)()) {
    const auto start = std::chrono::steady_clock::now();
    body();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    std::printf("%-24s %6.1f s\n", name, elapsed.count());
    std::fflush(stdout);
}

}  // namespace

int main() {
    step("units", units);
    step("risk", risk_is_the_formula);
    step("element-wise", elementwise);
    step("awkward grids", awkward_grids);
#if !defined(__SANITIZE_THREAD__)  // one thread alone: nothing for it to see
    step("odd sizes", odd_sizes);
#endif
    step("chunk borders", chunk_borders);
    step("small grids on threads", small_grids_on_threads);
    step("bounds of slices", bounds_of_slices);
    step("no problems", no_problems);
    step("concurrent calls", concurrent_calls);
    step("interrupted grids", interrupted_grids);
    step("interrupted elements", interrupted_elementwise);
    std::string isas;
    for (const std::string& isa : supported_isas()) isas += " " + isa;
    std::printf("%lld checks, all good:%s\n", static_cast<long long>(checks), isas.c_str());
}
