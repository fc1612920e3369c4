"""What recording gradients costs a training step of the demo, in CPU time, in paired fits.

Usage: python -m bench.gradient_cost [--steps N] [--rounds N]

Each round trains one model for some steps in every way, one after another in a changing order; a
ratio is that of two ways in the same round. Two of the ways record losses alone, so that their
ratio shows the noise.
"""

import argparse
import os
import tempfile
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

import tb_regplugin
from bench.in_step_cost import report
from demo.easynet import easynet

_BATCH = 50
_WAYS = {"bare": None, "bare again": None, "every step": 1, "every 100 steps": 100}


def main() -> None:
    """Measures the demo's network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    images = np.random.default_rng(0).random((_BATCH, 784), np.float32)
    labels = np.arange(_BATCH) % 10
    batches = tf.data.Dataset.from_tensors((images, labels)).cache().repeat()
    with tempfile.TemporaryDirectory() as directory:

        def way(name: str, gradients_every: int | None) -> Callable[[], object]:
            model = easynet(0.01, seed=0)
            path = f"{directory}/{name}"
            callback = tb_regplugin.RegularizationCallback(path, gradients_every=gradients_every)
            return lambda: model.fit(
                batches, steps_per_epoch=options.steps, verbose=0, callbacks=[callback]
            )

        ways = {name: way(name, every) for name, every in _WAYS.items()}
        rounds = argparse.Namespace(rounds=options.rounds, steps=1)
        report(f"A fit of {options.steps} steps; bare records losses alone", ways, rounds)


if __name__ == "__main__":
    main()
