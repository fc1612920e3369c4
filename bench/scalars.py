"""What it takes to find compositions in runs of plain scalars."""

from __future__ import annotations

import time

import numpy as np

from bench.report import Section
from tb_regplugin.scalars.composition import Series
from tb_regplugin.scalars.compositions import find_compositions
from tb_regplugin.scalars.tags import is_likely

_STEPS, _TAGS = 1_000, 50


def measure(quick: bool) -> Section:
    """Times the rules on one run, and the look at the names of many."""
    runs = 100 if quick else 1_000
    section = Section(
        "Compositions of scalars",
        f"Rules: of one run of {_TAGS} tags × {_STEPS:,} steps, in memory: the median of 20, in "
        "processor time. Plain: 12 of 14 losses add up. Weights: 3 of 4 do, one of them times "
        "two logged weights. Nothing: 14 losses of which no sum is the total, so that all 16,384 "
        f"are tried. Many: 40 of 45 losses. Names: whether any of {runs:,} runs of {_TAGS} tags "
        "may have a composition, where none has: of the same tags, and each of its own.",
        ["what", "limit", "milliseconds"],
    )
    for name, series in {
        "plain": _run(12),
        "weights": _run(3),
        "nothing": _run(0),
        "many": _run(40),
    }.items():
        section.add(f"rules: {name}", "20", f"{1e3 * _median(series):.1f}")
    same = [[f"metrics/{i}/accuracy" for i in range(_TAGS)] for _ in range(runs)]
    own = [[f"metrics_{run}/{i}/accuracy" for i in range(_TAGS)] for run in range(runs)]
    for name, tags in {"same tags": same, "own tags": own}.items():
        start = time.process_time()
        assert not any(map(is_likely, tags))
        limit = "20" if name == "same tags" else "–"
        section.add(f"names: {name}", limit, f"{1e3 * (time.process_time() - start):.1f}")
    return section


def _median(series: dict[str, Series]) -> float:
    times = []
    for _ in range(20):
        start = time.process_time()
        find_compositions(series)
        times.append(time.process_time() - start)
    return float(np.median(times))


def _run(parts: int) -> dict[str, Series]:
    """A run with so many parts of a total: times weights where they are 3; none with 0."""
    random, steps = np.random.default_rng(0), np.arange(_STEPS)

    def curve() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.asarray(np.exp(-steps / 400) * random.uniform(0.5, 1.5, _STEPS))

    losses = {3: 4, 40: 45}.get(parts, 14)
    values = {f"train/{i}_loss": curve() for i in range(losses)}
    total = sum(list(values.values())[:parts], np.zeros(_STEPS)) if parts else 3 * curve()
    if parts == 3:
        values |= {"train/d_weight": curve(), "train/g_factor": curve()}
        total += (values["train/d_weight"] * values["train/g_factor"] - 1) * values["train/0_loss"]
    values["train/loss"] = total
    values |= {f"metrics/accuracy_{i}": curve() for i in range(_TAGS - len(values))}
    return {tag: (steps, each) for tag, each in values.items()}
