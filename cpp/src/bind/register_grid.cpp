#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <array>

#include "../cpu/grid.hpp"
#include "register.hpp"

namespace hplaws {

namespace py = pybind11;

namespace {

using Input = py::array_t<double, py::array::c_style>;

Values values(const Input& a) { return {a.data(), a.size()}; }

template <class T>
T* output(const py::object& a, int64_t size) {
    if (a.is_none()) return nullptr;
    auto array = py::cast<py::array_t<T, py::array::c_style>>(a);
    if (array.ptr() != a.ptr() || array.size() != size)
        throw py::value_error("unsuitable output array");
    return array.mutable_data();
}

}  // namespace

void register_grid(py::module_& m) {
    m.def(
        "grid_argmin",
        [](const Input& bounds, const Input& alpha, const Input& b, const Input& eta,
           const Input& budget, bool budget_is_steps, std::array<bool, 3> over, bool dense,
           int threads, const py::object& progress, const py::object& risk,
           const std::array<py::object, 3>& index, const std::array<py::object, 3>& value,
           const py::object& at_edge) {
            if (bounds.ndim() != 2 || bounds.shape(1) != 7)
                throw py::value_error("bounds has shape (n, 7)");
            GridRequest q;
            const auto c = bounds.unchecked<2>();
            for (py::ssize_t i = 0; i < bounds.shape(0); ++i) {
                q.bounds.push_back({c(i, 0), c(i, 1), c(i, 2), c(i, 3), c(i, 4), c(i, 5), c(i, 6)});
            }
            const Values axes[] = {values(alpha), values(b), values(eta)};
            q.budget = values(budget);
            q.budget_is_steps = budget_is_steps;
            q.dense = dense;
            q.threads = threads;
            int64_t cells = bounds.shape(0) * q.budget.size;
            for (int a = 0; a < 3; ++a) {
                q.axis[a] = axes[a];
                q.over[a] = over[a];
                if (!over[a]) cells *= axes[a].size;
            }
            GridResult out;
            out.risk = output<double>(risk, cells);
            out.at_edge = output<bool>(at_edge, cells);
            for (int a = 0; a < 3; ++a) {
                out.index[a] = output<int64_t>(index[a], cells);
                out.value[a] = output<double>(value[a], cells);
                if (over[a] && !(out.index[a] && out.value[a]))
                    throw py::value_error("missing output array");
            }
            if (!out.risk || !out.at_edge) throw py::value_error("missing output array");
            const py::gil_scoped_release release;
            grid_argmin(q, out,
                        [&](double fraction) { return poll_interpreter(progress, fraction); });
        },
        py::arg("bounds"), py::arg("alpha"), py::arg("b"), py::arg("eta"), py::arg("budget"),
        py::arg("budget_is_steps"), py::arg("over"), py::arg("dense"), py::arg("threads"),
        py::arg("progress"), py::arg("risk"), py::arg("index"), py::arg("value"),
        py::arg("at_edge"));
}

}  // namespace hplaws
