"""The command line, mostly as a process of its own: exit codes, streams, files."""

import dataclasses
import json
import os
import re
import subprocess
import sys
import types

import pytest

import hplaws
from hplaws.optimum import optimum

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
    done = hplaws_process("verify", "--points", "20", "--json", str(file), "--out", str(directory))
    assert done.returncode == 0, done.stderr
    content = strict_json(file.read_text(encoding="utf-8"))
    assert content["passed"] is True
    assert content["dense_equals_pruned"] is True
    assert [s["figure"] for s in content["settings"]] == [1, 5, 6, 2, 7, 8, 9]
    files = sorted(directory.iterdir())
    assert [f.name for f in files] == [f"fig{n:02d}.png" for n in (1, 2, *range(4, 12))]
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


CLAIMS = [
    ("T1", "Section 3, Theorem 1", "the optimum [of eq. 5] is b ~ T**(1/2)", "holds", "0.50001"),
    ("eq40-strict", "App. B.5", "the rate is below 1/4", "fails", "phi = 0.5 gives 0.25 " * 9),
    ("CB4.3", "note 4", "a factor of at most 2", "imprecise", "[bold]2.0003[/bold]"),
    ("CB4.4", "note 4", "b_crit is positive", "holds", "smallest of 1000: 3e-9"),
]


@pytest.fixture
def audit(monkeypatch):
    """An audit in the place of the real one, which takes its time and has tests of its own."""
    fields = ("id", "source", "statement", "verdict", "evidence")
    claim = dataclasses.make_dataclass("Claim", fields)
    module = types.ModuleType("hplaws.claims")
    module.check_all = lambda: [claim(*values) for values in CLAIMS]
    monkeypatch.setitem(sys.modules, "hplaws.claims", module)


