"""Findings in words: within a sentence, as the route's answer, and as a table."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tb_regplugin.finding import Finding, describe_findings
from tb_regplugin.findings.catalogue import Thresholds

# A sentence names so many terms; the finding itself holds all of them.
_NAMED_TERMS = 3
# Of a table's lines, what sentences get at least, in characters.
_MIN_SENTENCE = 40


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


def findings_answer(
    run: str, name: str, findings: Sequence[Finding], thresholds: Thresholds
) -> dict[str, Any]:
    """Describes one recording's findings, and by which thresholds they are."""
    return {
        "run": run,
        "name": name,
        "findings": describe_findings(findings),
        "thresholds": asdict(thresholds),
    }


def findings_table(found: Mapping[tuple[str, str], Sequence[Finding]], width: int) -> str:
    """Returns the findings of recordings as a table.

    Args:
      found: By run and name.
      width: Of a line, in characters; sentences are broken to fit.
    """
    rows = [
        (finding.severity, recording_title(*key), _steps(finding), finding)
        for key, findings in found.items()
        for finding in findings
    ]
    if not rows:
        return f"No findings in {len(found)} recording{'s' * (len(found) != 1)}."
    headings = ("severity", "recording", "steps", "finding")
    widths = [
        max(map(len, column))
        for column in zip(headings[:3], *(row[:3] for row in rows), strict=True)
    ]
    indent = sum(widths) + 2 * len(widths)
    lines = [_line(headings[:3], widths) + headings[3]]
    for severity, title, steps, finding in rows:
        sentences = [f"{finding.code}: {finding.sentence}", f"→ {finding.fix}"]
        wrapped = [
            line
            for sentence in sentences
            for line in textwrap.wrap(sentence, max(_MIN_SENTENCE, width - indent))
        ]
        lines.append(_line((severity, title, steps), widths) + wrapped[0])
        lines.extend(" " * indent + line for line in wrapped[1:])
    return "\n".join(lines)


def recording_title(run: str, name: str) -> str:
    """Returns how text refers to a recording: the name only where it isn't the usual one."""
    return run if name == "losses" else f"{run} ({name})"


def _steps(finding: Finding) -> str:
    if finding.first_step is None:
        return "-"
    if finding.first_step == finding.last_step:
        return f"{finding.first_step}"
    return f"{finding.first_step}-{finding.last_step}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(cell.ljust(width + 2) for cell, width in zip(cells, widths, strict=True))
