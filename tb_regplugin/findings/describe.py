"""Findings as plain data and as text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tb_regplugin.finding import Finding, describe_findings
from tb_regplugin.findings.thresholds import Thresholds

_MIN_SENTENCE = 40


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
