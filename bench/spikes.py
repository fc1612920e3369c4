"""How many of the spikes of one step are there to be seen."""

from __future__ import annotations

import json
import tempfile
import urllib.parse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.logs import (
    SPIKES,
    WORKLOADS,
    Workload,
    chunk_values,
    chunks,
    layout,
    spikes,
    write_blocks,
    write_scalars,
)
from bench.reader import open_reader
from bench.report import Section
from tests.curves import decode_curves
from tests.tensorboard_process import get, start_tensorboard, wait_until

_POINTS = 1000


def measure(quick: bool) -> Section:
    """Looks for each spike at every zoom, among TensorBoard's samples, and in LTTB's choice."""
    section = Section(
        "Spikes of one step that are there to be seen",
        f"{SPIKES} in each run, each in one term at one step. tb_regplugin: those whose height is "
        "inside its bucket's minimum and maximum in all of the ranges around it, from the whole "
        "run, halved down to 1,000 steps, where the very step must be its own bucket. Scalars: "
        f"those among the points that TensorBoard keeps. LTTB: those among {_POINTS:,} points a "
        "series, chosen by largest triangles.",
        ["workload", "tb_regplugin", "TensorBoard's scalars", "LTTB"],
    )
    for name in ["W1"] if quick else ["W1", "W2", "W3", "W4"]:
        workload = WORKLOADS[name]
        total = SPIKES * workload.runs
        ours = _found_by_plugin(workload)
        # A million steps of scalars would take this machine half an hour.
        scalars = None if name == "W4" else _found_by_scalars(workload)
        section.add(
            str(workload),
            f"{ours} of {total}",
            "–" if scalars is None else f"{scalars} of {total}",
            f"{_found_by_lttb(workload)} of {total}",
        )
    return section


def _found_by_plugin(workload: Workload) -> int:
    with tempfile.TemporaryDirectory() as directory:
        write_blocks(workload, Path(directory))
        with open_reader(Path(directory)) as reader:
            found = 0
            for run in range(workload.runs):
                for step, column, height in spikes(workload, run):
                    inside = True
                    width = workload.steps
                    while inside and width >= 1000:
                        start = min(max(0, step - width // 2), workload.steps - width)
                        query = {"start": str(start), "end": str(start + width - 1)}
                        answer = reader.curves({**query, "buckets": str(_POINTS)}, run)
                        inside = _is_inside(answer, step, column, height, exact=width <= 1000)
                        width = 1000 if 1000 < width < 2000 else width // 2
                    found += inside
    return found


def _is_inside(answer: bytes, step: int, column: int, height: float, *, exact: bool) -> bool:
    _, arrays = decode_curves(answer)
    (buckets,) = np.nonzero((arrays["first_step"] <= step) & (step <= arrays["last_step"]))
    (bucket,) = buckets
    low, high = arrays["min"][column, bucket], arrays["max"][column, bucket]
    if exact:
        return bool(arrays["first_step"][bucket] == step and low == height == high)
    return bool(low <= height <= high)


def _found_by_scalars(workload: Workload) -> int:
    names = [column.name for column in layout(workload.terms).columns]
    with tempfile.TemporaryDirectory() as directory:
        write_scalars(workload, Path(directory))
        with start_tensorboard(directory) as address:

            def points(run: int, column: int) -> list[list[float]]:
                query = {"run": f"run_{run:03d}", "tag": f"losses/{names[column]}"}
                url = f"{address}data/plugin/scalars/scalars?{urllib.parse.urlencode(query)}"
                status, _, body = get(url)
                return json.loads(body) if status == 200 else []

            def loaded() -> bool:
                ends = (points(run, workload.columns - 1)[-1:] for run in range(workload.runs))
                return all(end and end[0][1] == workload.steps - 1 for end in ends)

            wait_until(loaded)
            return sum(
                any(point[1] == step for point in points(run, column))
                for run in range(workload.runs)
                for step, column, _ in spikes(workload, run)
            )


def _found_by_lttb(workload: Workload) -> int:
    found = 0
    for run in range(workload.runs):
        wanted = spikes(workload, run)
        columns = sorted({column for _, column, _ in wanted})
        parts = [chunk_values(workload, run, part)[:, columns] for part in chunks(workload, run)]
        values = np.concatenate(parts)
        kept = {
            column: set(largest_triangles(values[:, i], _POINTS).tolist())
            for i, column in enumerate(columns)
        }
        found += sum(step in kept[column] for step, column, _ in wanted)
    return found


def largest_triangles(values: npt.NDArray[np.float32], points: int) -> npt.NDArray[np.int64]:
    """Chooses points by Largest Triangle Three Buckets.

    Source: S. Steinarsson, Downsampling Time Series for Visual Representation, 2013, section 4.2.
    """
    edges = np.linspace(1, len(values) - 1, points - 1).astype(np.int64)
    x = np.arange(len(values), dtype=np.float64)
    chosen = [0]
    for i in range(points - 2):
        low, high = int(edges[i]), int(edges[i + 1])
        after = slice(high, int(edges[i + 2]) if i + 2 < len(edges) else len(values))
        far_x, far_y = x[after].mean(), float(values[after].mean())
        last_x, last_y = x[chosen[-1]], float(values[chosen[-1]])
        areas = np.abs(
            (last_x - far_x) * (values[low:high] - last_y)
            - (last_x - x[low:high]) * (far_y - last_y)
        )
        chosen.append(low + int(areas.argmax()))
    return np.array([*chosen, len(values) - 1])
