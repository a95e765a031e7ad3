"""A worker built from stock Faust alone: the control that the host is measured against, never for care records.

It works while nothing fails. It promises nothing when something does, and the tests show how it then loses
messages (`tests/contracts/test_faust_pitfalls.py`, `tests/broker/test_stock_host.py`): an agent acknowledges
a message whose step raised; nobody awaits an output before its input is committed; a state record can reach
its changelog before the outputs it vouches for. It is what Faust's own guide teaches: one app, one agent, one
table, its supervisor. Nothing is subclassed.
"""

from ops.lab.stock_host.app import run_worker

__all__ = ["run_worker"]
