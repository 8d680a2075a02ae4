"""show_config, the environment variables, and what is said when a part is missing."""

import importlib.metadata
import importlib.util
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import hplaws
from hplaws import _backend

BACKENDS = _backend.available()
NATIVE = pytest.mark.skipif("native" not in BACKENDS, reason="needs the native core")
NUMBA = pytest.mark.skipif("numba" not in BACKENDS, reason="needs Numba")

REPORT = """
import hplaws
best = hplaws.grid_argmin(hplaws.Bound.proxy(), [0.1, 0.2], 0.5, [1, 2], T=100{arguments})
info = hplaws.show_config()
print(best.backend, info["backend"], info["isa"], info["threads"])
"""


def last_line(done):
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()


def assert_raises(done, error, *parts):
    """The script ended with this error and a message that has all the parts."""
    assert done.returncode == 1
    message = done.stderr.splitlines()[-1]
    assert message.startswith(error), done.stderr
    for part in parts:
        assert part in message


# ---- show_config -----------------------------------------------------------------------------


def test_show_config_returns_and_prints(capsys):
    info = hplaws.show_config()
    printed = capsys.readouterr().out
    assert set(info) == {
        "version", "python", "numpy", "platform", "compiler", "isas_built", "isas_supported",
        "isa", "cuda_compiler", "cuda_architectures", "backends", "backend", "threads", "devices",
    }  # fmt: skip
    assert printed.startswith(f"hplaws {hplaws.__version__}\n")
    assert info["version"] == hplaws.__version__
    assert info["numpy"] == np.__version__
    assert info["backends"] == BACKENDS
    for said in (info["python"], info["numpy"], info["platform"], *info["backends"]):
        assert said in printed
    assert f"{info['threads']}\n" in printed


@NATIVE
def test_show_config_of_the_native_core(capsys):
    info = hplaws.show_config()
    assert info["compiler"] in capsys.readouterr().out
    assert info["isas_built"][0] == info["isas_supported"][0] == "baseline"
    assert set(info["isas_supported"]) <= set(info["isas_built"]) <= {"baseline", "avx2", "avx512"}
    assert info["isa"] in info["isas_supported"]


@NATIVE
def test_versions_agree():
    assert hplaws._core.__version__ == hplaws.__version__


def test_version_of_the_distribution():
    assert importlib.metadata.version("hplaws") == hplaws.__version__


@NATIVE
def test_installed_headers():
    assert (Path(hplaws.get_include()) / "hplaws" / "bound.hpp").is_file()
    assert (Path(hplaws.get_cmake_dir()) / "hplaws-config.cmake").is_file()


# ---- the environment, and the arguments that win over it ----------------------------------------


@pytest.mark.parametrize("name", BACKENDS)
def test_backend_variable(python, name):
    used, default, *_ = last_line(python(REPORT.format(arguments=""), HPLAWS_BACKEND=name))
    assert used == default == name


@pytest.mark.parametrize("name", BACKENDS)
def test_backend_argument_wins(python, name):
    script = REPORT.format(arguments=f", backend={name!r}")
    for variable in ("cuda", *BACKENDS):
        used, default, *_ = last_line(python(script, HPLAWS_BACKEND=variable))
        assert (used, default) == (name, variable)


def test_default_backend_is_the_best_there_is(python):
    for environment in ({}, {"HPLAWS_BACKEND": ""}):
        used, default, *_ = last_line(python(REPORT.format(arguments=""), **environment))
        assert used == default == BACKENDS[0]


def test_unknown_backend_variable(python):
    done = python(REPORT.format(arguments=""), HPLAWS_BACKEND="torch")
    assert_raises(done, "ValueError", "HPLAWS_BACKEND must be one of", "'torch'")


def test_threads_variable(python):
    *_, threads = last_line(python(REPORT.format(arguments=""), HPLAWS_NUM_THREADS="3"))
    assert threads == "3"
    *_, threads = last_line(python(REPORT.format(arguments="")))
    if hasattr(os, "sched_getaffinity"):
        assert 1 <= int(threads) <= len(os.sched_getaffinity(0))


@pytest.mark.parametrize("value", ["many", "0", "-1", "1.5"])
def test_bad_threads_variable(python, value):
    done = python(REPORT.format(arguments=""), HPLAWS_NUM_THREADS=value)
    assert_raises(done, "ValueError", "HPLAWS_NUM_THREADS must be", value)
    # An argument wins, so the variable is not even looked at.
    call = REPORT.format(arguments=", threads=1").partition("info =")[0]
    assert python(call, HPLAWS_NUM_THREADS=value).returncode == 0


