"""The tree names no package registry and no path of the machine it was written on."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kept_files import ROOT, kept_files

# Written in pieces, so that this file does not hold what it forbids.
HOSTS = (
    "py" + "pi.org", "python" + "hosted.org", "maven" + ".apache.org", "maven" + ".org",
    "npm" + "js.org", "npm" + "js.com", "yarn" + "pkg.com", "crates" + ".io", "proxy.golang" + ".org",
    "docker" + ".io", "ghcr" + ".io", "quay" + ".io", "gcr" + ".io", "conda" + "-forge.org",
    "ana" + "conda.org", "rubygems" + ".org", "artifact" + "ory", "deb.debian" + ".org",
)  # fmt: skip
PATHS = (
    r"(?<![\w.])/wo" + r"rk/", r"\.\./sha" + r"red\b", r"/ro" + r"ot/", r"/ho" + r"me/\w",
    r"/Us" + r"ers/\w", r"/opt/wh" + r"eels", r"[A-Z]:\\Us" + r"ers", r"site-" + r"packages/",
    r"/\.pye" + r"nv/",
)  # fmt: skip
FORBIDDEN = re.compile("|".join([*map(re.escape, HOSTS), *PATHS]), re.IGNORECASE)


def files_of_the_tree() -> Iterator[Path]:
    """What git tracks or would track; without git, everything but what ./run makes."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    answer = subprocess.run(listing, cwd=ROOT, capture_output=True, check=False)
    if answer.returncode == 0:
        paths = (ROOT / name.decode() for name in answer.stdout.split(b"\0") if name)
    else:
        paths = kept_files()
    yield from sorted(path for path in paths if path.is_file())


def mentions(content: bytes) -> list[str]:
    """Each forbidden mention as `line: text`; nothing for a file that is not text."""
    if b"\0" in content[:8192]:
        return []
    lines = content.decode(errors="replace").splitlines()
    return [f"{number}: {line.strip()[:120]}" for number, line in enumerate(lines, 1) if FORBIDDEN.search(line)]


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    found = {path.relative_to(ROOT): lines for path in files_of_the_tree() if (lines := mentions(path.read_bytes()))}
    assert not found, "\n" + "\n".join(f"{path}:{line}" for path, lines in found.items() for line in lines)


def test_the_tree_is_really_read() -> None:
    assert {"run", "pyproject.toml", "requirements.lock"} <= {path.name for path in files_of_the_tree()}


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://" + "py" + "pi.org/simple",
        "FROM gh" + "cr.io/someone/image",
        "see /wo" + "rk/main/ops",
        "`../sha" + "red/data`",
        "/ho" + "me/someone/tierlink",
    ],
)
def test_the_check_sees_a_registry_or_a_machine_path(line: str) -> None:
    assert mentions(line.encode())


@pytest.mark.parametrize("line", ["connectors/network/x", "https://tierlink.example/fhir", "GET /metadata", "~/.cache"])
def test_ordinary_paths_and_our_own_uris_pass(line: str) -> None:
    assert not mentions(line.encode())
