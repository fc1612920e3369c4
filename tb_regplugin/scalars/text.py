"""Compositions as text."""

from __future__ import annotations

from tb_regplugin.names import MAX_CELL, printable, shortened
from tb_regplugin.scalars.composition import Composition, Weight


def composition_text(run: str, composition: Composition) -> str:
    """Returns a composition in a block of lines."""
    total = "no total" if composition.total is None else shortened(composition.total, MAX_CELL)
    lines = [f"{run}: {total}", f"  {status_text(composition)}"]
    if composition.note:
        lines.append(f"  {composition.note}")
    rows = [
        (shortened(printable(part.tag), MAX_CELL), weight_text(part.weight), part.role)
        for part in composition.parts
    ]
    widths = [max(map(len, cells), default=0) for cells in zip(*rows, strict=True)]
    lines += [
        "    "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def status_text(composition: Composition) -> str:
    """Says in words how far the numbers bear a composition out."""
    status = str(composition.status)
    if composition.rest is not None:
        status += f": {composition.rest:.1%} of the total in the median step"
    if composition.error is not None and composition.rest is None:
        status += f" (error {composition.error:.1e})"
    if composition.stored:
        status += "; stored in the log directory"
    return status


def weight_text(weight: Weight) -> str:
    """Returns a weight as people read it, such as ``× d_weight · disc_factor``."""
    if isinstance(weight, tuple):
        return "× " + " · ".join(map(_factor_text, weight))
    return f"× {_factor_text(weight)}"


def _factor_text(factor: float | str) -> str:
    return shortened(printable(factor), MAX_CELL) if isinstance(factor, str) else f"{factor:.6g}"
