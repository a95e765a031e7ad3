"""The independent checker: what a run was told, held against every topic it left and against a fresh replay.

It shares no code with the engine's steps and imports neither them nor linkage. `ops.replay` makes the oracle.
"""

from ops.checker.checking import check
from ops.checker.ground import Ground
from ops.checker.verdict import Verdict

__all__ = ["Ground", "Verdict", "check"]
