#include <pybind11/numpy.h>

#include "../cpu/elementwise.hpp"
#include "../cpu/features.hpp"
#include "register.hpp"

namespace hplaws {

namespace py = pybind11;

namespace {

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

// The kernel of `member` over inputs that broadcast to the outputs' shape.
void bind(py::module_& m, const char* name, Elementwise Kernels::* member, size_t n_in,
          size_t n_out) {
    m.def(
        name,
        [member, n_in, n_out](const py::tuple& in, const py::tuple& out, int threads) {
            if (in.size() != n_in || out.size() != n_out)
                throw py::value_error("wrong number of operands");
            const auto like = py::cast<py::array>(out[0]);
            const std::vector<int64_t> shape(like.shape(), like.shape() + like.ndim());
            std::vector<Operand> from, to;
            for (const auto& a : in) from.push_back(operand(py::cast<py::array>(a), shape, false));
            for (const auto& a : out) to.push_back(operand(py::cast<py::array>(a), shape, true));
            const py::gil_scoped_release release;
            run_elementwise(active_kernels().*member, shape, from, to, threads,
                            [] { return poll_interpreter(py::none(), 0.0); });
        },
        py::arg("inputs"), py::arg("outputs"), py::arg("threads"));
}

}  // namespace

void register_elementwise(py::module_& m) {
    m.attr("elementwise_threshold") = kElementwiseThreshold;
    bind(m, "risk", &Kernels::risk, 11, 1);
    bind(m, "positive_cubic_root", &Kernels::positive_cubic_root, 3, 1);
    bind(m, "cubic_roots", &Kernels::cubic_roots, 4, 3);
    bind(m, "stability_spectrum", &Kernels::stability_spectrum, 4, 4);
    bind(m, "theorem1_tokens", &Kernels::theorem1_tokens, 9, 6);
    bind(m, "theorem1_steps", &Kernels::theorem1_steps, 10, 6);
    bind(m, "theorem2", &Kernels::theorem2, 9, 6);
    bind(m, "theorem3", &Kernels::theorem3, 8, 6);
    bind(m, "theorem3_asymptotic", &Kernels::theorem3_asymptotic, 9, 6);
    bind(m, "optimum", &Kernels::optimum, 15, 9);
}

}  // namespace hplaws
