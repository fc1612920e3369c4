"""The penalties' largest share of the total over any range of rows, exactly."""

from __future__ import annotations

import numpy as np

from tb_regplugin.reading.overview import parts
from tb_regplugin.reading.store import Contents

# Of so many rows at a time the largest share is kept, so that no question looks at all rows again.
_ROWS = 2**12


def largest_share(contents: Contents, first: int, stop: int) -> float | None:
    """Returns the largest share over rows; None where it is nowhere known."""
    low, high = -(-first // _ROWS), stop // _ROWS
    if low >= high:
        found = [_largest(contents, first, stop)]
    else:
        kept = contents.digests.kept(
            "largest_share", high, lambda i: _largest(contents, i * _ROWS, (i + 1) * _ROWS)
        )
        edges = (first, low * _ROWS), (high * _ROWS, stop)
        found = [*kept[low:], *(_largest(contents, *edge) for edge in edges)]
    return max((share for share in found if share is not None), default=None)


def _largest(contents: Contents, first: int, stop: int) -> float | None:
    shares = [share[~np.isnan(share)] for _, share in parts(contents, first, stop)]
    return max((float(share.max()) for share in shares if len(share)), default=None)
