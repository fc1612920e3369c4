"""What a new user is told who lacks a package, points at the wrong directory, or mistypes.

Each case says what is wrong and what to do next.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tb_regplugin
from tb_regplugin import Recorder, RegularizationCallback, RegularizationHook, Term, Writer, summary
from tb_regplugin.command_line import main
from tests.logs import write_recording

_TENSORFLOW = 'needs TensorFlow: pip install "tb_regplugin[tensorflow]"'


@pytest.mark.parametrize(
    ("missing", "script", "told"),
    [
        ("keras", "tb_regplugin.RegularizationCallback", 'pip install "tb_regplugin[tensorflow]"'),
        ("tensorflow", "tb_regplugin.RegularizationHook", _TENSORFLOW),
        ("tensorflow", "tb_regplugin.Recorder", _TENSORFLOW),
        ("tensorflow", "tb_regplugin.audit", _TENSORFLOW),
        ("tensorflow", "tb_regplugin.summary.op('losses', 1.0)", _TENSORFLOW),
        ("tensorflow", "tb_regplugin.summary.losses('losses', 1.0)", _TENSORFLOW),
        ("tf_keras", "import tb_regplugin.capture.tf_keras.callback", "pip install tf_keras"),
    ],
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    missing: str, script: str, told: str
) -> None:
    """In place of Python's own words."""
    result = _run(f"import sys; sys.modules[{missing!r}] = None; import tb_regplugin; {script}")
    assert result.returncode == 1
    assert told in result.stderr.splitlines()[-1]


def test_a_tensorflow_that_is_broken_speaks_for_itself(tmp_path: Path) -> None:
    """To install it again is not always what helps."""
    (tmp_path / "tensorflow.py").write_text("raise ImportError('DLL load failed')")
    result = _run(
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import tb_regplugin; tb_regplugin.RegularizationHook"
    )
    assert result.stderr.splitlines()[-1] == "ImportError: DLL load failed"


def test_recording_and_reading_work_without_what_is_optional(tmp_path: Path) -> None:
    """NumPy and TensorBoard's package are enough, and no TensorBoard runs."""
    result = _run(f"""
import sys
for missing in ("tensorflow", "keras", "jax", "torch", "google_crc32c", "tensorboard_data_server"):
    sys.modules[missing] = None
import tb_regplugin
with tb_regplugin.Writer({str(tmp_path)!r}) as writer:
    writer.write(0, 0.5, {{"w": 0.25}})
print(tb_regplugin.load({str(tmp_path)!r})["."].values.tolist())
""")
    assert (result.stdout, result.stderr) == ("[[0.5, 0.25]]\n", "")


@pytest.mark.parametrize("command", ["check", "summary", "sweep"])
@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("empty", "There are no recordings"),
        ("nowhere", "Give the one that the training's logs were written to"),
        ("file.txt", "is a file. Give the directory that it is in."),
    ],
)
def test_a_directory_without_recordings_says_what_to_give(
    tmp_path: Path, command: str, path: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of each command that reads one."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").touch()
    assert main([command, str(tmp_path / path)]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert "tb-regplugin" in said or path != "empty"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "required: COMMAND"),
        (("chek", "."), "invalid choice: 'chek'"),
        (("check",), "required: LOGDIR"),
        (("check", ".", "--fail-on", "x"), "choose from"),
        (("check", ".", "--threshold", "x=1"), "'x' is not a threshold; use one of min_rows"),
        (("check", ".", "--threshold", "min_rows"), "write min_rows=NUMBER"),
        (("check", ".", "--threshold", "min_rows=many"), "write min_rows=NUMBER"),
        (("check", ".", "--threshold", "min_rows=0"), "min_rows is 0; it must be positive"),
        (("check", ".", "--threshold", "spike=inf"), "spike is inf; it must be positive and"),
        (("check", ".", "--threshold", "spike=nan"), "spike is nan; it must be positive and"),
        (("sweep", ".", "--window", "x"), "'x' is not a number above 0 and at most 1"),
        (("sweep", ".", "--window", "2"), "'2' is not a number above 0 and at most 1"),
        (("sweep", ".", "--strength-from", "x"), "not one of recorded, hparams, names"),
        (("sweep", ".", "--strength-from", "names=("), "not a regular expression: missing )"),
    ],
)
def test_a_wrong_option_says_what_it_takes(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """On one line, below the usage."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err.splitlines()[-1]


def test_a_name_that_no_recording_has_says_how_to_find_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there are others."""
    write_recording(tmp_path, {0: [3, 2, 1]})
    assert main(["sweep", str(tmp_path), "--name", "x"]) == 2
    assert "tb-regplugin summary lists those there are" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["losses", "x"])
def test_a_load_that_finds_nothing_says_how_to_find_something(tmp_path: Path, name: str) -> None:
    """In the words of the command line."""
    told = (
        f"There are no recordings named {name!r} in {str(tmp_path)!r}. RegularizationCallback, "
        "RegularizationHook, Recorder and Writer write them; tb-regplugin summary lists those "
        "there are."
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(told)}$"):
        assert tb_regplugin.load(tmp_path, name=name) == {}


