"""The ``hplaws`` script and ``python -m hplaws``."""

from __future__ import annotations

import importlib
import sys


def main() -> int:
    """Run the command line on sys.argv; its exit code."""
    try:
        for name in ("typer", "rich"):
            importlib.import_module(name)
    except ImportError:
        print(
            "hplaws: the command line needs Typer and Rich: pip install 'hplaws[cli]'",
            file=sys.stderr,
        )
        return 2
    from .cli import run

    return run()


if __name__ == "__main__":
    sys.exit(main())
