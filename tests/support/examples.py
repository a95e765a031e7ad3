"""How many examples a property tries: a share in a run of every test, TIERLINK_EXAMPLES_TIMES as many on request."""

import os

TIMES = int(os.environ.get("TIERLINK_EXAMPLES_TIMES", "1"))


def share(examples: int) -> int:
    """So many examples, times what the environment asks for."""
    return examples * TIMES
