"""Trainers whose parts or weights no rule could tell from tags: what their sources say."""

from __future__ import annotations

import re
from typing import NamedTuple


class Trainer(NamedTuple):
    """What one trainer logs.

    Attributes:
      name: What it is called.
      parts: A pattern of the whole tags of parts of a loss.
      source: Where that is written.
      weight: The weight that these parts have by default.
      logs_total: Whether it logs their total, too.
    """

    name: str
    parts: re.Pattern[str]
    source: str
    weight: float = 1.0
    logs_total: bool = False


TRAINERS = (
    Trainer(
        "CycleGAN",
        re.compile(r"(G|cycle|idt)_[AB]"),
        "junyanz/pytorch-CycleGAN-and-pix2pix models/cycle_gan_model.py, loss_names and backward_G",
    ),
    Trainer(
        "3D Gaussian splatting",
        re.compile(r"train_loss_patches/l1_loss"),
        "graphdeco-inria/gaussian-splatting train.py; 1 - lambda_dssim in arguments/__init__.py",
        0.8,
        logs_total=True,
    ),
)

# Most tags are in none of them, which one pattern tells.
_ALL_PARTS = re.compile("|".join(trainer.parts.pattern for trainer in TRAINERS))


def trainer_of(tag: str) -> Trainer | None:
    """Returns the trainer that logs a part under this tag, if there is one in the table."""
    if _ALL_PARTS.fullmatch(tag) is None:
        return None
    return next(trainer for trainer in TRAINERS if trainer.parts.fullmatch(tag))
