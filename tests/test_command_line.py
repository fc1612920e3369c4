"""What both ways to the command line share."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from tb_regplugin.command_line import main
from tests.logs import write_recording


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """As pip tells it."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == f"tb_regplugin {version('tb_regplugin')}"


@pytest.mark.parametrize("command", ["check", "summary"])
def test_a_corrupt_file_is_named_and_the_rest_told(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the error output, with the byte; what was read is printed as ever."""
    path = write_recording(tmp_path / "bad", {0: [3, 2, 1]})
    data = path.read_bytes()
    path.write_bytes(data + bytes(16))
    write_recording(tmp_path / "good", {0: [3, 2, 1]})
    assert main([command, str(tmp_path), "--format", "json"]) == 0
    told = capsys.readouterr()
    recordings = json.loads(told.out)["recordings"]
    assert [recording["run"] for recording in recordings] == ["bad", "good"]
    assert f"{str(path)!r} is read up to byte {len(data):,}." in told.err


def test_nothing_to_read_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the reason."""
    assert main(["check", str(tmp_path)]) == 2
    assert "no recordings" in capsys.readouterr().err
    assert main(["summary", str(tmp_path / "nowhere")]) == 2
    assert "no directory" in capsys.readouterr().err
