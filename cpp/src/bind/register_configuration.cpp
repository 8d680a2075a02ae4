#include <pybind11/stl.h>

#include "../cpu/features.hpp"
#include "register.hpp"

namespace hplaws {

namespace py = pybind11;

bool poll_interpreter(const py::object& progress, double fraction) {
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (!progress.is_none()) progress(fraction);
    return true;
}

void register_configuration(py::module_& m) {
    m.attr("compiler") = HPLAWS_COMPILER;
    m.def("built_isas", &built_isas);
    m.def("supported_isas", &supported_isas);
    m.def("active_isa", [] { return std::string(active_kernels().name); });
    m.def("select_isa", &select_isa, py::arg("name"));
}

}  // namespace hplaws
