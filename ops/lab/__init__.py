"""The workshop: simulator, demonstration, chaos, model check and benches. It is never shipped."""

from collections.abc import Callable

Report = Callable[[str], None]  # shows one line of progress to whoever started a command
