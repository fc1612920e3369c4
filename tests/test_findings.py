"""What is found in recordings, in what words, and what it takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import Field, asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tb_regplugin.finding import SEVERITIES, Finding
from tb_regplugin.findings.catalogue import CATALOGUE, Thresholds
from tb_regplugin.findings.curves import Curves, PerRow
from tb_regplugin.findings.find import find_in_table
from tb_regplugin.findings.rules import RULES
from tb_regplugin.terms import Term
from tests.corpus.programs import PROGRAMS
from tests.corpus.recordings import DATA, RECORDINGS, TOTAL, Stretch, Values, l2, table_of

# Said of trainings that are right, too.
INFORMATION = {"uncollected_penalty", "decoupled_decay"}


@pytest.mark.parametrize("name", RECORDINGS)
def test_what_is_wrong_is_found_and_nothing_else(name: str) -> None:
    """For recordings of healthy trainings, near misses and trainings that went wrong."""
    record, expected = RECORDINGS[name]
    findings = find_in_table(table_of(record()))
    assert {finding.code for finding in findings} == set(expected), findings


def test_what_a_worse_finding_says_is_not_said_again() -> None:
    """Rules are implied by rules that exist, and that are as severe."""
    for rule in CATALOGUE.values():
        for code in rule.implied_by:
            assert SEVERITIES.index(CATALOGUE[code].severity) >= SEVERITIES.index(rule.severity)


def test_half_of_the_corpus_is_right() -> None:
    """Of at least 60 programs and recordings, so that false alarms would show."""
    corpus = [expected for _, expected in [*PROGRAMS.values(), *RECORDINGS.values()]]
    right = sum(set(expected) <= INFORMATION for expected in corpus)
    assert len(corpus) >= 60
    assert 0.45 < right / len(corpus) < 0.55


def _only(name: str, thresholds: Thresholds | None = None) -> Finding:
    (finding,) = find_in_table(table_of(RECORDINGS[name].record()), thresholds)
    return finding


def test_a_collapse_is_told_with_its_step_and_level() -> None:
    """The step from which the data loss stays where it ends, and the classes that are guessed."""
    finding = _only("weights_driven_to_zero")
    assert finding.severity == "error"
    assert finding.first_step is not None
    assert 90 < finding.first_step < 150
    assert "guessing among 10 classes gives ln 10 = 2.303" in finding.sentence
    assert "drove the weights to zero" in finding.sentence


def test_what_became_nan_first_is_told_first() -> None:
    """And what followed, each with its step."""
    finding = _only("a_penalty_overflows_first")
    assert finding.sentence == (
        "kernel became infinite at step 600, after 600 finite steps; the data loss followed at "
        "step 700."
    )
    assert (finding.terms, finding.first_step) == (("kernel", "data"), 600)


def test_groups_of_equal_terms_are_one_finding() -> None:
    """Which names the first of them and of the others, and holds all."""
    curves = {letter: np.sin(np.arange(200) + i) for i, letter in enumerate("abc")}
    terms = {Term(f"{letter}{i}"): curves[letter] for i in range(4) for letter in curves}
    (finding,) = find_in_table(table_of([Stretch(terms, np.arange(200))]))
    assert finding.sentence == (
        "a0, a1, a2 and 1 more are equal to the last bit at all 200 steps, although they change: "
        "probably one penalty instead of 4. So it is in 2 other groups of penalties: b0, b1, b2 "
        "and 5 more."
    )
    assert sorted(finding.terms) == sorted(term.name for term in terms)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a_penalty_counted_twice", "at every step: the total contains the penalties 2 times."),
        ("a_penalty_that_is_not_in_the_total", "the penalties are not in the total."),
        ("a_part_that_joins_halfway", "0.2 more than the sum of its recorded parts"),
        ("a_part_that_joins_halfway", "from step 500 on."),
        ("a_strength_is_raised", "At step 400 the strength changed: kernel from 0.01 to 0.1."),
        ("a_layer_is_unfrozen", "b appeared at step 400."),
        ("one_embedding_carries_the_penalties", "embedding makes up 97 % of all 3 penalties"),
        ("only_the_penalty_falls", "is 0.7132 % of that fall."),
        ("a_penalty_on_a_frozen_variable", "frozen never changes (0.2 at every step)."),
    ],
)
def test_sentences_hold_the_numbers(name: str, words: str) -> None:
    """How much, since when, and which term."""
    assert words in _only(name).sentence


def test_several_terms_of_a_kind_are_one_finding() -> None:
    """In words that are right for many, and with the numbers of each or of all."""
    steps = np.arange(200)
    falling = 2.0 - steps / 200
    jump = np.where(steps < 100, 1.0, 5.0) * falling
    still = {l2("a"): 0.5, l2("b"): 0.25, l2("c"): 0.0, l2("d"): 0.0}
    values: Values = {DATA: falling, **still, l2("e"): jump, l2("f"): 2 * jump}
    found = find_in_table(table_of([Stretch(values, steps)]))
    told = {finding.code: finding.sentence for finding in found}
    assert told["constant_term"] == "a and b never change (0.5 and 0.25 at every step)."
    assert told["dead_term"] == "c and d are zero at every step."
    before, after = (f"{3 * jump[step]:.4g}" for step in (99, 100))
    together = f"e and f together jumped from {before} to {after} at step 100."
    assert told["penalty_jumped"] == together


def test_a_threshold_decides() -> None:
    """What one threshold passes over, another finds."""
    table = table_of(RECORDINGS["penalties_are_a_hundredth_of_the_loss"].record())
    assert find_in_table(table) == []
    (finding,) = find_in_table(table, Thresholds(negligible_share=0.2))
    assert finding.code == "penalty_negligible"


@pytest.mark.parametrize("field", fields(Thresholds), ids=lambda field: field.name)
def test_a_threshold_that_is_no_positive_number_is_refused(field: Field[float]) -> None:
    """It would find everything, or nothing."""
    for wrong in (0, -1, float("nan"), float("inf")):
        changed: dict[str, Any] = {field.name: wrong}
        with pytest.raises(ValueError, match=field.name):
            replace(Thresholds(), **changed)


def test_nothing_is_found_in_an_empty_recording() -> None:
    """A training that has not begun."""
    assert find_in_table(table_of([])) == []
    assert find_in_table(table_of([Stretch({DATA: 1.0, l2(): 1.0}, np.arange(0))])) == []


@pytest.mark.filterwarnings("error::RuntimeWarning")
@given(
    arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=60).flatmap(
        lambda shape: arrays.arrays(
            np.float32,
            (min(shape[0], 6), shape[1]),
            elements=st.sampled_from([0.0, 0.25, 1.0, -1.0, 2.5]) | st.floats(width=32),
        )
    ),
    st.integers(0, 60),
)
def test_whatever_was_recorded_can_be_looked_at(values: Any, until: int) -> None:
    """Zeros, negative parts, NaN, infinities and terms that vanish: nothing raises or warns."""
    columns = [DATA, l2(), TOTAL, l2("b", 0.0), Term("c", kind="activity"), l2("d", size=10)]
    columns = columns[: len(values)]
    cut = min(until, values.shape[1])
    steps = np.arange(values.shape[1])
    stretches = [
        Stretch(dict(zip(columns, values[:, :cut], strict=True)), steps[:cut]),
        Stretch(dict(zip(columns[:3], values[:3, cut:], strict=False)), steps[cut:]),
    ]
    table = table_of([stretch for stretch in stretches if len(stretch.steps)])
    for finding in find_in_table(table, Thresholds(min_rows=1)):
        assert finding.code != "rule_failed", finding
        assert finding.fix == CATALOGUE[finding.code].fix
        assert set(finding.terms) <= {column.name for column in columns}


_LEVELS = st.sampled_from([0.0, -0.0, 1.0, -2.0, 1e-45, 3.4e38, -3.4e38, np.inf, np.nan])
_CURVES = st.tuples(_LEVELS, _LEVELS, st.floats(0, 1), st.integers(0, 3))


@given(
    st.lists(_CURVES, min_size=5, max_size=5),
    st.sets(st.sampled_from(range(5)), min_size=1),
    st.sampled_from([1, 2, 20, 150]),
)
def test_no_rule_fails_on_levels_of_any_size(curves: Any, kept: set[int], rows: int) -> None:
    """Constant, falling and rising ones, steps and spikes; with and without data and total."""
    columns = [DATA, TOTAL, l2(), l2("b"), Term("c", role="inside")]
    values = {}
    for i in sorted(kept):
        first, last, where, shape = curves[i]
        curve = np.full(rows, first, np.float32)
        at = int(where * (rows - 1))
        if shape == 1:
            curve[at:] = last
        elif shape == 2:
            curve[at] = last
        elif shape == 3 and np.isfinite([first, last]).all():
            curve = np.linspace(first, last, rows).astype(np.float32)
        values[columns[i]] = curve
    table = table_of([Stretch(values, np.arange(rows))])
    assert "rule_failed" not in {finding.code for finding in find_in_table(table)}


def test_a_rule_that_fails_is_named_and_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are applied; the reason is short."""

    def broken(curves: Curves, limits: Thresholds) -> Any:
        raise IndexError("x" * 5_000)

    monkeypatch.setattr("tb_regplugin.findings.find.RULES", (broken, *RULES))
    findings = find_in_table(table_of(RECORDINGS["weights_driven_to_zero"].record()))
    assert {finding.code for finding in findings} == {"collapse", "rule_failed"}
    (failed,) = (finding for finding in findings if finding.code == "rule_failed")
    assert "broken" in failed.sentence
    assert len(failed.sentence) < 500


