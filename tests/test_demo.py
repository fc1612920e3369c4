"""The demo, as a user starts it."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from demo import __main__ as demo
from demo.table import notes, table
from tb_regplugin import Term, Writer, load
from tb_regplugin.command_line import main
from tests.tensorboard_process import get, get_json, wait_until

STEPS, EPOCHS = 20, 10
STRENGTHS = ["0", "0.0001", "0.001", "0.01", "0.1", "1"]
RUNS = {
    f"lambda={strength}/seed=0/{kind}" for strength in STRENGTHS for kind in ("train", "validation")
}


def test_the_sweep_is_recorded_tabulated_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A training each, with its row in the table, its steps, and its card until Ctrl+C."""
    stale = tmp_path / "lambda=1" / "train"
    with Writer(stale) as writer:
        writer.write(0, 1.0)
    command = [sys.executable, "-u", "-m", "demo", "--steps", str(STEPS), "--seeds", "1"]
    stderr = tmp_path / "stderr.txt"
    with stderr.open("w") as errors:
        process = subprocess.Popen(
            [*command, "--log-dir", str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=errors,
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
        # Nothing but the bar, which goes back to the start of its line.
        bar = re.split(r"[\r\n]+", stderr.read_text().strip())
        assert [line for line in bar if f"/{len(STRENGTHS) * STEPS} [" not in line] == []
        assert address is not None
        rows = re.findall(r"^ +([\d.]+) +(0\.\d{4})? {2,}0\.\d{4} \(.*%$", said, re.M)
        assert [strength for strength, _ in rows] == STRENGTHS
        assert [known for _, known in rows] == ["0.9468", "0.9476", "", "0.9183", "", "0.1135"]
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
    assert set(recordings) == RUNS
    for run, recording in recordings.items():
        every = 1 if run.endswith("train") else STEPS // EPOCHS
        first = 0 if run.endswith("train") else every
        assert recording.steps.tolist() == list(range(first, STEPS + first, every))
        assert [column.name for column in recording.columns] == [
            "total",
            "data",
            "hidden_1/kernel",
            "hidden_2/kernel",
            "logits/kernel",
        ]
        assert {c.strength for c in recording.columns[2:]} == {float(run.split("/")[0][7:])}
        assert recording.columns[1].chance_level == np.log(10)
    assert main(["sweep", str(tmp_path), "--metric", "epoch_accuracy"]) == 0
    assert "epoch_accuracy is highest at strength" in capsys.readouterr().out


def test_its_table_has_mean_and_range_beside_the_questions_numbers(tmp_path: Path) -> None:
    """Of what the sweep says; strengths that the question lacks have none."""
    spread = {"mean": 0.25, "min": 0.125, "max": 0.5}
    each = {
        "runs": ["a", "b"], "metric": spread, "data_loss": spread, "validation_data_loss": spread,
        "penalty_share": 0.75, "chance_level": np.log(10),
    }  # fmt: skip
    sweep = [each | {"strength": 0.0}, each | {"strength": 0.1}]
    spreads = 3 * ["0.2500 (0.1250–0.5000)"]
    asked, other = (re.split(r" {2,}", line.strip()) for line in table(sweep).splitlines()[1:])
    assert asked == ["0", "0.9468", *spreads, "75.0%"]
    assert other == ["0.1", *spreads, "75.0%"]
    said = notes(sweep, 500)
    assert "over 2 seeds after 500 steps" in said
    assert "a data loss of 2.303" in said


@pytest.mark.parametrize("options", [["--steps", "15"], ["--steps", "0"], ["--seeds", "0"]])
def test_options_that_cannot_be_meant_are_refused(
    options: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is trained or removed."""
    monkeypatch.setattr(sys, "argv", ["demo", *options])
    with pytest.raises(SystemExit):
        demo.main()
    assert f"{options[0]} must be" in capsys.readouterr().err


def test_it_stops_after_the_table_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--no-serve`` names the command that shows the dashboard; the trainings are made up."""
    data = Term("data", role="data", chance_level=2.3)

    def train(run: Path, strength: float, *_: object) -> None:
        for kind in ("train", "validation"):
            kernel = Term("kernel", kind="l2", strength=strength)
            with Writer(run / kind) as writer:
                writer.write(0, {data: 1.0}, {kernel: strength}, total_loss=1.0 + strength)

    monkeypatch.setattr(demo, "train", train)
    monkeypatch.setattr(sys, "argv", ["demo", "--no-serve", "--log-dir", str(tmp_path)])
    demo.main()
    command = capsys.readouterr().out.rpartition("To see it: ")[2]
    assert command.endswith(f" --logdir {tmp_path}\n")
    assert Path(command.split()[0]).resolve() == Path(sys.executable).with_name("tensorboard")
