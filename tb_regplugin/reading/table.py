"""A recording's rows as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tb_regplugin.terms import Layout, Term

# Role and name.
_Key = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Table:
    """A recording's rows.

    Attributes:
      columns: The union of the layouts' columns; of equal role and name, the latest.
      steps: int64 ``[rows]``, strictly increasing.
      wall_times: float64 ``[rows]``, in seconds since the epoch.
      values: float32 ``[columns, rows]``; NaN also where nothing was recorded.
      stretches: int64 ``[stretches + 1]``: the rows at which a stretch of one layout begins, and
        the number of rows.
      recorded: bool ``[stretches, columns]``: which columns a stretch's layout has. So a gap is
        told apart from a recorded NaN.
      layouts: Each stretch's layout, with what was its columns' strength then.
    """

    columns: tuple[Term, ...]
    steps: npt.NDArray[np.int64]
    wall_times: npt.NDArray[np.float64]
    values: npt.NDArray[np.float32]
    stretches: npt.NDArray[np.int64]
    recorded: npt.NDArray[np.bool_]
    layouts: tuple[Layout, ...] = ()


def union(layouts: Sequence[Layout]) -> tuple[Term, ...]:
    """Returns all layouts' columns, each once, in the order in which they first appear."""
    columns: dict[_Key, Term] = {}
    for layout in layouts:
        for column in layout.columns:
            columns[key(column)] = column
    return tuple(columns.values())


def key(column: Term) -> _Key:
    """Returns what makes columns of two layouts one column."""
    return column.role, column.name
