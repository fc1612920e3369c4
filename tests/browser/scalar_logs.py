"""Logs as three trainers write them, by the summary writers that people have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tensorboard.compat.proto import event_pb2
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

Values = npt.NDArray[np.float32]

STEPS = np.arange(200)
WEIGHTS = {"box": 0.5, "label": 2.0}


def losses(seed: int, level: float = 1.0, steps: int = len(STEPS)) -> Values:
    """Returns a loss that falls, with noise."""
    noise = np.random.default_rng(seed).normal(1, 0.1, steps)
    return np.asarray(level * (0.2 + np.exp(-np.linspace(0, 3, steps))) * noise, np.float32)


def write(directory: Path, scalars: dict[str, Values], every: int = 1) -> None:
    """Writes scalars with TensorBoard's own writer, as TensorFlow 2 does."""
    writer = EventFileWriter(str(directory))
    for tag, values in scalars.items():
        for place, value in enumerate(values.tolist()):
            step = place * every
            event = event_pb2.Event(wall_time=1e9 + step, step=step, summary=scalar_pb(tag, value))
            writer.add_event(event)
    writer.close()


def write_object_detection(directory: Path, steps: int = len(STEPS)) -> dict[str, Values]:
    """The Object Detection API: all is logged, and the total is its sum."""
    parts = {"classification": 2.0, "localization": 1.0, "regularization": 0.4}
    scalars = {
        f"Loss/{name}_loss": losses(seed, level, steps)
        for seed, (name, level) in enumerate(parts.items())
    }
    scalars["Loss/total_loss"] = np.asarray(sum(scalars.values()), np.float32)
    write(directory, scalars | {"learning_rate": losses(9, 0.01, steps)})
    return scalars


def write_keras(directory: Path) -> None:
    """Keras with two outputs, their weights and a penalty in the loss: only losses are logged."""
    for seed, run in enumerate(("train", "validation")):
        outputs = {name: losses(10 * seed + i) for i, name in enumerate(WEIGHTS)}
        total = sum(WEIGHTS[name] * values for name, values in outputs.items())
        scalars = {f"epoch_{name}_loss": values for name, values in outputs.items()}
        scalars["epoch_loss"] = np.asarray(total, np.float32)
        write(directory / run, scalars)


def write_stable_baselines(directory: Path) -> None:
    """Stable-Baselines3's PPO, which logs with PyTorch: losses without their weights."""
    tensorboard = pytest.importorskip("torch.utils.tensorboard")
    with tensorboard.SummaryWriter(str(directory)) as writer:
        tags = ("policy_gradient_loss", "value_loss", "entropy_loss", "loss", "clip_fraction")
        for seed, tag in enumerate(tags):
            for step, value in enumerate(losses(30 + seed).tolist()):
                writer.add_scalar(f"train/{tag}", value, 2048 * step)
