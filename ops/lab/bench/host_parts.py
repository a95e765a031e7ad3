"""Which part of a hop a place in the code belongs to: fetch, message, step, produce, acknowledge, commit."""

import re
from collections.abc import Sequence

SAMPLER = "looking (the sampler itself)"
NATIVE = "native threads: {}"

Stack = Sequence[tuple[str, str]]  # module and function, innermost first

# The first rule that fits the innermost frame that fits any; `module:function`.
RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (part, re.compile(pattern))
    for part, pattern in (
        ("step", r"ops\.lab\.bench\.host_step:|namedtuple_(Emit|Change):"),
        (
            "message",
            r"namedtuple_Message:|streams\.host\.consumer:_message|streams\.host\.batch:.*(fresh|is_new)",
        ),
        ("metrics", r"streams\.metrics:|prometheus_client"),
        ("mark as delivered", r"streams\.host\.delivered:"),
        ("commit", r"streams\.host\.\w+:.*commit|aiokafka\.consumer\.group_coordinator:.*commit"),
        ("acknowledgement", r"streams\.host\.producer:.*(poll|report|is_clear)"),
        ("acknowledgement", r"streams\.host\.(batch|commit):.*(acknowledge|_wave|_arrived|_send_state)"),
        ("produce", r"streams\.host\.producer:|streams\.host\.batch:.*_send"),
        (
            "sort outcomes, headers",
            r"streams\.host\.batch:(lineage|sendable)|streams\.steps\.outcome:(source_of|dead_letter)",
        ),
        ("loop around the step", r"streams\.host\.batch:.*(_answer|dispatch)"),
        ("fetch and parse", r"aiokafka\.|streams\.host\.\w+:.*fetch"),
        ("host, other", r"streams\.host\."),
        ("faust and mode", r"faust\.|mode\."),
        ("event loop", r"asyncio\.|selectors:|concurrent\."),
    )
)


def part_of(stack: Stack) -> str:
    """The part of the innermost frame that belongs to one."""
    for module, function in stack:
        for part, pattern in RULES:
            if pattern.match(f"{module}:{function}"):
                return part
    return "other"


def place_of(stack: Stack) -> str:
    """`module:function` of the innermost frame."""
    return ":".join(stack[0]) if stack else "?"
