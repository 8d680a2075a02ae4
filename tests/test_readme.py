"""What the README says and shows, run."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from hplaws import claims

TEXT = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_its_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    namespace: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(block, namespace)
    assert "{'eta': 0, 'alpha': 2, 'b': 1}" in capsys.readouterr().out


def test_its_two_commands_are_single_lines() -> None:
    commands = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    assert [command.count("\n") for command in commands] == [1, 1]


def test_its_summary_of_the_audit() -> None:
    verdicts = Counter(claim.verdict for claim in claims.check_all())
    summary = (
        f"{verdicts.total()} statements of the paper and of the critical-batch note, by\n"
        f"computation: {verdicts['holds']} hold, {verdicts['imprecise']} are imprecise, "
        f"{verdicts['fails']} fail."
    )
    assert summary in TEXT
