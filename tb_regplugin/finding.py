"""What a finding is, and its form in JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

Severity = Literal["info", "warning", "error"]

# From the least to the worst.
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a loss, or that one should know about it.

    ``audit`` returns them for a graph; the dashboard and ``tb-regplugin check`` show them for
    recordings, too. ``docs/findings.md`` lists all rules.

    Attributes:
      code: The rule's name, as in ``docs/findings.md``.
      severity: ``"error"`` where the training is lost, ``"warning"`` where a loss is probably not
        what its author means, ``"info"`` for what explains a curve.
      sentence: What was found, with its numbers.
      terms: The names of the terms concerned.
      first_step: The step at which it begins; ``None`` where it has no place in time.
      last_step: The step at which it ends; equal to ``first_step`` where it is one step.
      fix: What to do about it, or what would decide it.

    Example:
      >>> finding = Finding(
      ...     "constant_term", "warning", "kernel never changes (0.2 at every step).", ("kernel",)
      ... )
      >>> print(f"{finding.severity} on {', '.join(finding.terms)}: {finding.sentence}")
      warning on kernel: kernel never changes (0.2 at every step).
    """

    code: str
    severity: Severity
    sentence: str
    terms: tuple[str, ...] = ()
    first_step: int | None = None
    last_step: int | None = None
    fix: str = ""


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Sorts findings by severity; those of one severity stay in the order of their rules."""
    return sorted(findings, key=lambda finding: -SEVERITIES.index(finding.severity))


def at_least(findings: Sequence[Finding], severity: Severity) -> list[Finding]:
    """Returns the findings of this severity or a worse one."""
    lowest = SEVERITIES.index(severity)
    return [finding for finding in findings if SEVERITIES.index(finding.severity) >= lowest]


def describe_findings(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Returns findings as JSON has them; what has no place in time has no steps."""
    return [
        {key: value for key, value in asdict(finding).items() if value is not None}
        for finding in findings
    ]


def read_findings(document: Any) -> tuple[Finding, ...]:
    """Reads findings that a writer recorded; those that it wrote otherwise are passed over."""
    if not isinstance(document, list):
        return ()
    return tuple(finding for entry in document if (finding := _read(entry)) is not None)


def _read(entry: Any) -> Finding | None:
    if not isinstance(entry, dict) or entry.get("severity") not in SEVERITIES:
        return None
    texts = [entry.get(key, "") for key in ("code", "sentence", "fix")]
    terms = entry.get("terms", [])
    if not isinstance(terms, list) or not all(isinstance(text, str) for text in [*texts, *terms]):
        return None
    code, sentence, fix = texts
    return Finding(code, entry["severity"], sentence, tuple(terms), fix=fix) if code else None
