"""The demo, as a user starts it."""

import re
import signal
import subprocess
import sys
from pathlib import Path

from tb_regplugin import load
from tests.tensorboard_process import get, get_json, wait_until

STEPS = 40
RUNS = ["lambda=0/train", "lambda=0.0001/train", "lambda=0.01/train", "lambda=1/train"]


def test_the_sweep_is_recorded_and_tabulated(tmp_path: Path) -> None:
    """Four trainings, each with its row in the table and every step in its recording."""
    command = [sys.executable, "-m", "demo", "--no-serve", "--steps", str(STEPS)]
    result = subprocess.run(
        [*command, "--log-dir", str(tmp_path)], check=True, capture_output=True, text=True
    )
    rows = re.findall(r"^ *([\d.]+) +(0\.\d{4}) +[\d.]+ +[\d.]+ +[\d.]+%$", result.stdout, re.M)
    assert [strength for strength, _ in rows] == ["0", "0.0001", "0.01", "1"]
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


def test_the_demo_ends_in_a_dashboard(tmp_path: Path) -> None:
    """It prints an address where TensorBoard has the four runs, until Ctrl+C."""
    command = [sys.executable, "-u", "-m", "demo", "--steps", "2", "--log-dir", str(tmp_path)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        # What runs in the background, such as a CI job, ignores Ctrl+C, and so do its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert process.stdout is not None
        address = next(
            match[1]
            for line in process.stdout
            if (match := re.search(r"dashboard is at (http://\S+)#regularization", line))
        )
        assert get(address)[0] == 200
        route = f"{address}data/plugin/regularization/recordings"
        wait_until(lambda: len(get_json(route)["recordings"]) == len(RUNS))
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
