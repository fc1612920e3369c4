"""What a finding is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from tb_regplugin.findings.catalogue import CATALOGUE, Severity

SEVERITIES: tuple[Severity, ...] = get_args(Severity)

# A sentence names so many terms; the finding itself holds all of them.
_NAMED_TERMS = 3


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or that one should know.

    Attributes:
      code: The rule's name, as in ``docs/findings.md``.
      severity: ``"error"`` where the training is lost, ``"warning"`` where a loss is probably not
        what its author means, ``"info"`` for what explains a curve.
      sentence: What was found, with its numbers.
      terms: The names of the terms concerned.
      first_step: Where it begins; None where it has no place in time.
      last_step: Where it ends; equal to ``first_step`` where it is one step.
      fix: What to do about it, or what would decide it.
    """

    code: str
    severity: Severity
    sentence: str
    terms: tuple[str, ...] = ()
    first_step: int | None = None
    last_step: int | None = None
    fix: str = ""


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


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Sorts findings by severity, then by where they begin."""

    def rank(finding: Finding) -> tuple[int, float, str]:
        step = float("-inf") if finding.first_step is None else finding.first_step
        return -SEVERITIES.index(finding.severity), step, finding.code

    return sorted(findings, key=rank)


def at_least(findings: Sequence[Finding], severity: Severity) -> list[Finding]:
    """Returns the findings of this severity or a worse one."""
    lowest = SEVERITIES.index(severity)
    return [finding for finding in findings if SEVERITIES.index(finding.severity) >= lowest]


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
