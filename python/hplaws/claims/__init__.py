"""An audit: what the sources state, checked by computation at every call.

The sources are the paper (arXiv:2603.15958) and the critical-batch note ("CB"). Each
statement that can be checked stands in this package once, paraphrased, beside the code that
checks it: optima by a derivative-free search on `hplaws.risk`, exponents by fits, algebra at
random points, and units by dimensional analysis. What a check finds decides the verdict;
none is stored.

>>> from hplaws.claims import check
>>> claim = check("CB7.2")
>>> claim.verdict, claim.evidence[:67]
('fails', 'B/B_crit = 1, 2, 4, 100: eta_power*t_learn/t_opt = 1, 0.7071, 0.5, ')
"""

from __future__ import annotations

# isort: off
# Importing a module enters its claims in the registry, in the sources' order.
from . import main_text, tables, proofs, assumptions, critical_batch  # noqa: F401
from ._registry import Claim, Verdict, check, check_all
# isort: on

__all__ = ["Claim", "Verdict", "check", "check_all"]
