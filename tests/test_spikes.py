"""One step that sticks out is found, and noise of whatever kind is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tb_regplugin.finding import Finding
from tb_regplugin.findings.catalogue import Thresholds
from tb_regplugin.findings.curves import Curves
from tb_regplugin.findings.find import find_in_table
from tb_regplugin.findings.spikes import spiked
from tb_regplugin.terms import Term
from tests.corpus.recordings import DATA, TOTAL, Stretch, l2, table_of

Noise = Callable[[np.random.Generator, int], Any]


def _falling(rows: int) -> Any:
    return 0.2 + 2 * np.exp(-5 * np.linspace(0, 1, rows))


# What losses of batches look like, and worse. docs/findings.md has the rates.
NOISE: dict[str, Noise] = {
    "normal, a twentieth": lambda rng, n: _falling(n) * (1 + 0.05 * rng.standard_normal(n)),
    "normal, a third": lambda rng, n: _falling(n) * (1 + 0.33 * rng.standard_normal(n)),
    "normal, around zero": lambda rng, n: rng.standard_normal(n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "log-normal": lambda rng, n: _falling(n) * np.exp(rng.standard_normal(n)),
    "log-normal, squared": lambda rng, n: np.exp(2 * rng.standard_normal(n)),
    "Student's t, 3": lambda rng, n: 2 + 0.1 * rng.standard_t(3, n),
    "Student's t, 2": lambda rng, n: 2 + 0.1 * rng.standard_t(2, n),
    "Pareto, 2": lambda rng, n: 1 + rng.pareto(2, n),
    "Cauchy": lambda rng, n: rng.standard_cauchy(n),
    "a random walk": lambda rng, n: np.cumsum(rng.standard_normal(n)),
    "mostly zero": lambda rng, n: (rng.random(n) < 0.01) * rng.exponential(size=n),
    "steps": lambda rng, n: np.repeat(rng.random(n // 50 + 1), 50)[:n],
    "every epoch": lambda rng, n: 0.25 + 4 * (np.arange(n) % (n // 4) == 30) + rng.random(n) / 99,
    "a wild start": lambda rng, n: (
        2 + rng.random(n) / 9 + 50 * rng.exponential(size=n) * np.exp(-np.arange(n) / 3)
    ),
}


def spikes_in(values: Any, thresholds: Thresholds | None = None) -> list[Finding]:
    """Returns the spikes of a data loss."""
    table = table_of([Stretch({DATA: values}, np.arange(len(values)))])
    return list(spiked(Curves(table), thresholds or Thresholds()))


@pytest.mark.parametrize("rows", [200, 1000, 5000])
@pytest.mark.parametrize("kind", NOISE)
def test_noise_is_no_spike(kind: str, rows: int) -> None:
    """Of 200 recordings of noise at most two; ten where its tails leave it no variance."""
    found = sum(
        bool(spikes_in(NOISE[kind](np.random.default_rng(seed), rows))) for seed in range(200)
    )
    assert found <= (10 if kind in ("Student's t, 2", "Pareto, 2", "Cauchy") else 2)


@example("steps", 1, 200, 0.5078125, 1.0)
@given(
    st.sampled_from(["normal, a twentieth", "normal, a third", "Student's t, 3", "steps"]),
    st.integers(0, 1000),
    st.integers(200, 2000),
    st.floats(0.05, 0.95),
    st.sampled_from([1e-6, 1.0, 1e6]),
)
def test_a_spike_is_found_at_its_step(
    kind: str, seed: int, rows: int, where: float, unit: float
) -> None:
    """At any size, when it is far above the noise."""
    values = NOISE[kind](np.random.default_rng(seed), rows)
    at = max(25, int(where * rows))
    values[at] = 100 * np.abs(values).max()
    (finding,) = spikes_in(unit * values)
    assert (finding.code, finding.severity) == ("spike", "warning")
    assert finding.first_step == finding.last_step == at


@given(st.integers(0, 1000), st.floats(0.1, 100), st.floats(-100, 100))
def test_trends_and_steps_are_no_spikes(seed: int, slope: float, to: float) -> None:
    """However steep: nothing leaves the range of its neighbours."""
    rng = np.random.default_rng(seed)
    values = slope * np.sort(rng.standard_cauchy(600))
    values[rng.integers(600) :] += np.abs(to)
    assert spikes_in(values) == []
    assert spikes_in(-values) == []


def test_it_is_said_which_term_it_was_and_what_it_was_before_and_after() -> None:
    """The total that sticks out with it is not told too."""
    kernel = np.full(20_000, 0.25)
    kernel[13_337] = 4
    rng = np.random.default_rng(0)
    data = _falling(20_000) * (1 + 0.05 * rng.standard_normal(20_000))
    columns = {TOTAL: data + kernel, DATA: data, l2("dense_2/kernel"): kernel}
    (finding,) = find_in_table(table_of([Stretch(columns, np.arange(20_000))]))
    assert finding.sentence == (
        "dense_2/kernel is 4 at step 13,337 only (0.25 just before, 0.25 just after)."
    )
    assert finding.terms == ("dense_2/kernel",)
    assert (finding.severity, finding.first_step) == ("warning", 13_337)


def test_terms_that_stick_out_together_are_one_finding() -> None:
    """With their sums."""
    spike = np.where(np.arange(500) == 300, 3.0, 1.0)
    columns = {DATA: np.ones(500), l2("a"): spike, l2("b"): 2 * spike}
    (finding,) = spiked(Curves(table_of([Stretch(columns, np.arange(500))])), Thresholds())
    assert "a and b are together 9 at step 300 only (3 just before, 3 just after)" in (
        finding.sentence
    )


def test_a_spike_of_a_small_term_only_explains() -> None:
    """It is a note under half of the loss, and nothing under a thousandth of it."""
    spike = np.where(np.arange(500) == 300, 3.0, 1.0)

    def severities(data: float) -> list[str]:
        columns = {DATA: np.full(500, data), l2(): spike}
        found = spiked(Curves(table_of([Stretch(columns, np.arange(500))])), Thresholds())
        return [finding.severity for finding in found]

    assert severities(0.5) == ["warning"]
    assert severities(100) == ["info"]
    assert severities(1e5) == []


def test_only_the_total_is_told_where_no_part_sticks_out() -> None:
    """A part that isn't recorded."""
    total = np.where(np.arange(500) == 300, 30.0, 2.0)
    columns = {TOTAL: total, DATA: np.ones(500), l2(): np.ones(500)}
    (finding,) = spiked(Curves(table_of([Stretch(columns, np.arange(500))])), Thresholds())
    assert finding.terms == ("total",)


