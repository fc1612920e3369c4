"""What a recording holds at one moment."""

from __future__ import annotations

from tb_regplugin.reading.composition import compose
from tb_regplugin.reading.digests import Digests
from tb_regplugin.reading.index import Problem
from tb_regplugin.reading.table import Table


class Contents:
    """What a recording holds. Safe to use from threads; its rows never change.

    Attributes:
      table: Its rows.
      digests: Summaries of them, shared with what the recording held before and will hold.
      problems: The series that could not be read.
      version: Changes when any of this does, and stays when the same is read again.
      columns: The table's columns and what follows from them.
    """

    def __init__(
        self, table: Table, digests: Digests, problems: tuple[Problem, ...], version: str
    ) -> None:
        self.table = table
        self.digests = digests
        self.problems = problems
        self.version = version
        self.columns = compose(table.columns)
