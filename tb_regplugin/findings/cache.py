"""Findings of recordings that haven't changed are not looked for again."""

from __future__ import annotations

import weakref

from tb_regplugin.findings.find import find_in_table
from tb_regplugin.findings.finding import Finding
from tb_regplugin.findings.thresholds import Thresholds
from tb_regplugin.reading.table import Table


class FindingsCache:
    """Remembers the findings of each table while it is in use. Safe to use from threads.

    Args:
      thresholds: From which numbers on something is a finding.
    """

    def __init__(self, thresholds: Thresholds | None = None) -> None:
        self.thresholds = thresholds or Thresholds()
        self._known: weakref.WeakKeyDictionary[Table, list[Finding]] = weakref.WeakKeyDictionary()

    def of(self, table: Table) -> list[Finding]:
        """Returns a table's findings. Tables never change: a recording that grew is a new one."""
        found = self._known.get(table)
        if found is None:
            found = self._known[table] = find_in_table(table, self.thresholds)
        return found
