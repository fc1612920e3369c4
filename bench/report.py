"""What a measurement found, as Markdown."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Section:
    """One measurement's findings."""

    title: str
    text: str
    header: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        """Adds a row, and prints it: a run takes minutes."""
        self.rows.append(cells)
        print("   ", " | ".join(cells), flush=True)

    def markdown(self) -> str:
        """Returns the section's text."""
        lines = [f"## {self.title}", "", self.text, ""]
        lines += [_row(self.header), _row(["---"] * len(self.header))]
        lines += [_row(row) for row in self.rows]
        for note in self.notes:
            lines += ["", note]
        return "\n".join(lines) + "\n"


def seconds(act: Callable[[], object]) -> float:
    """Returns how long something takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def median_ms(act: Callable[[], object], repeats: int) -> float:
    """Returns the median of several times, in milliseconds; the first one is not counted."""
    act()
    return 1000 * statistics.median(seconds(act) for _ in range(repeats))


def within(share: float, values: Sequence[float]) -> float:
    """Returns what a share of all values are within."""
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
