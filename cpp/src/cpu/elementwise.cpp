#include "elementwise.hpp"

#include <algorithm>
#include <cstddef>

namespace hplaws {
namespace {

constexpr int64_t kChunk = 128;       // a chunk of every operand stays in L1
constexpr int64_t kShortestRow = 32;  // that is worth a call of its own
constexpr int64_t kUnit = 1 << 14;    // elements between two looks at the clock
constexpr size_t kMaxRank = 64;       // NumPy's own limit

enum class Layout { contiguous, constant, strided };

Layout layout_of(const Operand& operand, const std::vector<int64_t>& shape) {
    bool contiguous = true, constant = true;
    int64_t expected = sizeof(double);
    for (size_t d = shape.size(); d-- > 0;) {
        if (shape[d] == 1) continue;
        contiguous = contiguous && operand.strides[d] == expected;
        constant = constant && operand.strides[d] == 0;
        expected *= shape[d];
    }
    return contiguous ? Layout::contiguous : constant ? Layout::constant : Layout::strided;
}

// Calls visit(address, stride, count) for runs along the last axis that cover the n
// elements from flat position `start` on. No axis has length 1 but an only one.
template <class Visit>
void walk(const Operand& operand, const std::vector<int64_t>& shape, int64_t start, int64_t n,
          Visit visit) {
    const size_t rank = shape.size();
    int64_t at[kMaxRank];
    char* p = operand.data;
    for (size_t d = rank; d-- > 0; start /= shape[d]) {
        at[d] = start % shape[d];
        p += at[d] * operand.strides[d];
    }
    const size_t last = rank - 1;
    const int64_t stride = operand.strides[last];
    for (;;) {
        const int64_t run = std::min(n, shape[last] - at[last]);
        visit(p, stride, run);
        if ((n -= run) == 0) return;
        p -= at[last] * stride;
        at[last] = 0;
        for (size_t d = last; d-- > 0;) {
            p += operand.strides[d];
            if (++at[d] < shape[d]) break;
            p -= shape[d] * operand.strides[d];
            at[d] = 0;
        }
    }
}

void gather(const Operand& from, const std::vector<int64_t>& shape, int64_t start, int64_t n,
            double* to) {
    walk(from, shape, start, n, [&to](const char* p, int64_t stride, int64_t count) {
        if (stride == 0) {
            std::fill_n(to, count, *reinterpret_cast<const double*>(p));
        } else {
            for (int64_t k = 0; k < count; ++k)
                to[k] = *reinterpret_cast<const double*>(p + k * stride);
        }
        to += count;
    });
}

void scatter(const double* from, const Operand& to, const std::vector<int64_t>& shape,
             int64_t start, int64_t n) {
    walk(to, shape, start, n, [&from](char* p, int64_t stride, int64_t count) {
        for (int64_t k = 0; k < count; ++k) *reinterpret_cast<double*>(p + k * stride) = from[k];
        from += count;
    });
}

// Drops axes of length 1, so that runs along the last axis are as long as they can be.
void squeeze(std::vector<int64_t>& shape, std::vector<Operand>& in, std::vector<Operand>& out) {
    for (size_t d = shape.size(); d-- > 0 && shape.size() > 1;) {
        if (shape[d] != 1) continue;
        shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(d));
        for (std::vector<Operand>* operands : {&in, &out})
            for (Operand& o : *operands)
                o.strides.erase(o.strides.begin() + static_cast<std::ptrdiff_t>(d));
    }
}

}  // namespace

bool run_elementwise(const Elementwise& kernel, std::vector<int64_t> shape, std::vector<Operand> in,
                     std::vector<Operand> out, int threads, const Poll& poll) {
    int64_t total = 1;
    for (const int64_t n : shape) total *= n;
    if (total == 0) return true;
    squeeze(shape, in, out);
    std::vector<Layout> in_layout, out_layout;
    for (const Operand& o : in) in_layout.push_back(layout_of(o, shape));
    for (const Operand& o : out) out_layout.push_back(layout_of(o, shape));

    // Where one column alone varies along the last axis, chunks end with that axis.
    bool along = kernel.along && !shape.empty() && shape.back() >= kShortestRow;
    for (size_t i = 0; i < in.size(); ++i)
        along = along && (i == kernel.column || in[i].strides.back() == 0);
    const int64_t row = along ? shape.back() : total;
    // If that column lies in order there, its rows are read where they are, as long as they are.
    bool in_place = along && in[kernel.column].strides.back() == sizeof(double);
    for (const Layout layout : out_layout) in_place = in_place && layout == Layout::contiguous;
    const int64_t longest = in_place ? kUnit : kChunk;

    const auto work = [&](int64_t unit, int) {
        alignas(64) double in_buffer[kMaxOperands][kChunk], out_buffer[kMaxOperands][kChunk];
        const double* sources[kMaxOperands];
        double* targets[kMaxOperands];
        for (size_t i = 0; i < in.size(); ++i) {
            if (in_layout[i] == Layout::constant) {
                std::fill_n(in_buffer[i], kChunk, *reinterpret_cast<const double*>(in[i].data));
            }
        }
        const int64_t end = std::min(total, (unit + 1) * kUnit);
        for (int64_t start = unit * kUnit, n; start < end; start += n) {
            n = std::min({longest, end - start, row - start % row});
            for (size_t i = 0; i < in.size(); ++i) {
                sources[i] = in_buffer[i];
                if (in_layout[i] == Layout::contiguous) {
                    sources[i] = reinterpret_cast<const double*>(in[i].data) + start;
                } else if (in_place && i == kernel.column) {
                    walk(in[i], shape, start, n, [&](const char* p, int64_t, int64_t) {
                        sources[i] = reinterpret_cast<const double*>(p);
                    });
                } else if (in_layout[i] == Layout::strided) {
                    gather(in[i], shape, start, along && i != kernel.column ? 1 : n, in_buffer[i]);
                }
            }
            for (size_t i = 0; i < out.size(); ++i) {
                const bool direct = out_layout[i] == Layout::contiguous;
                targets[i] =
                    direct ? reinterpret_cast<double*>(out[i].data) + start : out_buffer[i];
            }
            (along ? kernel.along : kernel.loop)(sources, targets, n);
            for (size_t i = 0; i < out.size(); ++i) {
                if (out_layout[i] != Layout::contiguous)
                    scatter(out_buffer[i], out[i], shape, start, n);
            }
        }
    };
    return run_units((total + kUnit - 1) / kUnit, total < kElementwiseThreshold ? 1 : threads, work,
                     poll);
}

}  // namespace hplaws
