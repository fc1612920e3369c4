"""Trains EasyNet with six strengths of L2, and shows what became of its loss."""

import argparse
import itertools
import json
import logging
import os
import shutil
import subprocess
import sys
import threading
import webbrowser
from pathlib import Path
from typing import Any

from tensorboard import program
from tqdm import tqdm

from demo.digits import load_digits
from demo.quiet import without_notices
from demo.table import notes, table

# Its notices on CPUs and GPUs would bury the table.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with without_notices():
    from demo.training import EPOCHS, train

# The question's, and two between them.
STRENGTHS = (0.0, 0.0001, 0.001, 0.01, 0.1, 1.0)
# The question compares accuracies: so does the dashboard, above the losses.
METRIC = "p.regularization.sweepMetric=epoch_accuracy"


def main() -> None:
    """Runs the sweep, prints its table and serves its dashboard."""
    options = parse_arguments()
    # Each training has functions of its own, and is meant to: TensorFlow warns of many.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    train_all(options)
    sweep = read_sweep(options.log_dir)
    print(f"\n{table(sweep)}\n\n{notes(sweep, options.steps)}")
    if options.serve:
        serve(options.log_dir)
    else:
        # That of this environment, which need not be on the path.
        tensorboard = os.path.relpath(Path(sys.executable).with_name("tensorboard"))
        print(f"\nTo see it: {tensorboard} --logdir {options.log_dir}")


def parse_arguments() -> argparse.Namespace:
    """Returns what the command line asks for."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--log-dir", type=Path, default=Path("logs/demo"))
    parser.add_argument(
        "--seeds", type=int, default=3, help="trainings of each λ (default: %(default)s)"
    )
    parser.add_argument(
        "--steps", type=int, default=2000, help="steps of each training (default: %(default)s)"
    )
    parser.add_argument(
        "--no-serve", dest="serve", action="store_false", help="stop after the table"
    )
    options = parser.parse_args()
    if options.steps < EPOCHS or options.steps % EPOCHS:
        parser.error(f"--steps must be a multiple of {EPOCHS}, not {options.steps}")
    if options.seeds < 1:
        parser.error(f"--seeds must be 1 or more, not {options.seeds}")
    return options


def train_all(options: argparse.Namespace) -> None:
    """Trains a network for each strength and seed, in place of what an earlier demo has left."""
    for strength in STRENGTHS:
        shutil.rmtree(options.log_dir / run_name(strength), ignore_errors=True)
    digits = load_digits()
    trainings = list(itertools.product(STRENGTHS, range(options.seeds)))
    with tqdm(total=len(trainings) * options.steps, unit=" steps") as bar:
        for strength, seed in trainings:
            bar.set_description(f"Training {run_name(strength)}, seed {seed}")
            run = options.log_dir / run_name(strength) / f"seed={seed}"
            train(run, strength, seed, digits, options.steps // EPOCHS, bar)


def run_name(strength: float) -> str:
    """Returns under what the runs of a strength are listed."""
    return f"lambda={strength:g}"


def read_sweep(log_dir: Path) -> Any:
    """Returns what each strength led to, from the logs."""
    command = [sys.executable, "-m", "tb_regplugin", "sweep", str(log_dir)]
    options = ["--json", "--metric", "epoch_accuracy"]
    printed = subprocess.run([*command, *options], check=True, capture_output=True).stdout
    return json.loads(printed)


def serve(log_dir: Path) -> None:
    """Starts TensorBoard on the logs, opens the dashboard, and waits for Ctrl+C."""
    server = program.TensorBoard()
    server.configure(argv=["tensorboard", "--logdir", str(log_dir)])
    with without_notices():
        address = f"{server.launch()}#regularization&{METRIC}"
    print(f"\nThe dashboard is at {address} (press Ctrl+C to stop)")
    has_display = sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if has_display:
        webbrowser.open(address)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
