"""What ``tb-regplugin doctor`` says, and what it keeps to itself."""

from __future__ import annotations

import getpass
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import tb_regplugin.static_files
from tb_regplugin.command_line import main
from tests.logs import recording_events, write_events, write_recording


def test_an_installation_that_works_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    """With the versions that pip tells, and how TensorBoard would find and load the plugin."""
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    for package in ("tb_regplugin", "tensorboard", "numpy", "protobuf"):
        assert [package, version(package)] in [line.split() for line in told.splitlines()]
    assert "finds the plugin         once" in told
    assert told.endswith("All is well.\n")


def test_it_says_what_is_recorded_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs are numbered, and have their names where these are asked for."""
    path = write_recording(tmp_path / "secret", {5: [3, 2, 1], 7: [3, 2, 1]})
    write_events(tmp_path / "other", [])
    assert main(["doctor", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert (
        "run-2                    3 columns (1 total, 1 data, 1 penalty), 2 steps from 5 to 7"
        in told
    )
    assert f"1, of which {path.stat().st_size:,} bytes can be read" in told
    assert "recordings shown         1\n  runs without a recording 1\n" in told
    assert "secret" not in told
    assert main(["doctor", str(tmp_path), "--names"]) == 0
    assert "secret " in capsys.readouterr().out


def test_nothing_private_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither paths nor the user, also where something is wrong; of the environment, no values."""
    monkeypatch.setenv("KERAS_BACKEND", "confidential")
    path = write_recording(tmp_path / "secret", {0: [3, 2, 1]})
    path.write_bytes(path.read_bytes() + bytes(16))
    (tmp_path / "secret" / "events.out.tfevents.unreadable").mkdir()
    assert main(["doctor", str(tmp_path)]) == 1
    told = "".join(capsys.readouterr())
    for private in (str(tmp_path), str(Path.home()) + "/", sys.prefix, "secret", "confidential"):
        assert private not in told
    assert getpass.getuser() not in told.split()


def test_what_is_wrong_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what to do about it, and exit code 1."""
    assert main(["doctor", str(tmp_path)]) == 1
    assert "Nothing is recorded there. Give this directory" in capsys.readouterr().out
    assert main(["doctor", str(tmp_path / "nowhere")]) == 1
    assert "LOGDIR is not a directory." in capsys.readouterr().out

    path = write_recording(tmp_path / "run", {0: [3, 2, 1]})
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + bytes(16))
    assert main(["doctor", str(tmp_path)]) == 1
    assert f"run-1: event file 1 is read up to byte {size:,}." in capsys.readouterr().out

    monkeypatch.setattr(tb_regplugin.static_files, "STATIC", tmp_path / "static")
    assert main(["doctor"]) == 1
    assert "The dashboard is not built." in capsys.readouterr().out


def test_a_series_that_cannot_be_shown_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command that says why is named."""
    layout, rows = recording_events(range(3), np.ones((3, 3)))
    rows.summary.value[0].tensor.tensor_content = b"broken"
    write_events(tmp_path, [layout, rows])
    assert main(["doctor", str(tmp_path)]) == 1
    assert "run-1: 1 series could not be read. tb-regplugin summary" in capsys.readouterr().out


def test_keras_backend_is_the_one_that_keras_takes(tmp_path: Path) -> None:
    """From its file, and before that from its variable; Keras itself is not imported."""
    (tmp_path / "keras.json").write_text(json.dumps({"backend": "jax"}))
    script = """
import sys
from tb_regplugin.command_line import main
main(["doctor"])
print("heavy:", sorted({"keras", "tensorflow", "jax", "torch"} & set(sys.modules)))
"""
    environment = {"KERAS_HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])}
    told = [
        subprocess.run(
            [sys.executable, "-c", script],
            check=True,
            capture_output=True,
            text=True,
            env=environment | variable,
        ).stdout
        for variable in ({}, {"KERAS_BACKEND": "torch"})
    ]
    assert "Keras' backend           jax" in told[0]
    assert "Keras' backend           torch" in told[1]
    assert told[0].endswith("heavy: []\n")
