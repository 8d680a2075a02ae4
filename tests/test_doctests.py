"""Every example in the documentation, one test each."""

import doctest
import importlib
import pkgutil

import pytest

import hplaws

COMPILED = "hplaws._core"


def modules():
    yield "hplaws"
    for module in pkgutil.walk_packages(hplaws.__path__, "hplaws."):
        if module.name != COMPILED:
            yield module.name


def examples():
    """One parameter a docstring with examples; a module without its extra is skipped."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in modules():
        try:
            module = importlib.import_module(name)
        except ImportError as missing:
            skip = pytest.mark.skip(reason=f"{name} cannot be imported here: {missing}")
            yield pytest.param(None, id=name, marks=skip)
            continue
        for test in finder.find(module, name):
            if test.examples:
                yield pytest.param(test, id=test.name)


@pytest.mark.parametrize("example", list(examples()))
def test_example(example):
    if example.name.endswith(("get_include", "get_cmake_dir")) and not hasattr(hplaws, "_core"):
        pytest.skip("the headers come with the native core")
    report = []
    results = doctest.DocTestRunner().run(example, out=report.append)
    assert results.attempted > 0
    assert results.failed == 0, "".join(report)