def test_a_fall_at_one_step_is_told_too() -> None:
    """Such as a batch whose labels are all masked."""
    values = np.where(np.arange(500) == 300, 0.0, 2.0)
    (finding,) = spikes_in(values)
    assert "data is 0 at step 300 only" in finding.sentence


def test_the_largest_few_are_told_and_what_is_common_is_not() -> None:
    """Five terms with five spikes each are five findings; one with six has none."""
    rng = np.random.default_rng(0)
    values = np.ones((6, 2000))
    for i in range(5):
        values[i, 100 + rng.choice(1800, 5, replace=False)] = 50 + i
    values[5, 100 + rng.choice(1800, 6, replace=False)] = 1000
    columns = {Term(str(i)): column for i, column in enumerate(values)}
    found = list(spiked(Curves(table_of([Stretch(columns, np.arange(2000))])), Thresholds()))
    assert len(found) == 5
    assert all("5" not in finding.terms for finding in found)
    assert found == sorted(found, key=lambda finding: finding.first_step or 0)


def test_a_layout_of_one_step_is_its_own_finding() -> None:
    """A strength that was raised for a step, and lowered again."""
    parts = [(np.arange(300), 0.01), (np.arange(300, 301), 1.0), (np.arange(301, 600), 0.01)]
    stretches = [
        Stretch({DATA: np.ones(len(steps)), l2(strength=strength): 100 * strength}, steps)
        for steps, strength in parts
    ]
    codes = [finding.code for finding in find_in_table(table_of(stretches))]
    assert "spike" not in codes
    assert "strength_changed" in codes


def test_a_spike_between_gaps_keeps_its_step() -> None:
    """Rows whose values are NaN or were not recorded are no neighbours."""
    values = np.ones(500)
    values[100:120] = np.nan
    values[298] = values[302] = np.nan
    values[300] = 9
    assert [finding.first_step for finding in spikes_in(values)] == [300]


def test_thresholds_decide() -> None:
    """How far, and how much further than all others."""
    values = np.where(np.arange(500) == 300, 1.4, 1.0)
    assert spikes_in(values) == []
    assert len(spikes_in(values, Thresholds(spike_of_level=0.3))) == 1
    noisy = values + np.where(np.arange(500) % 2, 0.05, 0.0)
    assert spikes_in(noisy, Thresholds(spike_of_level=0.3)) == []
    assert len(spikes_in(noisy, Thresholds(spike_of_level=0.3, spike=5))) == 1