def _hook(log_dir: Any, **options: Any) -> RegularizationHook:
    return RegularizationHook(log_dir, None, **options)


@pytest.mark.parametrize("recorder", [Writer, Recorder, RegularizationCallback, _hook])
def test_every_recorder_refuses_what_cannot_be_meant(recorder: Callable[..., Any]) -> None:
    """At once, not at the first step, and by the argument's name."""
    with pytest.raises(TypeError, match="log_dir must be a path, such as 'logs/first', not None"):
        recorder(None)
    with pytest.raises(ValueError, match="log_dir must be a path, such as 'logs/first', not empty"):
        recorder("")
    for seconds in (0, -1, float("nan"), "5"):
        with pytest.raises(ValueError, match="flush_secs must be positive, in seconds, not"):
            recorder("logs", flush_secs=seconds)
    if recorder is not RegularizationCallback:
        for name in ("", 5):
            with pytest.raises(ValueError, match="name must be a non-empty string, not"):
                recorder("logs", name=name)
    if recorder is not Writer:
        for every in (0, "2"):
            with pytest.raises(ValueError, match="every must be 1 or more, not"):
                recorder("logs", every=every)


@pytest.mark.parametrize(
    ("call", "arguments", "told"),
    [
        (Writer, {"log_dir": "logs", "terms": "kernel"}, "terms must be a list of names or terms"),
        (Writer, {"log_dir": "logs", "terms": 5}, "terms must be a list of names or terms"),
        (Writer, {"log_dir": "logs", "terms": ["w", "w"]}, "Give each term a name of its own."),
        (Recorder, {"log_dir": "logs", "ring_rows": 0}, "ring_rows must be 1 or more, not 0"),
        (
            RegularizationCallback,
            {"log_dir": "logs", "gradients_every": 0},
            "gradients_every must be 1 or",
        ),
        (Term, {"name": ""}, "must be a non-empty string"),
        (Term, {"name": "w", "role": "loss"}, "Use one of total, data, penalty"),
        (Term, {"name": "w", "kind": "l3"}, "Use one of l1, l2"),
        (Term, {"name": "w", "strength": "0.1"}, "It must be a finite number, or None"),
        (summary.losses_pb, {"tag": "", "data_loss": 1.0}, "name must be a non-empty string"),
        (
            summary.losses_pb,
            {"tag": "losses", "data_loss": "x"},
            "data_loss must be one number, not str: 'x'",
        ),
        (
            summary.losses_pb,
            {"tag": "losses", "data_loss": 1.0, "penalties": [1.0]},
            "penalties must be a mapping",
        ),
        (summary.op, {"name": "losses", "total_loss": 1.0}, "use summary.losses"),
        (
            summary.losses,
            {"name": "losses", "data_loss": "x"},
            "data_loss must be one number, not str: 'x'",
        ),
        (
            summary.losses,
            {"name": "losses", "data_loss": np.ones(3)},
            "'data' must be a scalar, not of shape",
        ),
        (tb_regplugin.audit, {"total_loss": 1.0}, "call it with a tensor of a tf.Graph"),
        (tb_regplugin.load, {"log_dir": "nowhere"}, "Give the one that the training's logs"),
    ],
)
def test_a_wrong_argument_is_named_with_what_it_takes(
    call: Callable[..., Any], arguments: dict[str, Any], told: str
) -> None:
    """By an error of the type that Python's own functions raise."""
    with pytest.raises((TypeError, ValueError, FileNotFoundError)) as raised:
        call(**arguments)
    assert told in str(raised.value)


@pytest.mark.parametrize("recorder", [Writer, Recorder])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("x", 1.0), "step must be an integer, not"),
        ((0, None), "data_loss"),
        ((0, "x"), "data_loss must be one number, not str: 'x'"),
        ((0, {"a": "x"}), "data_loss['a'] must be one number, not str: 'x'"),
        ((0, {}), "at least one column, such as a data loss"),
        ((0, 1.0, 5), "penalties must be a mapping of names to values"),
        ((0, 1.0, {"w": None}), "penalties['w'] must be one number"),
        ((0, 1.0, {1: 2.0}), "A term's name must be a non-empty string, not 1"),
        ((0, 1.0, {"w": 2.0}, "x"), "total_loss must be one number, not str: 'x'"),
        ((0, 1.0, {Term("w", role="total"): 2.0}), "Give it to write() as total_loss"),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused_and_the_next_one_recorded(
    recorder: Callable[..., Any], arguments: tuple[Any, ...], told: str, tmp_path: Path
) -> None:
    """With the argument's name and what it was."""
    with recorder(tmp_path) as writer:
        with pytest.raises((TypeError, ValueError)) as raised:
            writer.write(*arguments)
        assert told in str(raised.value)
        writer.write(1, 0.5, {"w": 0.25})
    with pytest.raises(ValueError, match="is closed"):
        writer.write(2, 0.5)
    assert tb_regplugin.load(tmp_path)["."].values.tolist() == [[0.5, 0.25]]


def _run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
