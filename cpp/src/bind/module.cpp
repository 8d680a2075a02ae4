#include "register.hpp"

#ifndef HPLAWS_VERSION
#error "the build defines HPLAWS_VERSION from python/hplaws/_version.py"
#endif

PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
    m.attr("__version__") = HPLAWS_VERSION;
    hplaws::register_configuration(m);
    hplaws::register_elementwise(m);
    hplaws::register_grid(m);
}
