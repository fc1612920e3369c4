"""Sweeps of strengths whose numbers a test can compute."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tensorboard.compat.proto import event_pb2, summary_pb2

from tb_regplugin import Term, Writer
from tests.logs import write_events

# By strength: about what data loss it ends at, in training and in validation, and its accuracy.
ENDS = {
    0.0: (0.04, 0.8, 0.78),
    1e-4: (0.05, 0.75, 0.79),
    1e-3: (0.1, 0.7, 0.8),
    1e-2: (0.5, 0.55, 0.86),
    1.0: (2.3, 2.31, 0.1),
}
SEEDS = 3
STEPS = 100
VALIDATIONS = 20
METRIC = "epoch_accuracy"

Values = npt.NDArray[np.float64]


def run_name(strength: float, seed: int) -> str:
    """Returns the name of a run, without the part."""
    return f"lambda={strength:g}_seed={seed}"


def values_of(strength: float, seed: int) -> tuple[Values, Values, Values]:
    """Returns what a run recorded: data losses of training and validation, and accuracies."""
    noise = np.random.default_rng([round(strength * 1e4), seed])
    training, validation, accuracy = ENDS[strength]
    return (
        training * (1 + np.exp(-np.arange(STEPS) / 10)) * noise.uniform(0.9, 1.1, STEPS),
        validation * noise.uniform(0.95, 1.05) * noise.uniform(0.99, 1.01, VALIDATIONS),
        accuracy * noise.uniform(0.97, 1.03) * np.ones(VALIDATIONS),
    )


def write_run(
    directory: Path, strength: float, seed: int, steps: int = STEPS, lost: int | None = None
) -> None:
    """Writes a run whose penalties are λ ÷ (λ + 0.01) of its data loss; NaN from a step on."""
    run = directory / run_name(strength, seed)
    training, validation, accuracy = values_of(strength, seed)
    kernel = Term("dense/kernel", kind="l2", strength=strength, coefficient=strength)
    share = strength / (strength + 0.01)
    with Writer(run / "train") as writer:
        for step, loss in enumerate(training[:steps].tolist()):
            is_lost = lost is not None and step >= lost
            writer.write(step, np.nan if is_lost else loss, {kernel: loss * share})
    with Writer(run / "validation") as writer:
        for epoch, loss in enumerate(validation.tolist()):
            writer.write(epoch * STEPS // VALIDATIONS, loss, {kernel: loss * share})
    write_scalars(run / "validation", METRIC, accuracy.tolist())


def write_scalars(directory: Path, tag: str, values: Sequence[float]) -> None:
    """Writes a scalar of a value at each step."""
    events = []
    for step, value in enumerate(values):
        summary = summary_pb2.Summary(
            value=[summary_pb2.Summary.Value(tag=tag, simple_value=value)]
        )
        events.append(event_pb2.Event(step=step, wall_time=float(step), summary=summary))
    write_events(directory, events)


def write_sweep(directory: Path) -> int:
    """Writes all strengths with all seeds; returns how many recordings that is."""
    for strength in ENDS:
        for seed in range(SEEDS):
            write_run(directory, strength, seed)
    return 2 * SEEDS * len(ENDS)


def write_uneven_sweep(directory: Path) -> int:
    """Writes one run a strength: of 0.0001 too short, of 1 lost to NaN."""
    for strength in ENDS:
        steps = 60 if strength == 1e-4 else STEPS
        write_run(directory, strength, 0, steps, lost=50 if strength == 1 else None)
    return 2 * len(ENDS)


# Strengths of L1 and of L2 that vary at once, and how many seeds each pair has.
L1, L2 = (0.0, 1e-3, 1e-2), (0.0, 0.1, 1.0)
PAIRS = {(l1, l2): 0 if (l1, l2) == (1e-2, 1.0) else 2 for l1 in L1 for l2 in L2}


def loss_of_pair(l1: float, l2: float, seed: int) -> float:
    """Returns the data loss that a run of two strengths has at each step."""
    return 0.5 + 10 * abs(l1 - 1e-3) + 0.3 * abs(l2 - 0.1) + 0.01 * seed


def write_grid(directory: Path) -> int:
    """Writes two seeds of all pairs but one; returns how many recordings that is."""
    for (l1, l2), seeds in PAIRS.items():
        terms = [Term("a", kind="l1", strength=l1), Term("b", kind="l2", strength=l2)]
        for seed in range(seeds):
            with Writer(directory / f"l1={l1:g}_l2={l2:g}_seed={seed}") as writer:
                for step in range(10):
                    loss = loss_of_pair(l1, l2, seed)
                    writer.write(step, loss, dict.fromkeys(terms, 0.125))
    return sum(PAIRS.values())
