"""Findings in JSON: in layouts, in the route's answer and on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from tb_regplugin.findings.finding import SEVERITIES, Finding


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
