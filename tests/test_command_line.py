"""What both ways to the command line share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from tb_regplugin.command_line import main
from tb_regplugin.terms import Layout, Term
from tests.logs import DATA, recording_events, write_events, write_recording


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
    assert main([command, str(tmp_path), "--format", "json"]) == 3
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


HOSTILE = "\x1b[31mred\udc80\nλ/" + "long" * 100


@pytest.mark.parametrize("command", ["check", "summary"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
@pytest.mark.parametrize("form", ["table", "json"])
def test_names_obey_no_terminal_and_fit_any_encoding(
    tmp_path: Path, command: str, encoding: str, form: str
) -> None:
    """Control characters are escaped, wide names shortened; nothing ends the command."""
    layout = Layout((DATA, Term(HOSTILE)))
    values = np.ones((200, 2))
    write_events(tmp_path, recording_events(range(200), values, layout, name="\x1b]0;title"))
    result = _run(command, str(tmp_path), "--format", form, PYTHONIOENCODING=encoding)
    assert result.returncode == 0, result.stderr
    assert b"\x1b" not in result.stdout
    text = result.stdout.decode(encoding)
    if form == "json":
        assert json.loads(text)["recordings"]
    else:
        assert max(map(len, text.splitlines())) < 300


def test_a_reader_that_has_read_enough_is_no_failure(tmp_path: Path) -> None:
    """As with head."""
    layout = Layout((DATA, *(Term(f"w{i}") for i in range(5_000))))
    write_events(tmp_path, recording_events([0], np.ones((1, 5_001)), layout))
    command = [sys.executable, "-m", "tb_regplugin", "summary", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_what_was_found_goes_before_what_could_not_be_read(tmp_path: Path) -> None:
    """1 for a finding, 3 for an unreadable part, 2 for wrong usage."""
    path = write_recording(tmp_path, {0: [3, 2, float("nan")]})
    path.write_bytes(path.read_bytes() + bytes(16))
    assert main(["check", str(tmp_path)]) == 3
    assert main(["check", str(tmp_path), "--fail-on", "error"]) == 1
    with pytest.raises(SystemExit) as ended:
        main(["check", str(tmp_path), "--fail-on", "nothing"])
    assert ended.value.code == 2


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "tb_regplugin", *arguments],
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )
