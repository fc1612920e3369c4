"""Findings in words: within a sentence, and as a table."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence

from tb_regplugin.finding import Finding
from tb_regplugin.names import MAX_CELL, printable, recording_title, shortened

# A sentence names so many terms; the finding itself holds all of them.
_NAMED_TERMS = 3
_MAX_NAME = 100
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
    shown = [shortened(name, _MAX_NAME) for name in names[:_NAMED_TERMS]]
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


def findings_table(found: Mapping[tuple[str, str], Sequence[Finding]], width: int) -> str:
    """Returns the findings of recordings, by run and name, as a table that fits into a width."""
    cells, sentences = [["severity", "recording", "steps"]], [["finding"]]
    for key, findings in found.items():
        for finding in findings:
            title = shortened(printable(recording_title(*key)), MAX_CELL)
            cells.append([finding.severity, title, _steps(finding)])
            sentences.append([f"{finding.code}: {finding.sentence}", f"→ {finding.fix}"])
    if len(cells) == 1:
        return f"No findings in {len(found)} recording{'s' * (len(found) != 1)}."
    widths = [2 + max(map(len, column)) for column in zip(*cells, strict=True)]
    wrapping = textwrap.TextWrapper(max(_MIN_SENTENCE, width - sum(widths)))
    lines = []
    for row, said in zip(cells, sentences, strict=True):
        start = "".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True))
        for line in itertools.chain.from_iterable(map(wrapping.wrap, said)):
            lines.append(start + line)
            start = " " * len(start)
    return "\n".join(lines)


def _steps(finding: Finding) -> str:
    if finding.first_step is None:
        return "-"
    if finding.first_step == finding.last_step:
        return f"{finding.first_step}"
    return f"{finding.first_step}-{finding.last_step}"
