"""An audit: what the sources state, checked by computation at every call.

The sources are the paper (arXiv:2603.15958) and the critical-batch note ("CB"). Each
statement that can be checked stands in this package once, paraphrased, beside the code that
checks it: optima by a derivative-free search on `hplaws.risk`, exponents by fits, algebra at
random points, and units by dimensional analysis. What a check finds decides the verdict;
none is stored.

>>> from collections import Counter
>>> from hplaws.claims import check_all
>>> sorted(Counter(claim.verdict for claim in check_all()))
['fails', 'holds', 'imprecise']
"""

from __future__ import annotations

# Importing a module enters its claims in the registry, in the sources' order.
pass
from ._registry import Claim, Verdict, check_all

__all__ = ["Claim", "Verdict", "check_all"]
