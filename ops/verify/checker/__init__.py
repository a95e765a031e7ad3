"""The independent checker: what a run was told, held against every topic it left and against a fresh replay.

It shares no code with the engine's steps and imports neither them nor linkage. `ops.verify.replay` makes the oracle.
"""

from ops.verify.checker.checking import check
from ops.verify.checker.ground import Ground
from ops.verify.checker.verdict import Verdict

__all__ = ["Ground", "Verdict", "check"]
