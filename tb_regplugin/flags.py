"""The value of the plugin's flag, importable at no cost: TensorBoard's start waits for that."""

from __future__ import annotations

from typing import Any

# A million steps of a hundred terms and their summaries are some 500 MiB.
DEFAULT_CACHE_MB = 1024


def cache_mb(flags: Any) -> int:
    """Returns how many MiB to keep in memory; TensorBoard may run without flags."""
    asked = getattr(flags, "regularization_cache_mb", None)
    return max(0, asked) if isinstance(asked, int) else DEFAULT_CACHE_MB
