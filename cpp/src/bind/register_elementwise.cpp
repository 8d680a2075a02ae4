#include <pybind11/numpy.h>

#include "../cpu/elementwise.hpp"
#include "../cpu/features.hpp"
#include "../formulas.hpp"
#include "register.hpp"

namespace hplaws {

namespace py = pybind11;

namespace {

// The outputs at inputs that are all Python floats, else None: a single element is over
// before an array for it would be made.
py::object at_numbers(const Elementwise& kernel, const py::tuple& in, size_t n_out) {
    double from[kMaxOperands], to[kMaxOperands];
    const double* sources[kMaxOperands];
    double* targets[kMaxOperands];
    for (size_t i = 0; i < in.size(); ++i) {
        PyObject* x = PyTuple_GET_ITEM(in.ptr(), static_cast<py::ssize_t>(i));
        if (!PyFloat_Check(x)) return py::none();
        from[i] = PyFloat_AS_DOUBLE(x);
        sources[i] = from + i;
    }
    for (size_t i = 0; i < n_out; ++i) targets[i] = to + i;
    kernel.loop(sources, targets, 1);
    py::tuple out(n_out);
    for (size_t i = 0; i < n_out; ++i) out[i] = py::float_(to[i]);
    return out;
}

// `a` as seen from the shape it broadcasts to: stride 0 along what it lacks.
Operand operand(py::array a, const std::vector<int64_t>& shape, bool written) {
    if (!py::isinstance<py::array_t<double>>(a)) throw py::type_error("operands are float64");
    const size_t rank = static_cast<size_t>(a.ndim());
    if (rank > shape.size()) throw py::value_error("operand of too many dimensions");
    Operand o;
    o.data = static_cast<char*>(written ? a.mutable_data() : const_cast<void*>(a.data()));
    o.strides.assign(shape.size(), 0);
    for (size_t d = 0; d < rank; ++d) {
        const size_t to = shape.size() - rank + d;
        if (a.shape(d) == shape[to]) o.strides[to] = a.strides(d);
        else if (a.shape(d) != 1) throw py::value_error("operands do not broadcast");
    }
    return o;
}

// The kernel over inputs, arrays or Python floats, that broadcast to the outputs' shape.
void at_arrays(const Elementwise& kernel, const py::tuple& in, const py::tuple& out, int threads) {
    const auto like = py::cast<py::array>(out[0]);
    const std::vector<int64_t> shape(like.shape(), like.shape() + like.ndim());
    double numbers[kMaxOperands];
    std::vector<Operand> from, to;
    from.reserve(in.size());
    to.reserve(out.size());
    for (const auto& a : in) {
        if (PyFloat_Check(a.ptr())) {
            double& x = numbers[from.size()] = PyFloat_AS_DOUBLE(a.ptr());
            from.push_back({reinterpret_cast<char*>(&x), std::vector<int64_t>(shape.size(), 0)});
        } else {
            from.push_back(operand(py::cast<py::array>(a), shape, false));
        }
    }
    for (const auto& a : out) to.push_back(operand(py::cast<py::array>(a), shape, true));
    const py::none progress;
    const py::gil_scoped_release release;
    run_elementwise(kernel, shape, from, to, threads,
                    [&progress] { return poll_interpreter(progress, 0.0); });
}

template <class Formula>
void bind(py::module_& m, const char* name, Elementwise Kernels::* member) {
    constexpr size_t n_in = Formula::kInputs, n_out = Formula::kOutputs;
    const auto check = [](const py::tuple& operands, size_t count) {
        if (operands.size() != count) throw py::value_error("wrong number of operands");
    };
    m.def(
        name,
        [=](const py::tuple& in) {
            check(in, n_in);
            return at_numbers(active_kernels().*member, in, n_out);
        },
        py::arg("inputs"));
    m.def(
        name,
        [=](const py::tuple& in, const py::tuple& out, int threads) {
            check(in, n_in);
            check(out, n_out);
            at_arrays(active_kernels().*member, in, out, threads);
        },
        py::arg("inputs"), py::arg("outputs"), py::arg("threads"));
}

}  // namespace

void register_elementwise(py::module_& m) {
    m.attr("elementwise_threshold") = kElementwiseThreshold;
    bind<Risk>(m, "risk", &Kernels::risk);
    bind<PositiveCubicRoot>(m, "positive_cubic_root", &Kernels::positive_cubic_root);
    bind<CubicRoots>(m, "cubic_roots", &Kernels::cubic_roots);
    bind<StabilitySpectrum>(m, "stability_spectrum", &Kernels::stability_spectrum);
    bind<Theorem1Tokens>(m, "theorem1_tokens", &Kernels::theorem1_tokens);
    bind<Theorem1Steps>(m, "theorem1_steps", &Kernels::theorem1_steps);
    bind<Theorem2>(m, "theorem2", &Kernels::theorem2);
    bind<Theorem3>(m, "theorem3", &Kernels::theorem3);
    bind<Theorem3Asymptotic>(m, "theorem3_asymptotic", &Kernels::theorem3_asymptotic);
    bind<Optimum>(m, "optimum", &Kernels::optimum);
}

}  // namespace hplaws
