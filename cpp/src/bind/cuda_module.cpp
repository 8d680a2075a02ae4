// _cuda: the device's side of elementwise and grid_argmin, on addresses that Python's side
// has checked, allocated and kept alive.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <array>
#include <functional>

#include "../cuda/device.hpp"
#include "../cuda/elementwise.hpp"
#include "../cuda/grid.hpp"

#ifndef HPLAWS_VERSION
#error "the build defines HPLAWS_VERSION from python/hplaws/_version.py"
#endif

namespace hplaws {
namespace {

namespace py = pybind11;

cudaStream_t stream_of(intptr_t handle) { return reinterpret_cast<cudaStream_t>(handle); }

template <class T>
T* pointer(intptr_t address) {
    return reinterpret_cast<T*>(address);
}

// A number, or (address, strides in bytes by axis of the common shape).
cuda::Operand operand(const py::handle& given, size_t rank) {
    if (!py::isinstance<py::tuple>(given))
        return {nullptr, given.cast<double>(), std::vector<int64_t>(rank)};
    const auto [address, strides] = given.cast<std::pair<intptr_t, std::vector<int64_t>>>();
    if (strides.size() != rank) throw py::value_error("one stride for each axis");
    return {pointer<char>(address), 0.0, strides};
}

// Memory of a device, for arrays that live on the host. CUDA may block in any of these,
// and what it waits for may need the GIL.
class HostCopy {
public:
    HostCopy(int64_t bytes, int device, intptr_t stream)
        : device(device), stream(stream_of(stream)) {
        const py::gil_scoped_release release;
        const cuda::Current current(device);
        memory = cuda::Array<char>(bytes, this->stream);
    }
    ~HostCopy() {
        const py::gil_scoped_release release;
        try {
            const cuda::Current current(device);
            memory = cuda::Array<char>();
        } catch (const std::exception&) {
            memory.forget();  // in a forked child it is the parent's
        }
    }
    intptr_t address() const { return reinterpret_cast<intptr_t>(memory.data()); }
    void write(const py::array& from) {
        require(from);
        const void* const data = from.data();
        const int64_t n = from.nbytes();
        const py::gil_scoped_release release;
        const cuda::Current current(device);
        cuda::upload(memory.data(), data, n, stream);
    }
    void read(py::array to) const {
        require(to);
        void* const data = to.mutable_data();
        const int64_t n = to.nbytes();
        const py::gil_scoped_release release;
        const cuda::Current current(device);
        cuda::download(data, memory.data(), n, stream);
    }

private:
    int device;
    cudaStream_t stream;
    cuda::Array<char> memory;

