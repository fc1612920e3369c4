"""Recordings of healthy trainings, near misses, and trainings that went wrong.

Each function returns the stretches of a recording: columns, steps and values of each layout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tb_regplugin.finding import Finding
from tb_regplugin.findings.catalogue import found
from tb_regplugin.log_format import Block, layout_id
from tb_regplugin.reading.table import GrowingTable, Table, union
from tb_regplugin.terms import Layout, Term

STEPS = 1000
T = np.linspace(0.0, 1.0, STEPS)
TOTAL, DATA = Term("total", role="total"), Term("data", role="data")

Values = Mapping[Term, npt.ArrayLike]


class Stretch(NamedTuple):
    """Rows of one layout."""

    values: Values
    steps: npt.NDArray[np.int64] = np.arange(STEPS)
    # What the writer found as it began.
    findings: tuple[Finding, ...] = ()

    @property
    def layout(self) -> Layout:
        """What its columns are."""
        return Layout(tuple(self.values), self.findings)


class Training(NamedTuple):
    """What was recorded, and the codes of what is wrong."""

    record: Callable[[], Sequence[Stretch]]
    expected: tuple[str, ...]


RECORDINGS: dict[str, Training] = {}


def recording(*expected: str) -> Callable[[Any], Any]:
    """Adds a recording to the corpus."""

    def add(record: Any) -> Any:
        RECORDINGS[record.__name__] = Training(record, expected)
        return record

    return add


def table_of(stretches: Sequence[Stretch]) -> Table:
    """Returns a recording as it is in memory when it was read."""
    layouts = {layout_id(layout): layout for layout in (s.layout for s in stretches)}
    rows = GrowingTable(union(list(layouts.values())), layouts, STEPS)
    for i, stretch in enumerate(stretches):
        values = [np.broadcast_to(v, len(stretch.steps)) for v in stretch.values.values()]
        array = np.array(values, np.float32).T
        block = Block(stretch.steps, stretch.steps.astype(np.float64), array)
        rows.append(str(i), layout_id(stretch.layout), block)
    return rows.table()


def l2(name: str = "kernel", strength: float | None = 0.01, **known: Any) -> Term:
    """Returns an L2 term."""
    return Term(name, kind="l2", strength=strength, **known)


def noise(size: float = 0.05, seed: int = 0) -> Any:
    """Returns what batches do to a loss, as factors around 1."""
    return 1 + size * np.random.default_rng(seed).standard_normal(STEPS)


def falling(first: float, last: float, speed: float = 5.0) -> Any:
    """Returns a smooth curve between two levels."""
    return last + (first - last) * np.exp(-speed * T)


LEARNING = falling(2.3, 0.2) * noise()


def whole(values: Values) -> list[Stretch]:
    """Adds the total that the parts sum up to."""
    total = sum(np.asarray(v) for term, v in values.items() if term.role in ("data", "penalty"))
    return [Stretch({TOTAL: total, **values})]


# Healthy, and near misses.


@recording()
def a_healthy_training() -> Any:
    return whole({DATA: LEARNING, l2(): falling(0.3, 0.1)})


@recording()
def penalties_are_most_of_a_loss_that_is_learned() -> Any:
    return whole({DATA: LEARNING, l2(): falling(2.7, 0.35)})


@recording()
def penalties_are_a_hundredth_of_the_loss() -> Any:
    return whole({DATA: LEARNING, l2(): falling(0.03, 0.01)})


@recording()
def strengths_of_zero() -> Any:
    return whole({DATA: LEARNING, l2("a", 0.0): 0.0, l2("b", 0.0): 0.0})


@recording()
def weights_grow_while_the_data_loss_falls() -> Any:
    return whole({DATA: LEARNING, l2(): 0.1 + 0.2 * T})


@recording()
def the_data_loss_rises_while_penalties_fall() -> Any:
    return whole({DATA: LEARNING + 0.3 * T, l2(): falling(0.3, 0.1)})


@recording()
def fine_tuning_on_a_plateau() -> Any:
    return whole({DATA: 0.7 * noise(), l2(): falling(0.105, 0.1)})


@recording()
def no_penalties() -> Any:
    return whole({DATA: LEARNING})


@recording()
def no_total_recorded() -> Any:
    return [Stretch({DATA: LEARNING, l2(): falling(0.3, 0.1)})]


@recording()
def no_data_loss_recorded() -> Any:
    return [Stretch({TOTAL: LEARNING + 0.1, l2(): falling(0.1, 0.09)})]


@recording()
def sums_rounded_as_float16() -> Any:
    penalty = falling(0.3, 0.1)
    total = (LEARNING + penalty).astype(np.float16)
    return [Stretch({TOTAL: total, DATA: LEARNING, l2(): penalty})]


@recording()
def a_batch_that_is_hard_in_every_epoch() -> Any:
    return whole({DATA: LEARNING + 5 * (np.arange(STEPS) % 250 == 200), l2(): falling(0.3, 0.1)})


@recording()
def a_wild_start() -> Any:
    wild = 50 * np.exp(-np.arange(STEPS) / 3) * np.abs(noise(1.0, 2) - 1)
    return whole({DATA: LEARNING + wild, l2(): falling(0.3, 0.1)})


@recording()
def a_few_steps_of_a_bad_start() -> Any:
    values = {TOTAL: 274.3, DATA: 2.3, l2(): 272.0}
    return [Stretch(values, np.arange(20))]


@recording()
def one_term_is_most_of_the_penalties() -> Any:
    return whole(
        {DATA: LEARNING, l2("a"): 0.06, l2("b"): falling(0.03, 0.02), l2("c"): 0.01 + 0.001 * T}
        | {l2("a"): falling(0.07, 0.06)}
    )


@recording()
def the_largest_variable_carries_the_penalties() -> Any:
    a, b, c = (l2(name, size=size) for name, size in (("a", 9_600), ("b", 200), ("c", 200)))
    return whole(
        {DATA: LEARNING, a: falling(0.3, 0.1), b: falling(0.003, 0.001), c: falling(0.002, 0.001)}
    )


@recording()
def a_strength_that_warms_up() -> Any:
    kl = Term("kl", kind="add_loss")
    return whole({DATA: LEARNING, kl: 0.4 * np.minimum(1, 4 * T) * falling(1, 0.8)})


@recording()
def activities_jump_from_batch_to_batch() -> Any:
    activity = Term("activity", kind="activity", strength=0.01)
    return whole({DATA: LEARNING, activity: 0.1 * np.exp(2 * noise(0.5, 1))})


@recording()
def a_penalty_that_is_negative() -> Any:
    return whole({DATA: LEARNING, Term("entropy", kind="custom"): -falling(0.3, 0.1)})


@recording()
def a_total_of_another_step_once() -> Any:
    (stretch,) = whole({DATA: LEARNING, l2(): falling(0.3, 0.1)})
    total = np.array(stretch.values[TOTAL])
    total[500] *= 1.1
    return [Stretch({**stretch.values, TOTAL: total})]


@recording()
def an_unexplained_part_that_is_named() -> Any:
    rest = Term("rest", role="unexplained")
    return [
        Stretch(
            {
                TOTAL: LEARNING + 0.5,
                DATA: LEARNING,
                l2(): falling(0.3, 0.1),
                rest: 0.5 - falling(0.3, 0.1),
            }
        )
    ]


@recording()
def every_hundredth_step() -> Any:
    (stretch,) = whole({DATA: LEARNING, l2(): falling(0.3, 0.1)})
    return [Stretch(stretch.values, 100 * np.arange(STEPS))]


@recording()
def a_likelihood_below_zero() -> Any:
    return whole({DATA: falling(1.0, -3.0) + noise() - 1, l2(): falling(0.3, 0.1)})


@recording()
def recording_paused_while_the_penalty_fell() -> Any:
    penalty = np.where(T < 0.5, 0.3, 0.1) * falling(1, 0.9)
    steps = np.where(T < 0.5, np.arange(STEPS), np.arange(STEPS) + 5000)
    (stretch,) = whole({DATA: LEARNING, l2(): penalty})
    return [Stretch(stretch.values, steps)]


@recording()
def two_data_losses() -> Any:
    boxes = Term("boxes", role="data")
    return whole(
        {DATA: LEARNING, boxes: falling(1.0, 0.3) * noise(0.05, 1), l2(): falling(0.3, 0.1)}
    )


@recording()
def noise_around_a_level() -> Any:
    return whole({DATA: falling(2.3, 0.5, 50) * noise(0.3), l2(): falling(0.1, 0.2)})


@recording()
def a_restart_with_the_same_terms() -> Any:
    first, second = slice(0, 600), slice(500, STEPS)
    values = whole({DATA: LEARNING, l2(): falling(0.3, 0.1)})[0].values
    return [
        Stretch({term: np.asarray(v)[rows] for term, v in values.items()}, np.arange(STEPS)[rows])
        for rows in (first, second)
    ]


@recording()
def different_weights_that_move_alike() -> Any:
    twins = {l2(name, variable=name): falling(0.3, 0.1) for name in ("a", "b")}
    return whole({DATA: LEARNING, **twins, l2("c"): falling(0.3, 0.1) + 1e-7})


@recording()
def equal_weights_at_two_strengths() -> Any:
    frozen = np.where(T < 0.5, 0.1, 0.15)
    return whole({DATA: LEARNING, l2("a"): frozen, l2("b"): frozen, l2("c"): falling(0.3, 0.1)})


# Wrong, or worth knowing.


@recording("collapse")
def weights_driven_to_zero() -> Any:
    data = np.log(10) - 0.3 * np.exp(-((T - 0.05) ** 2) / 0.002)
    return whole({DATA: data * noise(0.01), l2(): 268 * np.exp(-20 * T)})


@recording("collapse")
def a_divergence_driven_to_zero() -> Any:
    kl = Term("kl", kind="add_loss")
    return whole({DATA: 90 * noise(0.01), kl: 300 * np.exp(-15 * T)})


@recording("penalty_dominates")
def weights_still_on_their_way_to_zero() -> Any:
    return whole({DATA: 2.3 * noise(0.01), l2(): 268 * np.exp(-3.5 * T)})


@recording("penalty_dominates")
def penalties_that_stay_above_a_stuck_data_loss() -> Any:
    return whole({DATA: 2.3 * noise(0.01), l2(): falling(9.0, 8.0)})


@recording("total_falls_by_penalty")
def only_the_penalty_falls() -> Any:
    return whole({DATA: 2.3 * noise(0.01), l2(): falling(1.5, 0.3)})


@recording()
def penalties_of_a_step_that_keeps_its_loss_to_itself() -> Any:
    return whole({l2("a"): falling(1.5, 0.3), l2("b"): falling(0.5, 0.4)})


@recording()
def a_total_of_nothing_but_penalties() -> Any:
    a, b = falling(1.5, 0.3), falling(0.5, 0.4)
    return whole({TOTAL: (a + b) * (1 + 1e-7 * noise()), l2("a"): a, l2("b"): b})


@recording("regularizer_without_effect")
def a_regulariser_set_after_building() -> Any:
    finding = found("regularizer_without_effect", "kernel_regularizer of top is set.")
    return [Stretch({DATA: LEARNING, l2(): falling(0.3, 0.1)}, findings=(finding,))]


@recording("penalty_rises_with_data")
def overshooting() -> Any:
    return whole({DATA: (falling(2.3, 0.4, 20) + T**2) * noise(), l2(): 0.1 + 0.4 * T**2})


@recording("not_finite")
def the_data_loss_becomes_nan() -> Any:
    return whole({DATA: np.where(T < 0.6, LEARNING, np.nan), l2(): falling(0.3, 0.1)})


@recording("not_finite")
def a_penalty_overflows_first() -> Any:
    penalty = np.where(T < 0.6, falling(0.3, 0.1), np.inf)
    return whole({DATA: np.where(T < 0.7, LEARNING, np.nan), l2(): penalty})


@recording("not_finite")
def only_the_total_is_infinite() -> Any:
    (stretch,) = whole({DATA: LEARNING, l2(): falling(0.3, 0.1)})
    total = np.where(T < 0.9, np.asarray(stretch.values[TOTAL]), np.inf)
    return [Stretch({**stretch.values, TOTAL: total})]


@recording("not_finite")
def one_step_of_nan() -> Any:
    data = LEARNING.copy()
    data[300] = np.nan
    return whole({DATA: data, l2(): falling(0.3, 0.1)})


@recording("collapse", "not_finite")
def driven_to_zero_and_then_nan() -> Any:
    data = np.where(T < 0.99, np.log(10) * noise(0.01), np.nan)
    return whole({DATA: data, l2(): 268 * np.exp(-20 * T)})


@recording("does_not_add_up")
def a_penalty_counted_twice() -> Any:
    penalty = falling(0.3, 0.1)
    return [Stretch({TOTAL: LEARNING + 2 * penalty, DATA: LEARNING, l2(): penalty})]


@recording("does_not_add_up")
def a_penalty_that_is_not_in_the_total() -> Any:
    return [Stretch({TOTAL: LEARNING, DATA: LEARNING, l2(): falling(0.3, 0.1)})]


@recording("does_not_add_up")
def a_part_that_joins_halfway() -> Any:
    penalty = falling(0.3, 0.1)
    total = LEARNING + penalty + np.where(T < 0.5, 0, 0.2)
    return [Stretch({TOTAL: total, DATA: LEARNING, l2(): penalty})]


@recording("penalty_negligible")
def penalties_that_hardly_show() -> Any:
    return whole({DATA: LEARNING, l2(): 1e-5 * falling(2, 1)})


@recording("spike")
def a_spike_of_the_data_loss() -> Any:
    return whole({DATA: np.where(np.arange(STEPS) == 700, 50, LEARNING), l2(): falling(0.3, 0.1)})


@recording("spike")
def a_spike_of_a_penalty() -> Any:
    return whole({DATA: LEARNING, l2(): np.where(np.arange(STEPS) == 700, 4.0, 0.25 - 0.01 * T)})


@recording("one_term_carries")
def one_embedding_carries_the_penalties() -> Any:
    terms = {
        l2("embedding"): falling(0.5, 0.3),
        l2("a"): 0.005 * falling(2, 1),
        l2("b"): 0.004 * falling(2, 1),
    }
    return whole({DATA: LEARNING, **terms})


@recording("dead_term")
def a_penalty_on_a_variable_that_is_zero() -> Any:
    return whole({DATA: LEARNING, l2("a"): falling(0.3, 0.1), l2("b"): 0.0})


@recording("dead_term")
def a_loss_that_is_zero() -> Any:
    return whole({DATA: 0.0, l2(): 0.0})


@recording("constant_term")
def a_penalty_on_a_frozen_variable() -> Any:
    return whole({DATA: LEARNING, l2("a"): falling(0.3, 0.1), l2("frozen"): 0.2})


@recording("constant_term")
def a_learning_rate_of_zero() -> Any:
    return whole({DATA: 2.3, l2(): 0.2})


@recording("equal_terms")
def lambdas_that_all_read_the_last_layer() -> Any:
    last = falling(0.3, 0.1)
    terms = {Term(f"penalty {i}", kind="add_loss"): last for i in range(3)}
    return whole({DATA: LEARNING, l2("first"): last * 1.001, **terms})


def _two_stretches(first: Values, second: Values, at: int = 400) -> list[Stretch]:
    steps = np.arange(STEPS)
    return [
        Stretch({t: np.broadcast_to(v, STEPS)[rows] for t, v in values.items()}, steps[rows])
        for values, rows in ((first, slice(0, at)), (second, slice(at, STEPS)))
    ]


@recording("strength_changed")
def a_strength_is_raised() -> Any:
    weak, strong = l2(), l2(strength=0.1)
    return _two_stretches(
        {DATA: LEARNING, weak: 0.03 * falling(2, 1)}, {DATA: LEARNING, strong: 0.3 * falling(2, 1)}
    )


@recording("penalty_jumped")
def a_strength_is_raised_unseen() -> Any:
    penalty = np.where(T < 0.4, 0.03, 0.3) * falling(2, 1)
    return whole({DATA: LEARNING, l2(): penalty})


@recording("term_appeared")
def a_layer_is_unfrozen() -> Any:
    before = {DATA: LEARNING, l2("a"): falling(0.3, 0.1)}
    return _two_stretches(before, {**before, l2("b"): falling(0.2, 0.1)})


@recording("term_vanished")
def a_layer_is_frozen() -> Any:
    after = {DATA: LEARNING, l2("a"): falling(0.3, 0.1)}
    return _two_stretches({**after, l2("b"): falling(0.2, 0.1)}, after)


@recording("term_appeared", "term_vanished")
def a_layer_takes_the_place_of_another() -> Any:
    data = {DATA: LEARNING}
    return _two_stretches(
        {**data, l2("a"): falling(0.3, 0.1)}, {**data, l2("b"): falling(0.3, 0.1)}
    )


@recording("decoupled_decay")
def weight_decay_of_adamw() -> Any:
    decay = Term("adamw", role="implicit", kind="weight_decay", strength=0.004)
    (stretch,) = whole({DATA: LEARNING, l2(): falling(0.3, 0.1)})
    return [Stretch({**stretch.values, decay: falling(3.0, 2.0)})]


@recording("not_in_loss")
def a_term_collected_and_not_used() -> Any:
    (stretch,) = whole({DATA: LEARNING, l2("a"): falling(0.3, 0.1)})
    return [Stretch({**stretch.values, Term("b", role="unused", kind="l2"): falling(0.3, 0.1)})]
