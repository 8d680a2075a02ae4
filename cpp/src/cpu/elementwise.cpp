#include "elementwise.hpp"

#include <algorithm>

namespace hplaws {
namespace {

constexpr int64_t kChunk = 128;       // a chunk of every operand stays in L1
constexpr int64_t kUnit = 1 << 14;    // elements between two looks at the clock
constexpr size_t kMaxOperands = 16;

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

// Calls visit(address) for the n elements from flat position `start` on.
template <class Visit>
void walk(const Operand& operand, const std::vector<int64_t>& shape, int64_t start, int64_t n, Visit visit) {
    const size_t rank = shape.size();
    std::vector<int64_t> at(rank);
    char* p = operand.data;
    for (size_t d = rank; d-- > 0; start /= shape[d]) {
        at[d] = start % shape[d];
        p += at[d] * operand.strides[d];
    }
    for (;;) {
        visit(reinterpret_cast<double*>(p));
        if (--n == 0) return;
        for (size_t d = rank; d-- > 0;) {
            p += operand.strides[d];
            if (++at[d] < shape[d]) break;
            p -= shape[d] * operand.strides[d];
            at[d] = 0;
        }
    }
}

}  // namespace

bool run_elementwise(Elementwise kernel, const std::vector<int64_t>& shape,
                     const std::vector<Operand>& in, const std::vector<Operand>& out, int threads,
                     const Poll& poll) {
    int64_t total = 1;
    for (const int64_t n : shape) total *= n;
    if (total == 0) return true;
    std::vector<Layout> in_layout, out_layout;
    for (const Operand& o : in) in_layout.push_back(layout_of(o, shape));
    for (const Operand& o : out) out_layout.push_back(layout_of(o, shape));

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
        for (int64_t start = unit * kUnit; start < end; start += kChunk) {
            const int64_t n = std::min(kChunk, end - start);
            for (size_t i = 0; i < in.size(); ++i) {
                sources[i] = in_buffer[i];
                if (in_layout[i] == Layout::contiguous) {
                    sources[i] = reinterpret_cast<const double*>(in[i].data) + start;
                } else if (in_layout[i] == Layout::strided) {
                    double* to = in_buffer[i];
                    walk(in[i], shape, start, n, [&to](const double* p) { *to++ = *p; });
                }
            }
            for (size_t i = 0; i < out.size(); ++i) {
                const bool direct = out_layout[i] == Layout::contiguous;
                targets[i] = direct ? reinterpret_cast<double*>(out[i].data) + start : out_buffer[i];
            }
            kernel(sources, targets, n);
            for (size_t i = 0; i < out.size(); ++i) {
                if (out_layout[i] == Layout::contiguous) continue;
                const double* from = out_buffer[i];
                walk(out[i], shape, start, n, [&from](double* p) { *p = *from++; });
            }
        }
    };
    return run_units((total + kUnit - 1) / kUnit, total < 4 * kUnit ? 1 : threads, work, poll);
}

}  // namespace hplaws
