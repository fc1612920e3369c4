"""Making a finding, and its words."""

from __future__ import annotations

from collections.abc import Sequence

from tb_regplugin.finding import SEVERITIES as SEVERITIES
from tb_regplugin.finding import Finding, Severity
from tb_regplugin.finding import at_least as at_least
from tb_regplugin.finding import worst_first as worst_first
from tb_regplugin.findings.catalogue import CATALOGUE

# A sentence names so many terms; the finding itself holds all of them.
_NAMED_TERMS = 3


def found(
    code: str,
    sentence: str,
    terms: Sequence[str] = (),
    first_step: int | None = None,
    last_step: int | None = None,
    severity: Severity | None = None,
) -> Finding:
    """Returns a finding of the rule with this name, and of its severity unless another is given."""
    rule = CATALOGUE[code]
    if last_step is None:
        last_step = first_step
    return Finding(
        code, severity or rule.severity, sentence, tuple(terms), first_step, last_step, rule.fix
    )


def listed(names: Sequence[str]) -> str:
    """Returns names as a sentence lists them.

    Example:
      >>> listed(["a", "b"])
      'a and b'
      >>> listed(["a", "b", "c", "d", "e"])
      'a, b, c and 2 more'
    """
    shown = list(names[:_NAMED_TERMS])
    if len(names) > _NAMED_TERMS:
        shown.append(f"{len(names) - _NAMED_TERMS:,} more")
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def number(value: float) -> str:
    """Returns a number as a sentence gives it.

    Example:
      >>> number(0.00012345), number(268.89)
      ('0.0001234', '268.9')
    """
    return f"{value:.4g}"


def percent(share: float) -> str:
    """Returns a share as a sentence gives it.

    Example:
      >>> percent(0.785), percent(0.0004), percent(0.9996)
      ('78 %', '0.04 %', '99.96 %')
    """
    if 0.01 <= abs(share) < 0.995:
        return f"{100 * share:.0f} %"
    return f"{100 * share:.4g} %"
