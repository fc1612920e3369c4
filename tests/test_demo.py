"""The demo, as a user starts it."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tb_regplugin import Writer, load
from tests.tensorboard_process import get, get_json, wait_until

STEPS = 40
RUNS = ["lambda=0/train", "lambda=0.0001/train", "lambda=0.01/train", "lambda=1/train"]


def test_the_sweep_is_recorded_tabulated_and_shown(tmp_path: Path) -> None:
    """Four trainings, each with its row in the table, its steps, and its card until Ctrl+C."""
    command = [sys.executable, "-u", "-m", "demo", "--steps", str(STEPS)]
    process = subprocess.Popen(
        [*command, "--log-dir", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        # What runs in the background, such as a CI job, ignores Ctrl+C, and so do its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    try:
        said = ""
        for line in process.stdout:
            said += line
            if address := re.search(r"dashboard is at (http://\S+)#regularization", line):
                break
        assert address is not None
        rows = re.findall(r"^ *([\d.]+) +(0\.\d{4}) +[\d.]+ +[\d.]+ +[\d.]+%$", said, re.M)
        assert [strength for strength, _ in rows] == ["0", "0.0001", "0.01", "1"]
        assert get(address[1])[0] == 200
        route = f"{address[1]}data/plugin/regularization/recordings"
        wait_until(lambda: len(get_json(route)["recordings"]) == len(RUNS))
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    recordings = load(tmp_path)
    assert set(recordings) == set(RUNS)
    for recording in recordings.values():
        assert recording.steps.tolist() == list(range(STEPS))
        assert [column.name for column in recording.columns] == [
            "total",
            "data",
            "hidden_1/kernel",
            "hidden_2/kernel",
            "logits/kernel",
        ]


def test_it_stops_after_the_table_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--no-serve`` names the command that shows the dashboard; the trainings are made up."""
    from demo import __main__ as demo

    def train(strength: float, *_: object) -> float:
        with Writer(tmp_path / demo.run_name(strength) / "train") as writer:
            writer.write(0, 1.0, {"kernel": strength})
        return 0.5

    monkeypatch.setattr(demo, "train", train)
    monkeypatch.setattr(sys, "argv", ["demo", "--no-serve", "--log-dir", str(tmp_path)])
    demo.main()
    assert capsys.readouterr().out.endswith(f"To see it: tensorboard --logdir {tmp_path}\n")
