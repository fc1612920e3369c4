"""Auditing a loss when its recording starts."""

from __future__ import annotations

import warnings

from tb_regplugin.capture.graph.audit import audit_decomposition
from tb_regplugin.capture.graph.parts import Decomposition
from tb_regplugin.finding import Finding, at_least

# What taking the loss apart already warned of.
_SAID = frozenset({"raw_variable"})


def audit_and_warn(decomposition: Decomposition, stacklevel: int) -> tuple[Finding, ...]:
    """Says in warnings what is wrong with a loss, once, and returns it to be recorded.

    It never raises: no graph of a user's may stop a training.

    Args:
      decomposition: The loss, taken apart.
      stacklevel: As for ``warnings.warn``, counted from the caller.
    """
    for warning in decomposition.warnings:
        warnings.warn(f"tb_regplugin: {warning}", stacklevel=stacklevel + 1)
    try:
        findings = audit_decomposition(decomposition)
    except Exception:  # noqa: BLE001 - what it cannot judge, it does not judge
        return ()
    for finding in at_least(findings, "warning"):
        if finding.code not in _SAID:
            text = f"tb_regplugin: {finding.sentence} {finding.fix}"
            warnings.warn(text, stacklevel=stacklevel + 1)
    return tuple(findings)