@NATIVE
@pytest.mark.parametrize("isa", ["baseline", "avx2", "avx512"])
def test_isa_variable(python, isa):
    supported = hplaws._core.supported_isas()
    script = REPORT.format(arguments=", backend='native'")
    done = python(script, HPLAWS_ISA=isa)
    if isa in supported:
        assert last_line(done)[2] == isa
    else:
        assert_raises(done, "hplaws._errors.BackendError", f"HPLAWS_ISA={isa}", *supported)


@NATIVE
def test_unknown_isa_variable(python):
    done = python(REPORT.format(arguments=", backend='native'"), HPLAWS_ISA="sse9")
    assert_raises(done, "ValueError", "HPLAWS_ISA must be one of", "'sse9'")


# ---- what is missing says how to get it ---------------------------------------------------------

HIDE_NUMBA = "import sys; sys.modules['numba'] = None\n"


@pytest.fixture
def pure_python(tmp_path):
    """A copy of the package as it is installed without a compiler."""
    native_parts = shutil.ignore_patterns(
        "_core.*.so", "_core.*.pyd", "_cuda.*.so", "_cuda.*.pyd", "include", "cmake", "__pycache__"
    )
    shutil.copytree(Path(hplaws.__file__).parent, tmp_path / "hplaws", ignore=native_parts)
    return str(tmp_path)


def test_cuda_is_not_there(python):
    """Whichever of the two is missing here, the build or the device, the error says so."""
    script = """
import hplaws
hplaws.risk(hplaws.Bound.proxy(), 0.1, 0.5, 1, T=10, backend="cuda")
"""
    # Asked of a fresh interpreter: this one may have an emulated device by now.
    question = "from hplaws import _backend as b; print(len(b.cuda_devices()[0]), b.cuda_module())"
    devices, _, module = python(question).stdout.strip().partition(" ")
    if devices != "0":
        pytest.skip("there is a CUDA device")
    built = module != "None"
    said = "no device can be used here" if built else "HPLAWS_CUDA=ON"
    assert_raises(python(script), "hplaws._errors.BackendError", "no CUDA backend", said)
    hidden = "import sys; sys.modules['hplaws._cuda'] = None\n"
    assert_raises(python(hidden + script), "hplaws._errors.BackendError", "HPLAWS_CUDA=ON")


def test_numba_is_not_there(python):
    script = HIDE_NUMBA + REPORT.format(arguments=", backend='numba'")
    assert_raises(python(script), "hplaws._errors.BackendError", "pip install 'hplaws[numba]'")
    script = HIDE_NUMBA + REPORT.format(arguments="")
    done = python(script, HPLAWS_BACKEND="numba")
    assert_raises(done, "hplaws._errors.BackendError", "pip install 'hplaws[numba]'")
    listed = python(HIDE_NUMBA + "import hplaws; print(*hplaws.show_config()['backends'])")
    if "native" in BACKENDS:
        assert last_line(listed) == ["native"]


@NUMBA
def test_without_a_compiler_numba_does_the_work(python, pure_python):
    done = python(REPORT.format(arguments=""), PYTHONPATH=pure_python)
    assert last_line(done)[:3] == ["numba", "numba", "None"]
    assert "none: built without a C++ compiler" in done.stdout


def test_native_is_not_there(python, pure_python):
    for script, environment in (
        (REPORT.format(arguments=", backend='native'"), {}),
        (REPORT.format(arguments=""), {"HPLAWS_BACKEND": "native"}),
    ):
        done = python(script, PYTHONPATH=pure_python, **environment)
        assert_raises(done, "hplaws._errors.BackendError", "install a C++ compiler", "reinstall")
    done = python("import hplaws; hplaws.get_include()", PYTHONPATH=pure_python)
    assert_raises(done, "hplaws._errors.BackendError", "headers", "install a C++ compiler")


def test_no_backend_at_all(python, pure_python):
    done = python(HIDE_NUMBA + REPORT.format(arguments=""), PYTHONPATH=pure_python)
    assert_raises(done, "hplaws._errors.BackendError", "no backend", "pip install 'hplaws[numba]'")
    listed = python(HIDE_NUMBA + "import hplaws; hplaws.show_config()", PYTHONPATH=pure_python)
    assert listed.returncode == 0, listed.stderr
    assert "none; default none" in listed.stdout


def test_backend_error_is_a_runtime_error():
    assert issubclass(hplaws.BackendError, RuntimeError)
    assert importlib.util.find_spec("hplaws._errors") is not None
