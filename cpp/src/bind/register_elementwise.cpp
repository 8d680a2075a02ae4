#include <pybind11/numpy.h>

#include "../cpu/elementwise.hpp"
#include "../cpu/features.hpp"
#include "register.hpp"

namespace hplaws {

namespace py = pybind11;

namespace {

Operand operand(py::array a, const py::array& like, bool written) {
    if (!a.dtype().is(py::dtype::of<double>())) throw py::type_error("operands are float64");
    if (a.ndim() != like.ndim()) throw py::value_error("operands share one shape");
    Operand o;
    o.data = static_cast<char*>(written ? a.mutable_data() : const_cast<void*>(a.data()));
    for (py::ssize_t d = 0; d < a.ndim(); ++d) {
        if (a.shape(d) != like.shape(d)) throw py::value_error("operands share one shape");
        o.strides.push_back(a.strides(d));
    }
    return o;
}

// The kernel of `member` over inputs and outputs broadcast to one shape.
void bind(py::module_& m, const char* name, Elementwise Kernels::* member, size_t n_in, size_t n_out) {
    m.def(
        name,
        [member, n_in, n_out](const py::tuple& in, const py::tuple& out, int threads) {
            if (in.size() != n_in || out.size() != n_out) throw py::value_error("wrong number of operands");
            std::vector<py::array> arrays;
            for (const auto& a : in) arrays.push_back(py::cast<py::array>(a));
            for (const auto& a : out) arrays.push_back(py::cast<py::array>(a));
            std::vector<Operand> from, to;
            for (size_t i = 0; i < arrays.size(); ++i) {
                (i < n_in ? from : to).push_back(operand(arrays[i], arrays[0], i >= n_in));
            }
            const std::vector<int64_t> shape(arrays[0].shape(), arrays[0].shape() + arrays[0].ndim());
            const py::gil_scoped_release release;
            run_elementwise(active_kernels().*member, shape, from, to, threads,
                            [] { return poll_interpreter(py::none(), 0.0); });
        },
        py::arg("inputs"), py::arg("outputs"), py::arg("threads"));
}

}  // namespace

void register_elementwise(py::module_& m) {
    bind(m, "risk", &Kernels::risk, 11, 1);
    bind(m, "positive_cubic_root", &Kernels::positive_cubic_root, 3, 1);
    bind(m, "cubic_roots", &Kernels::cubic_roots, 4, 3);
    bind(m, "theorem1_tokens", &Kernels::theorem1_tokens, 9, 6);
    bind(m, "theorem1_steps", &Kernels::theorem1_steps, 10, 6);
    bind(m, "theorem2", &Kernels::theorem2, 9, 6);
    bind(m, "theorem3", &Kernels::theorem3, 8, 6);
    bind(m, "theorem3_asymptotic", &Kernels::theorem3_asymptotic, 9, 6);
}

}  // namespace hplaws
