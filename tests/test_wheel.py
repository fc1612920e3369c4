"""What pip builds."""

import gzip
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
_NOT_SOURCES = (".*", "node_modules", "static", "build", "logs", "tests", "*.egg-info")


def test_a_wheel_carries_the_dashboard_without_node_on_the_path(tmp_path: Path) -> None:
    """Pip builds the frontend by itself; the wheel holds it, the types and the entry point."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "env", "uname"):
        path = shutil.which(name)
        assert path is not None
        (tools / name).symlink_to(path)
    environment = {**os.environ, "PATH": str(tools)}
    assert shutil.which("node", path=environment["PATH"]) is None
    # pip builds where the sources are, and would take the tools of the checks away there.
    sources = tmp_path / "sources"
    shutil.copytree(ROOT, sources, ignore=shutil.ignore_patterns(*_NOT_SOURCES))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
    subprocess.run([*command, str(tmp_path), str(sources)], check=True, env=environment)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (entry_points,) = (name for name in names if name.endswith("entry_points.txt"))
        assert b"tb_regplugin.loader:RegularizationLoader" in archive.read(entry_points)
        bundle = gzip.compress(archive.read("tb_regplugin/static/index.js"))
    # What a page may cost before it shows anything.
    assert 10_000 < len(bundle) <= 60_000
    assert "tb_regplugin/py.typed" in names
    assert not any(name.startswith(("tests/", "demo/", "frontend/")) for name in names)
