"""The same answers by other means: what a reader would otherwise have written.

`c` is (descent, noise, drift, lag, burn_in, init_error, q). Each peer is written the way
its users write it, with the obvious care (no mesh larger than it must be, no work inside
a loop that belongs outside), and none of our structure. Where a package is missing,
conftest.py skips its peers and says so.
"""

from peers.argmin import ARGMIN_PEERS, ARGMIN_PRUNED_PEERS
from peers.boost import version as boost_version
from peers.common import Contender, ours
from peers.cubic import POSITIVE_ROOT_PEERS, ROOTS_PEERS, THEOREM3_PEERS
from peers.optimum import OPTIMUM_PEERS, limits
from peers.risk import RISK_MESH_PEERS, RISK_PEERS

__all__ = [
    "ARGMIN_PEERS",
    "ARGMIN_PRUNED_PEERS",
    "OPTIMUM_PEERS",
    "POSITIVE_ROOT_PEERS",
    "RISK_MESH_PEERS",
    "RISK_PEERS",
    "ROOTS_PEERS",
    "THEOREM3_PEERS",
    "Contender",
    "boost_version",
    "limits",
    "ours",
]
