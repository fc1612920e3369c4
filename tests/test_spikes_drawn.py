"""What Python finds to be a spike, the dashboard draws as one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_regplugin.reading.axis import bucket_bounds
from tb_regplugin.reading.buckets import fill_buckets
from tb_regplugin.reading.composition import ColumnSum
from tests.corpus.recordings import DATA, Stretch, table_of
from tests.dashboard_sources import run_module
from tests.test_spikes import NOISE, spikes_in

# As many as the dashboard asks for.
BUCKETS = 1000

_SCRIPT = """
import { readFileSync } from "node:fs";
import { spikesOf } from "./model/spikes.ts";
const told = JSON.parse(readFileSync(0, "utf8")).map(({ minimum, mean, maximum }) => {
  const [min, means, max] = [minimum, mean, maximum].map((values) => Float32Array.from(values));
  return [...(spikesOf({ min, mean: means, max }) ?? [])].flatMap((value, bucket) =>
    Number.isNaN(value) ? [] : [[bucket, value]],
  );
});
console.log(JSON.stringify(told));
"""


@pytest.mark.parametrize("rows", [2000, 2700, 20_000])
def test_a_spike_that_is_found_is_drawn(rows: int) -> None:
    """At its height, in the bucket of its step, and nothing else is."""
    asked, expected = [], []
    for seed, kind in enumerate(("normal, a twentieth", "normal, a third", "steps")):
        rng = np.random.default_rng(seed)
        values: Any = np.abs(NOISE[kind](rng, rows)).astype(np.float32)
        at = int(rng.integers(50, rows))
        values[at] = 100 * values.max()
        (finding,) = spikes_in(values)
        table = table_of([Stretch({DATA: values}, np.arange(rows))])
        bounds = bucket_bounds(table.steps, None, None, BUCKETS)
        buckets = fill_buckets(table, [ColumnSum((0,))], bounds)
        bucket = int(np.searchsorted(buckets.last_step, finding.first_step or 0))
        is_drawn_by_mean = buckets.mean[0, bucket] == values[at]
        expected.append([] if is_drawn_by_mean else [[bucket, float(values[at])]])
        asked.append(
            {name: getattr(buckets, name)[0].tolist() for name in ("minimum", "mean", "maximum")}
        )
    assert run_module(_SCRIPT, asked) == expected
