"""The project's pages: every Markdown file of the tree, and the shell lines in them."""

import re
import shlex
from collections.abc import Iterator

from kept_files import kept_files

PAGES = sorted(path for path in kept_files() if path.suffix == ".md")
_FENCE = re.compile(r"^```(?:bash|console|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def run_lines(text: str) -> Iterator[list[str]]:
    """The words after `./run` of every command in the shell fences of a page, comments and pipes cut off.

    >>> list(run_lines("```bash\\n$ ./run send fhir \\\\\\n  --wait x | tail -1  # all\\n```"))
    [['send', 'fhir', '--wait', 'x']]
    """
    for fence in _FENCE.findall(text):
        for line in fence.replace("\\\n", " ").splitlines():
            if not line.lstrip("$ ").startswith("./run"):
                continue
            words = shlex.split(line.lstrip("$ "), comments=True)[1:]
            end = next((i for i, word in enumerate(words) if word in ("|", "||", "&&", ";", "&", ">", "2>")), None)
            yield words[:end]
