"""All findings of one recording."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator

import numpy as np

from tb_regplugin.finding import Finding, worst_first
from tb_regplugin.findings.catalogue import CATALOGUE, Thresholds, found
from tb_regplugin.findings.curves import Curves
from tb_regplugin.findings.rules import RULES
from tb_regplugin.findings.trends import BALANCE_RULES, TREND_RULES
from tb_regplugin.names import shortened
from tb_regplugin.reading.store import Contents
from tb_regplugin.reading.table import Table

# Trends are read off fifths and tenths of a recording, whatever the thresholds are.
_LEAST_ROWS = 20

# What holds of the steps that were logged, whatever was between them.
_OF_LOGGED_STEPS = frozenset(
    {
        "not_finite",
        "collapse",
        "penalty_dominates",
        "penalty_negligible",
        "one_term_carries",
        "total_falls_by_penalty",
        "penalty_rises_with_data",
        "does_not_add_up",
        "dead_term",
        "constant_term",
        "rule_failed",
    }
)


def find_in_table(table: Table, thresholds: Thresholds | None = None) -> list[Finding]:
    """Returns what is wrong with a loss and its penalty terms, worst first."""
    if not len(table.steps):
        return []
    curves, limits = Curves(table), thresholds or Thresholds()
    # Recordings hold NaN, infinities, and numbers whose products are none in float32.
    with np.errstate(all="ignore"):
        rows = len(curves.finite)
        trends = curves.places("penalty") and rows >= max(limits.min_rows, _LEAST_ROWS)
        balance = BALANCE_RULES if trends and curves.has_data_loss else ()
        # Of one severity, what a training comes to is told first, and causes before effects.
        rules = (*balance, *RULES, *(TREND_RULES if trends else ()))
        findings = [finding for rule in rules for finding in _found_by(rule, curves, limits)]
    # Of a training that was restarted, the latest are those that still hold.
    known = table.layouts[-1].findings if table.layouts else ()
    codes = {finding.code for finding in findings}
    # What was found in the graph is not said again of the columns.
    passed_over = {finding.code for finding in known} | {
        code for code in codes if codes.intersection(CATALOGUE[code].implied_by)
    }
    return worst_first([*known, *(f for f in findings if f.code not in passed_over)])


def find_in_scalars(table: Table, thresholds: Thresholds | None = None) -> list[Finding]:
    """Returns what is wrong with a loss of which only some steps were logged: what holds of them.

    Neither spikes nor jumps can be told from what was left out between two logged steps.
    """
    return [f for f in find_in_table(table, thresholds) if f.code in _OF_LOGGED_STEPS]


def find_in(contents: Contents, thresholds: Thresholds | None = None) -> list[Finding]:
    """Returns what is wrong with a loss, whichever way it was recorded."""
    find = find_in_scalars if contents.from_scalars else find_in_table
    return find(contents.table, thresholds)


def _found_by(
    rule: Callable[[Curves, Thresholds], Iterator[Finding]], curves: Curves, limits: Thresholds
) -> list[Finding]:
    """Applies a rule. One that fails is a finding itself, and hides no other."""
    try:
        return list(rule(curves, limits))
    except Exception as error:  # noqa: BLE001 - whatever is recorded must be shown
        reason = shortened(f"{type(error).__name__}: {error}")
        sentence = f"The rule {rule.__name__} could not be applied to these curves ({reason})."
        return [found("rule_failed", sentence)]


class FindingsCache:
    """Remembers the findings of each table while it is in use. Safe to use from threads."""

    thresholds = Thresholds()

    def __init__(self) -> None:
        self._known: weakref.WeakKeyDictionary[Table, list[Finding]] = weakref.WeakKeyDictionary()

    def of(self, contents: Contents) -> list[Finding]:
        """Returns the findings of what a recording holds; one that grew has another table."""
        found = self._known.get(contents.table)
        if found is None:
            found = self._known[contents.table] = find_in(contents, self.thresholds)
        return found