    void require(const py::array& a) const {
        if (!(a.flags() & py::array::c_style) || a.nbytes() > memory.size())
            throw py::value_error("a contiguous array that fits");
    }
};

void poll(const py::object& progress, double fraction) {
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (!progress.is_none()) progress(fraction);
}

void bind_elementwise(py::module_& m, const cuda::Function& f) {
    m.def(
        f.name,
        [f](const std::vector<int64_t>& shape, const py::tuple& in, const py::tuple& out,
            int device, intptr_t stream) {
            if (in.size() != f.inputs || out.size() != f.outputs)
                throw py::value_error("wrong number of operands");
            std::vector<cuda::Operand> from, to;
            for (const auto& o : in) from.push_back(operand(o, shape.size()));
            for (const auto& o : out) to.push_back(operand(o, shape.size()));
            const py::gil_scoped_release release;
            const cuda::Current current(device);
            f.run(shape, from, to, stream_of(stream));
        },
        py::arg("shape"), py::arg("inputs"), py::arg("outputs"), py::arg("device"),
        py::arg("stream"));
}

using Axes = py::array_t<double, py::array::c_style>;
using Addresses = std::array<intptr_t, 3>;

Values values(const Axes& a) { return {a.data(), a.size()}; }

void grid_argmin(const Axes& bounds, const Axes& alpha, const Axes& b, const Axes& eta,
                 const Axes& budget, bool budget_is_steps, std::array<bool, 3> over, bool dense,
                 const py::object& progress, intptr_t risk, const Addresses& index,
                 const Addresses& value, intptr_t at_edge, int device, intptr_t stream) {
    if (bounds.ndim() != 2 || bounds.shape(1) != 7)
        throw py::value_error("bounds has shape (n, 7)");
    GridRequest q;
    const auto c = bounds.unchecked<2>();
    for (py::ssize_t i = 0; i < bounds.shape(0); ++i)
        q.bounds.push_back({c(i, 0), c(i, 1), c(i, 2), c(i, 3), c(i, 4), c(i, 5), c(i, 6)});
    const Values axes[] = {values(alpha), values(b), values(eta)};
    GridResult out;
    for (int a = 0; a < 3; ++a) {
        q.axis[a] = axes[a];
        q.over[a] = over[static_cast<size_t>(a)];
        out.index[a] = pointer<int64_t>(index[static_cast<size_t>(a)]);
        out.value[a] = pointer<double>(value[static_cast<size_t>(a)]);
    }
    q.budget = values(budget);
    q.budget_is_steps = budget_is_steps;
    q.dense = dense;
    q.threads = 1;
    out.risk = pointer<double>(risk);
    out.at_edge = pointer<bool>(at_edge);
    const py::gil_scoped_release release;
    const cuda::Current current(device);
    cuda::grid_argmin(q, out, cuda::multiprocessors(device), stream_of(stream),
                      [&](double fraction) { poll(progress, fraction); });
}

}  // namespace
}  // namespace hplaws

PYBIND11_MODULE(_cuda, m, pybind11::mod_gil_not_used()) {
    using namespace hplaws;
    using namespace pybind11::literals;
    m.attr("__version__") = HPLAWS_VERSION;
    m.attr("compiler") = HPLAWS_COMPILER;
    m.attr("architectures") = HPLAWS_ARCHITECTURES;
    // Never released: at exit there may be no interpreter left to release it to.
    static const py::handle device_error =
        py::exception<cuda::DeviceError>(m, "DeviceError", PyExc_RuntimeError).release();
    py::register_local_exception_translator([](std::exception_ptr p) {
        try {
            if (p) std::rethrow_exception(p);
        } catch (const cuda::OutOfMemory& e) {
            py::set_error(PyExc_MemoryError, e.what());
        } catch (const cuda::DeviceError& e) {
            py::set_error(device_error, e.what());
        }
    });
    m.def("devices", [] {
        std::string why_none;
        py::list found;
        for (const cuda::Device& d : cuda::devices(why_none)) {
            found.append(py::dict("number"_a = d.number, "name"_a = d.name,
                                  "compute_capability"_a = py::make_tuple(d.major, d.minor),
                                  "multiprocessors"_a = d.multiprocessors, "memory"_a = d.memory));
        }
        return py::make_tuple(found, why_none);
    });
    py::class_<HostCopy>(m, "HostCopy")
        .def(py::init<int64_t, int, intptr_t>(), py::arg("bytes"), py::arg("device"),
             py::arg("stream"))
        .def_property_readonly("address", &HostCopy::address)
        .def("write", &HostCopy::write, py::arg("array"))
        .def("read", &HostCopy::read, py::arg("array"));
    for (const cuda::Function& f : cuda::functions()) bind_elementwise(m, f);
    m.def("grid_argmin", &grid_argmin, py::arg("bounds"), py::arg("alpha"), py::arg("b"),
          py::arg("eta"), py::arg("budget"), py::arg("budget_is_steps"), py::arg("over"),
          py::arg("dense"), py::arg("progress"), py::arg("risk"), py::arg("index"),
          py::arg("value"), py::arg("at_edge"), py::arg("device"), py::arg("stream"));
}
