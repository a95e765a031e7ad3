"""The walk over the tree's files."""

from pathlib import Path

from kept_files import MADE, kept_files


def test_what_is_made_is_never_entered(tmp_path: Path) -> None:
    for place in ("a.py", "b/c.md", *(f"{name}/log" for name in sorted(MADE)), "b/.tierlink/log"):
        file = tmp_path / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert [path.relative_to(tmp_path).as_posix() for path in kept_files(tmp_path)] == ["a.py", "b/c.md"]
