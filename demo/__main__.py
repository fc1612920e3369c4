"""Trains EasyNet with four strengths of L2 and shows what became of its loss."""

import argparse
import os
import sys
import threading
import webbrowser
from pathlib import Path

# Before TensorFlow is imported: its notices on CPUs and GPUs would bury the table.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from tensorboard import program
from tqdm import tqdm

from demo.digits import Digits, load_digits
from demo.easynet import easynet
from tb_regplugin import Recording, RegularizationCallback, load

STRENGTHS = (0.0, 0.0001, 0.01, 1.0)
BATCH_SIZE = 50
# The steps at the end of a training over which the table averages its losses.
LAST_STEPS = 100
# The accuracy of naming one of ten digits at random.
GUESSING = 0.1


class Progress(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types.
    """Moves a progress bar by one a step."""

    def __init__(self, bar: "tqdm[None]") -> None:
        super().__init__()
        self._bar = bar

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        """Moves the bar."""
        self._bar.update()


def main() -> None:
    """Runs the sweep, prints its table and serves its dashboard."""
    options = parse_arguments()
    digits = load_digits()
    print(f"Training EasyNet on {digits.source}.\n")
    accuracies = {}
    for strength in STRENGTHS:
        accuracies[strength] = train(strength, digits, options)
    print_table(accuracies, load(options.log_dir))
    if options.serve:
        serve(options.log_dir)
    else:
        print(f"\nTo see it: tensorboard --logdir {options.log_dir}")


def parse_arguments() -> argparse.Namespace:
    """Returns what the command line asks for."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--log-dir", type=Path, default=Path("logs/demo"))
    parser.add_argument("--seed", type=int, default=0, help="of initial weights and batches")
    parser.add_argument("--steps", type=int, default=4000, help="training steps for each λ")
    parser.add_argument(
        "--no-serve", dest="serve", action="store_false", help="stop after the table"
    )
    return parser.parse_args()


def run_name(strength: float) -> str:
    """Returns the run of a strength, as the dashboard lists it."""
    return f"lambda={strength:g}"


def train(strength: float, digits: Digits, options: argparse.Namespace) -> float:
    """Trains one network, recording it, and returns its accuracy on the test images."""
    model = easynet(strength, options.seed)
    with tqdm(
        total=options.steps, desc=f"λ = {strength:<6g}", unit=" steps", mininterval=0.5
    ) as bar:
        model.fit(
            training_batches(digits, options.seed),
            steps_per_epoch=options.steps,
            shuffle=False,  # The batches are.
            verbose=0,
            callbacks=[
                RegularizationCallback(options.log_dir / run_name(strength)),
                Progress(bar),
            ],
        )
    metrics = model.evaluate(digits.test_images, digits.test_labels, verbose=0, return_dict=True)
    return float(metrics["accuracy"])


def training_batches(digits: Digits, seed: int) -> tf.data.Dataset:
    """Returns endless batches, in another order in each epoch.

    Keras' own shuffling, under a fixed seed, repeats one order, which shows in the data loss.
    """
    return (
        tf.data.Dataset.from_tensor_slices((digits.train_images, digits.train_labels))
        .shuffle(len(digits.train_images), seed=seed)
        .repeat()
        .batch(BATCH_SIZE, drop_remainder=True)
        .prefetch(tf.data.AUTOTUNE)
    )


def print_table(accuracies: dict[float, float], recordings: dict[str, Recording]) -> None:
    """Prints what each strength did, from the recordings."""
    print(f"\nMeans over the last {LAST_STEPS} steps; penalty is λ/2 · Σ‖w‖².\n")
    print(f"{'λ':>8}{'test accuracy':>16}{'data loss':>12}{'penalty':>12}{'share':>9}")
    for strength, accuracy in accuracies.items():
        recording = recordings[f"{run_name(strength)}/train"]
        means = recording.values[-LAST_STEPS:].mean(axis=0, dtype=float)
        roles = [column.role for column in recording.columns]
        data = sum(mean for mean, role in zip(means, roles, strict=True) if role == "data")
        penalty = sum(mean for mean, role in zip(means, roles, strict=True) if role == "penalty")
        share = penalty / (data + penalty)
        print(f"{strength:>8g}{accuracy:>16.4f}{data:>12.4f}{penalty:>12.4f}{share:>9.1%}")
    print_collapse(accuracies[1.0], recordings[f"{run_name(1.0)}/train"])


def print_collapse(accuracy: float, recording: Recording) -> None:
    """Says what happened at λ = 1, if it did."""
    if accuracy > 2 * GUESSING:
        return
    total, *parts = recording.values[0]
    penalties = [
        part
        for part, column in zip(parts, recording.columns[1:], strict=True)
        if column.role == "penalty"
    ]
    print(
        f"\nAt λ = 1 the penalty is {sum(penalties) / total:.0%} of the loss at first. It drives "
        "the weights to zero, and\nthe network is left guessing. Differences of a percent between "
        "the others are within\nthe noise of one seed."
    )


def serve(log_dir: Path) -> None:
    """Starts TensorBoard on the logs, opens the dashboard, and waits for Ctrl+C."""
    server = program.TensorBoard()
    server.configure(argv=["tensorboard", "--logdir", str(log_dir)])
    address = f"{server.launch()}#regularization"
    print(f"\nThe dashboard is at {address} (Ctrl+C ends it)")
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
