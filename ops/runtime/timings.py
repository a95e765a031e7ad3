"""The timings of a worker's membership in its group, by profile."""

from collections.abc import Mapping

# By profile: session, heartbeat, rebalance in seconds. Demo and tests see a dead worker after 6 s; production waits
# 45 s, as Kafka's own default, and has chances enough to beat before that. rebalance > the longest batch, so that a
# member is not thrown out while it works.
TIMINGS: Mapping[str, tuple[float, float, float]] = {
    "demo": (6.0, 1.0, 10.0),
    "production": (45.0, 3.0, 60.0),
}