def test_no_rule_sums_what_another_one_has_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sum goes through all rows; ``bench/findings.py`` has what a hundred runs take."""
    summed: list[object] = []
    sum_of = Curves.sum

    def counting(curves: Curves, places: Sequence[int], *, absolute: bool = False) -> PerRow:
        summed.append((*places, absolute))
        return sum_of(curves, places, absolute=absolute)

    monkeypatch.setattr(Curves, "sum", counting)
    assert find_in_table(table_of(RECORDINGS["weights_driven_to_zero"].record()))
    assert len(summed) == len(set(summed)) > 1


DOCUMENT = Path(__file__).parents[1] / "docs" / "findings.md"


def _sections() -> dict[str, str]:
    text = DOCUMENT.read_text(encoding="utf-8")
    rules = text[text.index("## The rules") : text.index("## The thresholds")]
    return {
        section.partition("`")[0]: " ".join(section.split()) for section in rules.split("### `")[1:]
    }


def test_the_documentation_has_every_rule_and_no_other() -> None:
    """Each with its severity, its fix and its thresholds as the code has them."""
    sections = _sections()
    assert list(sections) == list(CATALOGUE)
    defaults = asdict(Thresholds())
    for code, rule in CATALOGUE.items():
        section = sections[code]
        assert section.startswith(f"{code}` ({rule.severity}) {rule.title}.")
        assert f"**Fix.** {rule.fix}" in section
        assert not rule.keras_fix or f"**Keras.** {rule.keras_fix}" in section
        assert "**Why.** " in section
        assert "**Source.** " in section
        named = dict(re.findall(r"`(\w+)` = ([\d.]+)", section))
        assert {name: float(value) for name, value in named.items()} == {
            name: defaults[name] for name in rule.thresholds
        }


def test_the_documentation_has_every_threshold() -> None:
    """With its default and a reason."""
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| .{10,} \|$", DOCUMENT.read_text("utf-8"), re.M)
    assert {name: float(value) for name, value in rows} == asdict(Thresholds())


def test_every_rule_is_expected_somewhere_in_the_corpus() -> None:
    """So that a rule that finds nothing any more would show."""
    corpus = [expected for _, expected in [*PROGRAMS.values(), *RECORDINGS.values()]]
    # No recording that is known makes a rule fail.
    assert {code for expected in corpus for code in expected} == CATALOGUE.keys() - {"rule_failed"}


def test_a_cause_is_told_before_its_effect_and_before_what_is_beside_it() -> None:
    """Of one severity: a term that never reaches the loss comes before one that never changes."""
    penalty = Term("forgotten", role="unused", kind="l2")
    steps = np.arange(200)
    falling = 2.0 - steps / 200
    values: Values = {TOTAL: falling + 1, DATA: falling, penalty: 1.0, l2("frozen"): 0.5}
    found = find_in_table(table_of([Stretch(values, steps)]))
    codes = [finding.code for finding in found if finding.severity == "warning"]
    assert codes == ["not_in_loss", "does_not_add_up", "constant_term"]
