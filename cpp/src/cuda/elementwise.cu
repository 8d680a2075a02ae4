#include "elementwise.hpp"

#include <algorithm>
#include <stdexcept>

#include "../formulas.hpp"
#include "launch.hpp"

namespace hplaws {
namespace cuda {
namespace {

// More axes than this must merge with their neighbours; NumPy's limit is 64, but a
// kernel's arguments fit in 4 KiB.
constexpr int kMaxRank = 12;

// The guards against overflow, only where it shows that one was missing.
struct GuardedRisk : Risk {
    HPLAWS_HD double at(const Coefficients& c, const double* const* in, int64_t k) {
        const double R = risk_or_not_finite(c, in[7][k], in[8][k], in[9][k], in[10][k]);
        return is_finite(R) ? R : Risk::at(c, in, k);
    }
};

// Elements of a thread: loads in flight hide the memory's latency where little is computed.
template <class Formula>
constexpr int kItems = 1;
template <>
constexpr int kItems<GuardedRisk> = 2;

// Blocks of 128 threads on a multiprocessor: 512 / kBlocks registers a thread.
template <class Formula>
constexpr int kResident = 5;
template <>
constexpr int kResident<Optimum> = 2;

// A plain call has a bound of numbers, and otherwise numbers and contiguous arrays: no
// strides to multiply by, which is worth it where memory is the limit.
template <class Formula, bool is_half, bool is_plain>
struct ElementwiseKernel {
    static constexpr int kThreads = 128, kBlocks = kResident<Formula>, kPhases = 1;
    static constexpr int kIn = Formula::kInputs, kOut = Formula::kOutputs;
    struct Shared {};
    struct Local {};

    struct Column {
        char* address;  // nullptr: number
        double number;
    };
    Column column[kIn + kOut];
    int64_t stride[kMaxRank][kIn + kOut];
    int64_t shape[kMaxRank];
    int64_t n;
    int rank;

    HPLAWS_INLINE int64_t passes(int64_t) const { return 1; }

    // Where element k stands in every column.
    HPLAWS_INLINE void locate(int64_t k, int64_t offset[kIn + kOut]) const {
        for (int i = 0; i < kIn + kOut; ++i) offset[i] = 0;
        // A plain call has one axis, and a rank that the compiler knows.
        for (int d = (is_plain ? 1 : rank) - 1; d > 0; --d) {
            // Divisions of 32 bits cost a fifth of those of 64.
            const bool narrow = n <= UINT32_MAX;
            const int64_t rest =
                narrow ? static_cast<uint32_t>(k) / static_cast<uint32_t>(shape[d]) : k / shape[d];
            const int64_t along = k - rest * shape[d];
            for (int i = 0; i < kIn + kOut; ++i) offset[i] += along * stride[d][i];
            k = rest;
        }
        for (int i = 0; i < kIn + kOut; ++i)
            offset[i] += k * (is_plain ? int64_t{sizeof(double)} : stride[0][i]);
    }

    HPLAWS_INLINE static void evaluate(const double* x, double* y) {
        const double* in[kIn];
        double* out[kOut];
        for (int i = 0; i < kIn; ++i) in[i] = x + i;
        for (int i = 0; i < kOut; ++i) out[i] = y + i;
        const typename Formula::Target to(out);
        if constexpr (Formula::kOfBound) {
            Coefficients c = coefficients(in, 0);
            if constexpr (is_half) c.q = 0.5;
            to.put(0, Formula::at(c, in, 0));
        } else {
            to.put(0, Formula::at(in, 0));
        }
    }

