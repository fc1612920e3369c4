"""All findings of one recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy.typing as npt

from tb_regplugin.findings import adding_up, balance, changes, single_terms, trends
from tb_regplugin.findings.curves import Curves
from tb_regplugin.findings.finding import Finding, worst_first
from tb_regplugin.findings.thresholds import Thresholds
from tb_regplugin.reading.table import Table
from tb_regplugin.terms import Term

_RULES: tuple[Callable[[Curves, Thresholds], list[Finding]], ...] = (
    adding_up.not_finite,
    adding_up.does_not_add_up,
    balance.collapse,
    balance.penalty_dominates,
    balance.penalty_negligible,
    balance.one_term_carries,
    trends.total_falls_by_penalty,
    trends.penalty_rises_with_data,
    single_terms.dead_or_constant_term,
    single_terms.decoupled_decay,
    single_terms.not_in_loss,
    changes.strength_changed,
    changes.terms_came_or_went,
    changes.penalty_jumped,
)


def find_in_table(table: Table, thresholds: Thresholds | None = None) -> list[Finding]:
    """Returns what is wrong with a recording, worst first.

    Args:
      table: The recording's rows.
      thresholds: From which numbers on something is a finding.
    """
    return _find(Curves.of_table(table), thresholds or Thresholds())


def find(
    steps: npt.ArrayLike,
    values: npt.ArrayLike,
    terms: Sequence[Term],
    thresholds: Thresholds | None = None,
) -> list[Finding]:
    """Returns what is wrong with a loss and its penalty terms, worst first.

    Args:
      steps: ``[S]``, strictly increasing.
      values: ``[S, C]``.
      terms: What each of the C columns is.
      thresholds: From which numbers on something is a finding.

    Example:
      >>> terms = [Term("total", role="total"), Term("data", role="data"), Term("kernel")]
      >>> for finding in find([0, 1], [[1.5, 1.0, 0.25], [1.25, 0.75, 0.25]], terms):
      ...     print(finding.severity, finding.code, finding.sentence)
      warning does_not_add_up The total is 0.25 more than the sum of its recorded parts (18 % of \
the loss), at every step.
    """
    return _find(Curves.of_arrays(steps, values, terms), thresholds or Thresholds())


def _find(curves: Curves, thresholds: Thresholds) -> list[Finding]:
    if not len(curves.steps):
        return []
    findings = [finding for rule in _RULES for finding in rule(curves, thresholds)]
    known = {finding.code for finding in curves.known}
    # What the graph told is not told again by the columns.
    return worst_first([*curves.known, *(f for f in findings if f.code not in known)])
