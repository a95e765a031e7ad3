"""The independent checker: what was sent to a run, held against every topic it left and against a fresh replay.

It shares no code with the engine's steps and imports neither them nor linkage. `ops.verify.replay` makes the oracle.
"""

from ops.verify.checker.checking import check
from ops.verify.checker.run_view import RunView
from ops.verify.checker.verdict import CheckerVerdict

__all__ = ["CheckerVerdict", "RunView", "check"]
