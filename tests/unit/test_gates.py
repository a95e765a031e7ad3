"""What the gates give the programs that they start."""

import subprocess
import sys
from pathlib import Path

from ops.gates import environment


def test_a_program_of_the_gates_is_compiled_once_whatever_the_surroundings_say(tmp_path: Path) -> None:
    """Each worker and command that a test starts was seen to compile Faust anew: 2 s each."""
    (tmp_path / "part.py").write_text("PART = 1\n")
    surroundings = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(tmp_path)}
    show = "import part, sys; print(sys.dont_write_bytecode, part.__cached__)"
    for given, is_kept in ((surroundings, False), (environment(surroundings), True)):
        said = subprocess.run([sys.executable, "-c", show], env=given, capture_output=True, text=True, check=True)
        forbidden, place = said.stdout.split(maxsplit=1)
        assert forbidden == str(not is_kept)
        assert Path(place.strip()).exists() == is_kept
        assert not (tmp_path / "__pycache__").exists(), "the tree stays clean"
    Path(place.strip()).unlink()
