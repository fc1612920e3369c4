"""What the README shows runs as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import tb_regplugin

README = Path(__file__).parents[1] / "README.md"


def test_the_code_of_the_readme_runs(tmp_path: Path) -> None:
    """The Python blocks, one after another as one script, record and read back."""
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 2
    subprocess.run([sys.executable, "-c", "\n".join(blocks)], cwd=tmp_path, check=True)
    recordings = tb_regplugin.load(tmp_path / "logs")
    assert {run: len(recording.steps) for run, recording in recordings.items()} == {
        "first/train": 160,
        "loop": 1000,
    }


def test_the_examples_are_short() -> None:
    """Each training example takes at most ten lines."""
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert all(len(block.strip().splitlines()) <= 10 for block in blocks)
