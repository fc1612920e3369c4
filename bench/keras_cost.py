"""What recording costs a compiled Keras step, beside Keras' own TensorBoard callback."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from bench.report import Section


class _Model(NamedTuple):
    """A network of equal layers, each with a penalty, and how it is measured."""

    terms: int
    width: int
    batch: int
    steps: int
    rounds: int


# The first is small, so that what a step costs beside its mathematics shows; the last takes 50 ms
# a step on two cores.
_MODELS = (
    _Model(3, 32, 32, 500, 15),
    _Model(3, 256, 256, 200, 15),
    _Model(100, 128, 128, 40, 15),
    _Model(300, 128, 384, 20, 15),
)


def measure(quick: bool) -> Section:
    """Measures fits of models of 3, 100 and 300 terms, with and without callbacks, in turns."""
    section = Section(
        "A compiled Keras step, recorded",
        "Wall time of a step in `fit`, without and with a callback, on TensorFlow. Ways take turns "
        "in a changing order on the same model; ratios to bare are those of one round, as "
        "median and quartiles. Bare again shows the noise.",
        ["model", "way", "ms a step", "× bare", "quartiles"],
    )
    for model in _MODELS[:2] if quick else _MODELS:
        rounds = 3 if quick else model.rounds
        for way, (milliseconds, low, ratio, high) in _measured(model, rounds).items():
            name = f"{model.terms} layers of {model.width}, batch {model.batch}"
            section.add(
                name, way, f"{milliseconds:.2f}", f"{ratio:.3f}", f"{low:.3f} to {high:.3f}"
            )
    return section


def _measured(model: _Model, rounds: int) -> dict[str, tuple[float, float, float, float]]:
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as directory:
        ways = _ways(model, directory)
        for fit in ways.values():
            fit()
            fit()
        for _ in range(rounds):
            for way in random.sample(list(ways), len(ways)):
                start = time.perf_counter()
                ways[way]()
                seconds.setdefault(way, []).append((time.perf_counter() - start) / model.steps)
    found = {}
    for way in ways:
        ratios = [one / bare for one, bare in zip(seconds[way], seconds["bare"], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        found[way] = statistics.median(seconds[way]) * 1e3, low, middle, high
    return found


def _ways(shape: _Model, directory: str) -> dict[str, Callable[[], object]]:
    import keras
    import numpy as np

    import tb_regplugin

    l2 = keras.regularizers.L2(1e-4)
    model = keras.Sequential(
        [keras.Input((shape.width,))]
        + [keras.layers.Dense(shape.width, kernel_regularizer=l2) for _ in range(shape.terms)]
    )
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(shape.batch * shape.steps, shape.width))
    ours = tb_regplugin.RegularizationCallback(f"{directory}/ours")
    theirs = keras.callbacks.TensorBoard(f"{directory}/theirs", update_freq=1)

    def fit(*callbacks: Any) -> None:
        model.fit(x, 0 * x, batch_size=shape.batch, callbacks=list(callbacks), verbose=0)

    return {
        "bare": fit,
        "bare again": fit,
        "tb_regplugin `RegularizationCallback`": lambda: fit(ours),
        "Keras' `TensorBoard(update_freq=1)`": lambda: fit(theirs),
    }
