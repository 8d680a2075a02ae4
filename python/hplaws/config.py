"""What this installation is made of."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np

from . import _backend
from ._errors import BackendError
from ._version import __version__


def describe() -> dict[str, Any]:
    """What `show_config` returns, without printing it."""
    import platform  # a slow import, and this function alone needs it

    native = _backend.native_module()
    cuda = _backend.cuda_module()
    return {
        "version": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": f"{sys.platform} {platform.machine()}",
        "compiler": native.core.compiler if native else None,
        "cuda_compiler": cuda.core.compiler if cuda else None,
        "cuda_architectures": cuda.core.architectures.split() if cuda else [],
        "isas_built": native.core.built_isas() if native else [],
        "isas_supported": native.core.supported_isas() if native else [],
        "isa": native.core.active_isa() if native else None,
        "backends": _backend.available(),
        "backend": _backend.default_name(),
        "threads": _backend.thread_count(None),
        "devices": [device["name"] for device in _backend.cuda_devices()[0]],
    }


def show_config() -> dict[str, Any]:
    """Print and return version, compiler, instruction sets, backends and devices.

    Returns
    -------
    dict with "version", "python", "numpy", "platform", "compiler" (None without the
    native core), "isas_built", "isas_supported", "isa" (in use), "cuda_compiler"
    (None without the CUDA backend), "cuda_architectures", "backends" (available, best
    first), "backend" (the default), "threads" (the default) and "devices" (CUDA's).

    Examples
    --------
    >>> info = show_config()  # doctest: +ELLIPSIS
    hplaws ...
    >>> info["backend"] in info["backends"]
    True
    """
    info = describe()
    print(f"hplaws {info['version']}")
    for label, text in _rows(info).items():
        print(f"  {label:<17} {text}")
    return info


def _rows(info: dict[str, Any]) -> dict[str, str]:
    def listed(names: list[str]) -> str:
        return ", ".join(names) or "none"

    return {
        "python": f"{info['python']}, numpy {info['numpy']}, {info['platform']}",
        "native core": info["compiler"] or "none: built without a C++ compiler",
        "instruction sets": f"built {listed(info['isas_built'])}; "
        f"supported {listed(info['isas_supported'])}; in use {info['isa'] or 'none'}",
        "CUDA": f"{info['cuda_compiler']}, {listed(info['cuda_architectures'])}"
        if info["cuda_compiler"]
        else "none: built without a CUDA toolkit",
        "backends": f"{listed(info['backends'])}; default {info['backend'] or 'none'}",
        "threads": str(info["threads"]),
        "devices": listed(info["devices"]),
    }


def get_include() -> str:
    """The directory to add to a compiler's include path for ``<hplaws/bound.hpp>``.

    BackendError where the package was built without a compiler.

    >>> import os
    >>> os.path.isfile(os.path.join(get_include(), "hplaws", "bound.hpp"))
    True
    """
    return _installed("include")


def get_cmake_dir() -> str:
    """The directory of ``hplaws-config.cmake``, for ``find_package(hplaws)``.

    BackendError where the package was built without a compiler.

    >>> import os
    >>> os.path.isfile(os.path.join(get_cmake_dir(), "hplaws-config.cmake"))
    True
    """
    return _installed("cmake")


def _installed(name: str) -> str:
    # An editable install has a second place, where the build's files went.
    for place in sys.modules[__package__].__path__:
        directory = os.path.join(place, name)
        if os.path.isdir(directory):
            return directory
    raise BackendError(
        "the C++ headers come with the native build, and this is a pure-Python one; "
        "install a C++ compiler and reinstall hplaws"
    )