@pytest.mark.usefixtures("audit")
def test_claims_that_fail_are_reported_and_do_not_change_the_exit_code(capsys, tmp_path):
    from hplaws.cli import run

    file = tmp_path / "verify.json"
    assert run(["verify", "--points", "20", "--claims", "--json", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "24 of 24 exponents agree" in shown
    assert "4 claims: 2 holds, 1 imprecise, 1 fails" in shown
    assert max(map(len, shown.splitlines())) <= 100
    words = " ".join(shown.split())
    assert "[of eq. 5]" in words  # not taken for Rich's markup
    assert "[bold]2.0003[/bold]" in words
    assert shown.count("phi") == 9
    found = strict_json(file.read_text(encoding="utf-8"))["claims"]
    assert [tuple(claim.values()) for claim in found] == CLAIMS


def test_claims_are_checked_only_where_asked(tmp_path):
    file = tmp_path / "verify.json"
    script = (
        "import sys; from hplaws.__main__ import main; code = main()\n"
        "assert 'hplaws.claims' not in sys.modules; sys.exit(code)"
    )
    done = hplaws_process("verify", "--points", "20", "--json", str(file), script=script)
    assert done.returncode == 0, done.stderr
    assert "claims" not in strict_json(file.read_text(encoding="utf-8"))


# ---- solve ----

NONCONVEX = ("--delta0", "5", "--L", "20", "--rho", "1", "--sigma", "40")
PROXY = ("--C1", "1", "--C2", "2", "--C3", "0.5")
RAW = ("--descent", "1", "--noise", "2", "--drift", "3", "--lag", "4")
BOUNDS = {
    NONCONVEX: hplaws.Bound.nonconvex(delta0=5, L=20, rho=1, sigma=40),
    PROXY: hplaws.Bound.proxy(C1=1, C2=2, C3=0.5),
    RAW: hplaws.Bound(descent=1, noise=2, drift=3, lag=4),
}


@pytest.mark.parametrize(
    ("options", "limits", "active"),
    [
        ([], {}, {}),
        (["--beta", "0.95"], {"alpha": 1 - 0.95}, {"alpha": "fixed"}),
        (
            ["--alpha", "0.05", "--b-max", "7"],
            {"alpha": 0.05, "b": (1, 7)},
            {"alpha": "fixed", "b": "upper"},
        ),
        (["--eta-max", "1e-12"], {"eta": (0, 1e-12)}, {"eta": "upper"}),
        (
            ["--eta-min", "0.5", "--b-min", "3"],
            {"eta": (0.5, None), "b": (3, None)},
            {"eta": "lower"},
        ),
        (["--alpha-min", "0.5", "--alpha-max", "0.7"], {"alpha": (0.5, 0.7)}, {"alpha": "lower"}),
        (["--b", "24"], {"b": 24}, {"b": "fixed"}),
        (["--b-max", "1e30"], {}, {}),
        (["--batch-multiple", "12"], {"batch_multiple": 12}, {}),
    ],
)
@pytest.mark.parametrize("constants", BOUNDS, ids=["nonconvex", "proxy", "raw"])
def test_solve_is_optimum(capsys, constants, options, limits, active):
    from hplaws.cli import run

    best = optimum(BOUNDS[constants], 1e11, **limits)
    assert run(["solve", "--T", "1e11", *constants, *options, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    found = strict_json(captured.out)
    for name in ("eta", "alpha", "b", "K", "T", "risk"):
        assert found[name] == getattr(best, name)
    assert found["beta"] == 1 - best.alpha
    assert hplaws.Bound(**found["bound"]) == BOUNDS[constants]
    codes = {"lower": -1, "none": 0, "upper": 1, "fixed": 2}
    assert {name: codes[limit] for name, limit in found["active"].items()} == best.active
    assert active.items() <= found["active"].items()


def test_solve_takes_the_rest_of_the_bound(capsys):
    from hplaws.cli import run

    others = ["--q", "0.4", "--burn-in", "0.5", "--init-error", "3"]
    assert run(["solve", "--T", "1e9", *RAW, *others, "--json"]) == 0
    found = strict_json(capsys.readouterr().out)
    bound = hplaws.Bound(1, 2, 3, 4, burn_in=0.5, init_error=3, q=0.4)
    assert hplaws.Bound(**found["bound"]) == bound
    assert found["risk"] == optimum(bound, 1e9).risk


@pytest.mark.parametrize("terminal", [{}, {"COLUMNS": "40"}])
def test_solve_prints_a_table(terminal):
    done = hplaws_process(
        "solve", "--T", "1e11", *NONCONVEX, "--beta", "0.95", "--b-max", "4096", **terminal
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for row in (
        r"learning rate eta +1\.53428e-05",
        r"momentum beta = 1 - alpha +0\.95 ",
        r"momentum update alpha +0\.05 +fixed",
        r"batch size b +4,096 +upper",
        r"steps K = T/b +2\.44141e\+07",
        r"risk +0\.306206",
    ):
        assert re.search(row, done.stdout), row


# ---- transfer ----

TUNED = ("--eta", "0.01", "--b", "64", "--from", "1e9")


@pytest.mark.parametrize(
    ("options", "eta", "alpha", "b", "clamped"),
    [
        # By hand from Table 2, T1/T0 = 16: 16**-1/2, 16**-3/4, 16**-1/4.
        (["--alpha", "0.1"], 0.01 / 4, 0.1, 64, []),
        (["--alpha", "0.1", "--regime", "B"], 0.01 / 8, 0.1 / 4, 64, []),
        (["--beta", "0.9", "--regime", "C"], 0.01 / 2, 0.1, 64 * 4, []),
        (
            ["--alpha", "0.1", "--regime", "D"],
            0.01 * 16 ** (-7 / 12),
            0.1 * 16 ** (-1 / 3),
            64 * 16 ** (1 / 6),
            [],
        ),
        (["--alpha", "0.1", "--b1", "256"], 0.01 / 2, 0.1, 256, []),
        (["--regime", "SGD"], 0.01 / 4, 1.0, 64, []),
        # alpha = 0.1 * 80 / 4 = 2, clamped to 1; eta = 0.01 * sqrt(80 * 10 / 16) (eq. 12).
        (["--alpha", "0.1", "--b1", "5120", "--regime", "B"], 0.01 * 50**0.5, 1.0, 5120, ["alpha"]),
    ],
)
def test_transfer_by_hand(capsys, options, eta, alpha, b, clamped):
    from hplaws.cli import run

    arguments = ["transfer", *TUNED, "--to", "16e9", *options]
    assert run([*arguments, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    found = strict_json(captured.out)
    expected = {"eta": eta, "beta": 1 - alpha, "alpha": alpha, "b": b, "K": 16e9 / b, "T": 16e9}
    assert found["to"] == pytest.approx(expected, rel=1e-12)
    assert found["from"]["K"] == 1e9 / 64
    assert [name for name, was in found["clamped"].items() if was] == clamped
    assert run(arguments) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert ("note: alpha clamped to 1" in captured.out) == bool(clamped)


def test_transfer_says_in_a_table_what_it_clamped():
    done = hplaws_process(
        "transfer",
        "--eta",
        "0.01",
        "--beta",
        "0.9",
        "--b",
        "2",
        "--from",
        "1e9",
        "--to",
        "1e5",
        "--regime",
        "D",
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for row in (
        r"regime D",
        r"momentum update alpha +0\.1 +1 +clamped",
        r"batch size b +2 +1 +clamped",
        r"token budget T +1e\+09 +100,000",
        r"note: alpha clamped",
        r"note: b clamped",
    ):
        assert re.search(row, done.stdout), row


# ---- refusals ----

SOLVE = ("solve", "--T", "1e6")
TRANSFER = ("transfer", *TUNED, "--to", "1e10")


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
        (["solve", *PROXY], "'--T'"),
        (["solve", "--T", "0", *PROXY], "'--T': 0 is not positive and finite"),
        (["solve", "--T", "nan", *PROXY], "'--T': nan is not"),
        (["solve", "--T", "0.5", *PROXY], "b: nothing lies between 1 and 0.5"),
        (SOLVE, "of one family: --delta0 --L --rho --sigma, or --C1 --C2 --C3, or --descent"),
        ([*SOLVE, *PROXY, *RAW], "of one family"),
        ([*SOLVE, *PROXY, "--lag", "1"], "of one family"),
        ([*SOLVE, "--L", "1", "--rho", "1"], "missing: --delta0 --sigma"),
        ([*SOLVE, "--C1", "-1", "--C2", "1", "--C3", "1"], "C1 must be a finite number >= 0"),
        ([*SOLVE, *PROXY, "--q", "2"], "q must be a number in (0, 1], got 2.0"),
        ([*SOLVE, *PROXY, "--beta", "1.5"], "'--beta': 1.5 is not in [0, 1)"),
        ([*SOLVE, *PROXY, "--alpha", "0"], "'--alpha': 0 is not in (0, 1]"),
        ([*SOLVE, *PROXY, "--alpha", "0.5", "--beta", "0.5"], "--alpha or --beta, not both"),
        ([*SOLVE, *PROXY, "--beta", "0.5", "--alpha-max", "0.7"], "alpha is fixed"),
        ([*SOLVE, *PROXY, "--b", "5", "--b-min", "2"], "b is fixed"),
        ([*SOLVE, *PROXY, "--b", "1e7"], "b = 1e+07 is too large: at most 1e+06"),
        ([*SOLVE, *PROXY, "--b-min", "9", "--b-max", "5"], "b: nothing lies between 9 and 5"),
        ([*SOLVE, *PROXY, "--eta-min", "1", "--eta-max", "0.1"], "eta: nothing lies between"),
        ([*SOLVE, *PROXY, "--b-max", "5", "--batch-multiple", "6"], "no multiple of 6"),
        ([*SOLVE, "--C1", "1", "--C2", "1", "--C3", "0"], "towards eta = inf: give --eta-max"),
        ([*SOLVE, "--C1", "0", "--C2", "1", "--C3", "1"], "towards eta = 0: give --eta-min"),
        (
            [
                *SOLVE,
                "--descent",
                "1",
                "--noise",
                "1",
                "--drift",
                "1",
                "--lag",
                "0",
                "--burn-in",
                "0",
            ],
            "towards alpha = 0: give --alpha-min",
        ),
        ([*TRANSFER], "regime 'A': --beta or --alpha"),
        ([*TRANSFER, "--beta", "0.9", "--regime", "E"], "regime must be one of 'A', 'B'"),
        ([*TRANSFER, "--beta", "0.9", "--regime", "C", "--b1", "5"], "chooses the batch size"),
        ([*TRANSFER, "--beta", "0.9", "--alpha", "0.1"], "--alpha or --beta, not both"),
        ([*TRANSFER, "--beta", "1"], "'--beta': 1 is not in [0, 1)"),
        (["transfer", "--eta", "-1", "--b", "64", "--from", "1e9", "--to", "1e10"], "'--eta'"),
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


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--help"],
        ["verify", "--help"],
        ["solve", "-h"],
        ["transfer", "--help"],
        ["config", "-h"],
    ],
)
def test_help_shows_an_example(capsys, arguments):
    from hplaws.cli import run

    assert run(arguments) == 0
    assert "Example: hplaws" in " ".join(capsys.readouterr().out.split())
