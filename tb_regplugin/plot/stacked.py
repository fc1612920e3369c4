"""Draws a recording's bands on matplotlib's axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tb_regplugin.names import printable, shortened
from tb_regplugin.plot.bands import OUTSIDE, Band, Bands, shares, stacked
from tb_regplugin.plot.palette import DARK, LIGHT, Palette, colour_of, variant_of
from tb_regplugin.terms import Term

if TYPE_CHECKING:
    from matplotlib.axes import Axes

VIEWS = ("stack", "share", "lines")

# Of what lies between minimum and maximum: enough to be seen beside the total, and on bands.
_QUIET = 0.15
# From this smoothing on, nothing is drawn of it.
_SMOOTH = 0.9
# What a single bucket between gaps is as wide as, in points: it has no width of its own.
_LONE_WIDTH = 2.0
_MAX_NAME = 40
# Tell bands of one colour apart.
_HATCHES = (None, "\\\\", "--", "||")
_DASHES: tuple[Any, ...] = ("-", (0, (10, 3)), (0, (2, 3)), (0, (10, 3, 2, 3)))
_BESIDE = (0, (4, 4))

_Values = npt.NDArray[np.float64]


def palette_of(ax: Axes) -> Palette:
    """Returns the colours for the ground of the axes."""
    from matplotlib.colors import to_rgb

    return LIGHT if sum(to_rgb(ax.get_facecolor())) > 1.5 else DARK


def draw(ax: Axes, bands: Bands, numbers: dict[Term, int], view: str, smoothing: float) -> None:
    """Draws bands, smoothed so much, in one of ``VIEWS`` and in the colours of these numbers."""
    pen = _Pen(ax, bands.x, palette_of(ax), numbers)
    spread = _QUIET * max(0.0, 1 - smoothing / _SMOOTH)
    drawn: list[tuple[Band, Any]] = []
    if view == "lines":
        # Of lines that meet, that of a penalty is seen.
        lines = sorted(bands.all, key=lambda band: band.term.role != "data")
    else:
        lines = [] if view == "share" else [*bands.beside, *([bands.total] if bands.total else [])]
        parts = shares(bands.summands) if view == "share" else [b.part for b in bands.summands]
        for band, areas in zip(bands.summands, stacked(parts), strict=True):
            drawn.append((band, pen.fill(band, areas)))
        drawn.reverse()
    for band in lines:
        pen.envelope(band, spread)
    for band in lines:
        drawn.append((band, pen.line(band)))
    pen.mark(bands.non_finite)
    # From the total down, as they lie on one another.
    drawn.sort(key=lambda each: (each[0].term.role in OUTSIDE, each[0].term.role != "total"))
    _legend(ax, drawn)
    ax.margins(x=0)
    ax.set_xlabel("step")
    what = "loss" if bands.total else "penalties alone: no data loss was recorded"
    ax.set_ylabel(
        ("share of the loss" if view == "share" else what) + " (smoothed)" * (smoothing > 0)
    )
    if view == "share":
        ax.yaxis.set_major_formatter("{x:.0%}")
        ax.set_ylim(0, 1)
    elif view == "stack" and not any((band.part < 0).any() for band in bands.summands):
        ax.set_ylim(bottom=0)


class _Pen:
    """Draws bands in their colours."""

    def __init__(self, ax: Axes, x: _Values, palette: Palette, numbers: dict[Term, int]) -> None:
        self._ax = ax
        self._x = x
        self._palette = palette
        self._numbers = numbers

    def fill(self, band: Band, areas: Sequence[tuple[_Values, _Values]]) -> Any:
        """Fills a band's areas between their edges, and returns the first."""
        colour, variant = self._look(band)
        is_residual = band.term.role == "unexplained"
        look: dict[str, Any] = {
            "facecolor": "none" if is_residual else colour,
            "edgecolor": colour if is_residual or not variant else self._palette.total,
            "hatch": "///" if is_residual else _HATCHES[variant % len(_HATCHES)],
            # Closes the seam where two edges cover a pixel in part.
            "linewidth": 0.2,
        }
        filled = [self._area(*edges, **look) for edges in areas]
        filled[0].set_label(_name(band.term))
        return filled[0]

    def envelope(self, band: Band, alpha: float) -> None:
        """Draws quietly what lies between the smallest and the largest value of each bucket."""
        if alpha and (band.minimum < band.maximum).any():
            colour, _ = self._look(band)
            self._area(band.minimum, band.maximum, facecolor=colour, alpha=alpha, linewidth=0)

    def line(self, band: Band) -> Any:
        """Draws a band's mean as a line."""
        colour, variant = self._look(band)
        is_beside = band.term.role in OUTSIDE or band.term.role == "unexplained"
        (line,) = self._ax.plot(
            self._x,
            band.mean,
            label=_name(band.term),
            color=colour,
            linewidth=1.0 if band.term.role == "total" else 1.5,
            linestyle=_BESIDE if is_beside else _DASHES[variant % len(_DASHES)],
        )
        lone = _lone(band.mean)
        self._ax.plot(self._x[lone], band.mean[lone], "s", color=colour, markersize=_LONE_WIDTH)
        return line

    def mark(self, non_finite: npt.NDArray[np.bool_]) -> None:
        """Marks at the top where a value is NaN or infinite."""
        if non_finite.any():
            self._ax.plot(
                self._x[non_finite],
                np.ones(non_finite.sum()),
                "s",
                label="NaN or infinite",
                color=self._palette.warning,
                markersize=4,
                clip_on=False,
                transform=self._ax.get_xaxis_transform(),
            )

    def _area(self, lower: _Values, upper: _Values, **look: Any) -> Any:
        lone = _lone(upper)
        colours = look["facecolor"] if look["facecolor"] != "none" else look["edgecolor"]
        self._ax.vlines(
            self._x[lone],
            lower[lone],
            upper[lone],
            colors=colours,
            alpha=look.get("alpha"),
            linewidth=_LONE_WIDTH,
        )
        return self._ax.fill_between(self._x, lower, upper, **look)

    def _look(self, band: Band) -> tuple[str, int]:
        number = self._numbers.get(band.term)
        return colour_of(self._palette, band.term, number), variant_of(band.term, number)


def _lone(values: _Values) -> npt.NDArray[np.bool_]:
    """Returns which values stand between gaps."""
    gaps = np.isnan(np.concatenate([[np.nan], values, [np.nan]]))
    return np.asarray(~gaps[1:-1] & gaps[:-2] & gaps[2:])


def _name(term: Term) -> str:
    name = shortened(printable(term.name), _MAX_NAME)
    return f"{name}\n({OUTSIDE[term.role]})" if term.role in OUTSIDE else name


def _legend(ax: Axes, drawn: list[tuple[Band, Any]]) -> None:
    marks = [line for line in ax.get_lines() if line.get_label() == "NaN or infinite"]
    names = [_name(band.term) for band, _ in drawn] + ["NaN or infinite"] * len(marks)
    handles = [handle for _, handle in drawn] + marks
    add_legend(ax, handles, names, loc="upper left", bbox_to_anchor=(1, 1))


def add_legend(ax: Axes, handles: Sequence[Any], names: Sequence[str], **look: Any) -> None:
    """Adds a legend with names as they are: no formula between dollars, none hidden for a "_"."""
    legend = ax.legend(handles, ["-"] * len(names), frameon=False, **look)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_parse_math(False)
        text.set_text(name)
