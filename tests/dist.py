"""What is published: ``python -m tests.dist`` makes it of the last commit, and tries it.

Wheel and source distribution are built twice in different folders, which must give the same bytes,
and then installed each into an empty environment without Node, npm's registry and TensorFlow. There
a loop of NumPy records, and a real TensorBoard shows that in Chromium. They lie in ``dist/`` after
that.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.chromium import find_browser
from tests.tensorboard_process import start_tensorboard

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"

# As the README has it; no TensorBoard runs by then.
_RECORD = """
import sys
import numpy as np
import tb_regplugin

x, y, w = np.random.rand(100, 8), np.random.rand(100), np.zeros(8)
with tb_regplugin.Writer(sys.argv[1]) as writer:
    for step in range(100):
        error = x @ w - y
        data_loss, penalty = np.mean(error**2), 0.01 * np.sum(w**2)
        writer.write(step, data_loss, {"w": penalty}, total_loss=data_loss + penalty)
        w -= 0.1 * (2 * x.T @ error / len(x) + 2 * 0.01 * w)
"""


def main() -> int:
    """Builds, tries and keeps the distributions; raises where one is not as it should be."""
    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory)
        built = build(top / "one")
        again = build(top / "another" / "folder")
        if built != again:
            differ = [name for name in {*built, *again} if built.get(name) != again.get(name)]
            raise AssertionError(f"Building again gives other bytes: {', '.join(differ)}.")
        shutil.rmtree(DIST, ignore_errors=True)
        DIST.mkdir()
        for name, data in built.items():
            path = DIST / name
            path.write_bytes(data)
            try_installed(path, top / f"{path.suffix[1:]}-environment")
            print(f"{name}: {len(data):,} bytes; installs, records and shows.", flush=True)
    return 0


def build(folder: Path) -> dict[str, bytes]:
    """Returns the files that are built of the last commit, by name."""
    sources = folder / "sources"
    sources.mkdir(parents=True)
    archive = subprocess.run(
        ["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    subprocess.run(["tar", "--extract"], cwd=sources, input=archive, check=True)
    time = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    # The wheel is built of the source distribution.
    result = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(sources)],
        env={**os.environ, "SOURCE_DATE_EPOCH": time},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if result.returncode != 0:
        raise AssertionError(f"Building failed:\n{result.stdout}")
    # npm has warnings of its own.
    warned = re.findall(r"^.*(?:[Ww]arning: |\bis absent\b).*$", result.stdout, re.MULTILINE)
    if warned := [line for line in warned if "byte-compiling" not in line]:
        raise AssertionError("Building warns:\n" + "\n".join(warned))
    return {path.name: path.read_bytes() for path in sorted((folder / "dist").iterdir())}


def try_installed(distribution: Path, folder: Path) -> None:
    """Installs a distribution, records with it and looks at that."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    log = folder / "pip.log"
    environment = without_node(folder)
    install = ["-m", "pip", "install", "--quiet", "--log", str(log)]
    subprocess.run([python, *install, str(distribution)], check=True, env=environment)
    # Not for building either.
    if "nodejs" in log.read_text(encoding="utf-8"):
        raise AssertionError(f"Installing {distribution.name} asks for Node; see {log}.")
    missing = "import importlib.util as u; assert not u.find_spec('tensorflow')"
    subprocess.run([python, "-c", missing], check=True, cwd=folder, env=environment)
    logs = folder / "logs"
    subprocess.run(
        [python, "-c", _RECORD, str(logs / "numpy")], check=True, cwd=folder, env=environment
    )
    subprocess.run(
        [python, "-m", "tb_regplugin", "doctor", str(logs)],
        check=True,
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    with start_tensorboard(logs, python=python, env=environment) as address:
        look_at(address)


def without_node(folder: Path) -> Mapping[str, str]:
    """Returns an environment in which the installed commands are found alone, and no registry."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    path = str(folder / "bin")
    assert shutil.which("node", path=path) is None
    return {**kept, "PATH": path, "npm_config_registry": "http://127.0.0.1:1"}


def look_at(address: str) -> None:
    """Opens the tab, which must show the run's card with its terms."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(playwright), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.goto(f"{address}#regularization")
        card = page.frame_locator("iframe").get_by_role("article", name="numpy", exact=True)
        expect(card.get_by_role("list", name="Terms")).to_contain_text("w", timeout=60_000)
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