    HPLAWS_INLINE void phase(Phase<0>, const Place& at, Shared&, Local&) const {
        constexpr int items = kItems<Formula>;
        double x[items][kIn];
        int64_t offset[items][kIn + kOut];
        const int64_t first = at.block * kThreads * items + at.thread;
#if defined(__CUDA_ARCH__)
#pragma unroll
#endif
        for (int item = 0; item < items; ++item) {
            // Beyond the end the last element is computed again, and not stored.
            const int64_t k = first + item * kThreads;
            locate(k < n ? k : n - 1, offset[item]);
            for (int i = 0; i < kIn; ++i) {
                const Column& c = column[i];
                const bool is_number = is_plain && Formula::kOfBound && i < 7;
                x[item][i] = is_number || !c.address
                                 ? c.number
                                 : *reinterpret_cast<const double*>(c.address + offset[item][i]);
            }
        }
#if defined(__CUDA_ARCH__)
#pragma unroll
#endif
        for (int item = 0; item < items; ++item) {
            double y[kOut];
            evaluate(x[item], y);
            if (first + item * kThreads >= n) continue;
            for (int i = 0; i < kOut; ++i) {
                const int64_t to = offset[item][kIn + i];
                *reinterpret_cast<double*>(column[kIn + i].address + to) = y[i];
            }
        }
    }
};

// Axes that all operands run through like one become one; axes of length 1 go.
void merge_axes(std::vector<int64_t>& shape, std::vector<Operand*>& operands) {
    const auto erase = [&](size_t d) {
        shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(d));
        for (Operand* o : operands)
            o->strides.erase(o->strides.begin() + static_cast<std::ptrdiff_t>(d));
    };
    for (size_t d = shape.size(); d-- > 0;) {
        if (shape[d] == 1) erase(d);
    }
    for (size_t d = shape.size(); d-- > 1;) {
        const bool one = std::all_of(operands.begin(), operands.end(), [&](const Operand* o) {
            return o->strides[d - 1] == o->strides[d] * shape[d];
        });
        if (!one) continue;
        shape[d] *= shape[d - 1];
        erase(d - 1);
    }
}

bool is_plain(const std::vector<int64_t>& shape, const std::vector<Operand*>& operands) {
    if (shape.size() != 1) return false;
    for (size_t i = 0; i < operands.size(); ++i) {
        const Operand& o = *operands[i];
        if (o.address && (i < 7 || o.strides[0] != sizeof(double))) return false;
    }
    return true;
}

template <class Formula, bool is_half, bool is_plain>
void launch_formula(const std::vector<int64_t>& shape, const std::vector<Operand*>& operands,
                    int64_t n, cudaStream_t stream) {
    using Kernel = ElementwiseKernel<Formula, is_half, is_plain>;
    Kernel kernel = {};
    kernel.n = n;
    kernel.rank = static_cast<int>(shape.size());
    for (size_t d = 0; d < shape.size(); ++d) kernel.shape[d] = shape[d];
    for (size_t i = 0; i < operands.size(); ++i) {
        kernel.column[i] = {operands[i]->address, operands[i]->number};
        for (size_t d = 0; d < shape.size(); ++d) kernel.stride[d][i] = operands[i]->strides[d];
    }
    constexpr int64_t per_block = Kernel::kThreads * kItems<Formula>;
    const int64_t blocks = (n + per_block - 1) / per_block;
    constexpr int64_t kMostBlocks = int64_t{1} << 30;
    for (int64_t first = 0; first < blocks; first += kMostBlocks)
        launch(kernel, first, std::min(kMostBlocks, blocks - first), stream);
}

template <class Formula>
void run(std::vector<int64_t> shape, std::vector<Operand> in, std::vector<Operand> out,
         cudaStream_t stream) {
    int64_t n = 1;
    for (const int64_t length : shape) n *= length;
    if (n == 0) return;
    std::vector<Operand*> operands;
    for (std::vector<Operand>* side : {&in, &out})
        for (Operand& o : *side) operands.push_back(&o);
    merge_axes(shape, operands);
    if (shape.empty()) {
        shape.push_back(1);
        for (Operand* o : operands) o->strides.push_back(0);
    }
    if (shape.size() > kMaxRank) {
        throw std::invalid_argument("the arguments broadcast to more than " +
                                    std::to_string(kMaxRank) +
                                    " axes that do not merge; broadcast some to copies first");
    }
    // q = 1/2, the usual case, known to the compiler: b^-q becomes a square root.
    if constexpr (Formula::kOfBound) {
        const Operand& q = in[6];
        const bool is_half = !q.address && q.number == 0.5;
        if constexpr (kItems<Formula> > 1) {
            if (is_half && is_plain(shape, operands))
                return launch_formula<Formula, true, true>(shape, operands, n, stream);
        }
        if (is_half) return launch_formula<Formula, true, false>(shape, operands, n, stream);
    }
    launch_formula<Formula, false, false>(shape, operands, n, stream);
}

template <class Formula>
Function function(const char* name) {
    return {name, Formula::kInputs, Formula::kOutputs, run<Formula>};
}

}  // namespace

const std::vector<Function>& functions() {
    static const std::vector<Function> all = {
        function<GuardedRisk>("risk"),
        function<PositiveCubicRoot>("positive_cubic_root"),
        function<CubicRoots>("cubic_roots"),
        function<StabilitySpectrum>("stability_spectrum"),
        function<Theorem1Tokens>("theorem1_tokens"),
        function<Theorem1Steps>("theorem1_steps"),
        function<Theorem2>("theorem2"),
        function<Theorem3>("theorem3"),
        function<Theorem3Asymptotic>("theorem3_asymptotic"),
        function<Optimum>("optimum"),
    };
    return all;
}

}  // namespace cuda
}  // namespace hplaws
