"""The command line, mostly as a process of its own: exit codes, streams, files."""

import json
import os
import re
import subprocess
import sys

import pytest

import hplaws

typer = pytest.importorskip("typer")
pytest.importorskip("rich")


def hplaws_process(*arguments, script=None, **environment):
    start = ["-m", "hplaws"] if script is None else ["-c", script]
    inherited = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "FORCE_COLOR")}
    return subprocess.run(
        [sys.executable, *start, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**inherited, "PYTHONIOENCODING": "utf-8", **environment},
        timeout=120,
        check=False,
    )


def strict_json(text):
    def reject(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=reject)


def one_line(text):
    assert text.count("\n") == 1, text
    assert text.startswith("hplaws: ")
    return text


def missing(tmp_path, module):
    """A PYTHONPATH on which `module` cannot be imported."""
    package = tmp_path / "without" / module
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"raise ImportError('no {module}')\n")
    return str(package.parent)


# ---- verify ----


@pytest.mark.parametrize("terminal", [{}, {"COLUMNS": "60"}])
def test_verify_by_default_passes_and_is_readable_at_100_columns(terminal):
    done = hplaws_process("verify", **terminal)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "106,000,000 configurations" in done.stdout
    assert "bit for bit the same" in done.stdout
    assert "24 of 24 exponents agree" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert "…" not in done.stdout
    for row in (r"b +1/2 +0\.\d+ ± 0\.\d+ ", r"eta +-7/12 .* agrees\*", r"risk +-1/4 .* agrees "):
        assert re.search(row, done.stdout)


def test_verify_writes_json_and_figures(tmp_path):
    pytest.importorskip("matplotlib")
    file, directory = tmp_path / "verify.json", tmp_path / "new" / "figures"
    done = hplaws_process(
        "verify", "--points", "20", "--json", str(file), "--out", str(directory)
    )
    assert done.returncode == 0, done.stderr
    content = strict_json(file.read_text(encoding="utf-8"))
    assert content["passed"] is True
    assert content["dense_equals_pruned"] is True
    assert [s["figure"] for s in content["settings"]] == [1, 5, 6, 2, 7, 8, 9]
    files = sorted(directory.iterdir())
    assert [f.name for f in files] == [f"fig{n:02d}.png" for n in (1, 2, 5, 6, 7, 8, 9)]
    assert all(f.read_bytes().startswith(b"\x89PNG") for f in files)


def test_verify_exits_1_on_a_wrong_exponent(tmp_path):
    file = tmp_path / "verify.json"
    script = (
        "import sys; from fractions import Fraction\n"
        "from hplaws import verification; from hplaws.__main__ import main\n"
        "verification.LAWS[3]['b'] = Fraction(1, 4)\n"
        "sys.exit(main())"
    )
    done = hplaws_process("verify", "--points", "30", "--json", str(file), script=script)
    assert done.returncode == 1, done.stderr
    assert "23 of 24 exponents agree" in done.stdout
    assert "FAILED" in done.stdout
    verdicts = {
        (s["theorem"], c["quantity"])
        for s in strict_json(file.read_text(encoding="utf-8"))["settings"]
        for c in s["comparisons"]
        if c["verdict"] == "disagrees"
    }
    assert verdicts == {(3, "b")}


def test_verify_exits_1_where_the_window_is_too_short():
    done = hplaws_process("verify", "--points", "5")
    assert done.returncode == 1
    assert done.stderr == ""
    assert "too short" in done.stdout
    assert "budgets, needs" in done.stdout


# ---- refusals ----


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["verify", "--points", "1"], "'--points'"),
        (["verify", "--points", "many"], "'--points'"),
        (["verify", "--json", "no/such/directory/x.json"], "no directory"),
        (["verify", "--json", "."], "'--json'"),
        (["verify", "--out", __file__], "'--out'"),
        (["verify", "extra"], "extra"),
        (["verify", "--speed"], "--speed"),
        (["verification"], "verification"),
    ],
)
def test_bad_arguments_get_one_line_and_exit_2(capsys, arguments, says):
    from hplaws.cli import run

    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert says in one_line(captured.err)
    assert captured.out == ""


@pytest.mark.parametrize(
    ("variable", "value"),
    [("HPLAWS_BACKEND", "cuda"), ("HPLAWS_BACKEND", "abacus"), ("HPLAWS_NUM_THREADS", "two")],
)
def test_a_bad_environment_gets_one_line_and_exit_2(capsys, monkeypatch, variable, value):
    from hplaws.cli import run

    monkeypatch.setenv(variable, value)
    assert run(["verify", "--points", "10"]) == 2
    one_line(capsys.readouterr().err)


@pytest.mark.parametrize("module", ["typer", "rich"])
def test_without_the_cli_extra_one_line_names_the_cure(tmp_path, module):
    done = hplaws_process("config", PYTHONPATH=missing(tmp_path, module))
    assert done.returncode == 2
    assert "pip install 'hplaws[cli]'" in one_line(done.stderr)
    assert done.stdout == ""


def test_without_the_plot_extra_only_figures_are_refused(tmp_path):
    path = missing(tmp_path, "matplotlib")
    directory = tmp_path / "figures"
    done = hplaws_process("verify", "--out", str(directory), PYTHONPATH=path)
    assert done.returncode == 2
    assert "pip install 'hplaws[plot]'" in one_line(done.stderr)
    assert not directory.exists()
    assert hplaws_process("verify", "--points", "20", PYTHONPATH=path).returncode == 0


# ---- the rest ----


def test_config_in_words_and_as_json(capsys):
    from hplaws.cli import run

    info = hplaws.show_config()
    shown = capsys.readouterr().out
    assert run(["config"]) == 0
    assert capsys.readouterr().out == shown
    assert run(["config", "--json"]) == 0
    assert strict_json(capsys.readouterr().out) == info


def test_version(capsys):
    from hplaws.cli import run

    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"hplaws {hplaws.__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["--help"], ["verify", "--help"], ["config", "-h"]])
def test_help_shows_an_example(capsys, arguments):
    from hplaws.cli import run

    assert run(arguments) == 0
    assert "Example: hplaws" in " ".join(capsys.readouterr().out.split())
