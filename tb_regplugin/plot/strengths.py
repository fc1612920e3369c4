"""Draws a sweep on matplotlib's axes: means, spread and runs over strengths, after glmnet's."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tb_regplugin.plot.stacked import add_legend, palette_of
from tb_regplugin.reading.sweep_text import no_metric, sentence, warnings

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# How many times smaller than the least strength 0 is drawn: a decade.
_TO_ZERO = 10.0
_TITLE_WIDTH = 100  # characters
_MOST_NAMED = 12  # strengths
_MEAN_WIDTH = 16
_RUN_SIZE = 4
_NAMES = {"data_loss": "training", "validation_data_loss": "validation"}
_Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Placed:
    """The entries of a sweep that have a place.

    Attributes:
      entries: With a strength, in its order.
      x: Where each is.
      zero: Where the strength 0 is drawn, if there is one.
    """

    entries: list[_Entry]
    x: list[float]
    zero: float | None

    @property
    def lengths(self) -> list[set[int]]:
        """At which steps the runs of each strength ended."""
        return [{point["last_step"] for point in each["points"]} for each in self.entries]


def place(entries: Sequence[_Entry], metric: str | None) -> Placed:
    """Tells where strengths lie on a logarithmic axis, with 0 below the least of them.

    Raises:
      ValueError: There is no strength, or more than one at once, or no such metric.
    """
    known = [each for each in entries if each["strength"] is not None]
    if not known:
        raise ValueError(
            "No run's strength is known. strength_from='hparams' or 'names=REGEX' may tell it."
        )
    if isinstance(known[0]["strength"], Mapping):
        raise ValueError(
            f"Several strengths vary at once: {', '.join(known[0]['strength'])}. Choose one with "
            "strength_from='hparams=NAME' or 'names=REGEX'."
        )
    if metric is not None and all(each.get("metric") is None for each in known):
        raise ValueError(no_metric(metric))
    strengths = [float(each["strength"]) for each in known]
    above = [strength for strength in strengths if strength > 0]
    zero = min(above, default=1.0) / _TO_ZERO
    return Placed(
        known,
        [strength if strength > 0 else zero for strength in strengths],
        zero if len(above) < len(strengths) else None,
    )


def draw(ax: Axes, placed: Placed, entries: Sequence[_Entry], metric: str | None) -> None:
    """Draws the losses, or a metric, of what has a place. The title says what all entries show."""
    ax.set_xscale("log")
    _draw_shares(ax, placed)
    figures = ["metric"] if metric is not None else list(_NAMES)
    for figure in figures:
        if any(each[figure] is not None for each in placed.entries):
            _draw_figure(ax, placed, figure, _NAMES.get(figure, metric))
    _draw_crosses(ax, placed, figures)
    levels: set[float] = {
        each["chance_level"]
        for each in placed.entries
        if metric is None and each.get("chance_level") is not None
    }
    for level in levels:
        ax.axhline(level, color=palette_of(ax).text, linewidth=1, linestyle=":", label="guessing")
    _draw_axis(ax, placed)
    ax.set_ylabel("data loss" if metric is None else metric, parse_math=False)
    told = [sentence(entries, metric), *warnings(entries, metric)]
    lines = [line for text in told for line in textwrap.wrap(text, _TITLE_WIDTH)]
    ax.set_title("\n".join(lines), loc="left", fontsize="small", parse_math=False)
    _draw_legend(ax)


def _draw_figure(ax: Axes, placed: Placed, figure: str, name: str | None) -> None:
    """Draws the runs of a figure, and their means with what they spread over."""
    palette = palette_of(ax)
    look: dict[str, Any] = {
        "color": palette.heat,
        "markerfacecolor": ax.get_facecolor() if figure == "data_loss" else palette.heat,
        "linestyle": "none",
    }
    means = [
        (x, each[figure], lengths)
        for x, each, lengths in zip(placed.x, placed.entries, placed.lengths, strict=True)
        if each[figure] is not None
    ]
    for (left, one, ends), (right, other, other_ends) in itertools.pairwise(means):
        # Runs of different length are not joined, nor is anything across the break.
        if len(ends | other_ends) == 1 and left != placed.zero:
            ax.plot([left, right], [one["mean"], other["mean"]], color=palette.heat, alpha=0.6)
    several = [(x, spread) for x, spread, _ in means if spread["min"] < spread["max"]]
    for x, spread in several:
        ax.vlines(x, spread["min"], spread["max"], colors=palette.heat, linewidth=1)
        error = spread["standard_error"]
        if error is not None:
            low, high = spread["mean"] - error, spread["mean"] + error
            ax.vlines(
                x, low, high, colors=palette.heat, linewidth=5, alpha=0.35, label="standard error"
            )
    ax.plot(
        [x for x, _ in several],
        [spread["mean"] for _, spread in several],
        "_",
        color=palette.heat,
        linestyle="none",
        markersize=_MEAN_WIDTH,
        markeredgewidth=2,
        label="mean, smallest to largest",
    )
    for is_odd in (False, True):
        dots = [
            (x, point[figure])
            for x, each in zip(placed.x, placed.entries, strict=True)
            for point in each["points"]
            if point[figure] is not None and is_odd == _is_odd(point)
        ]
        if is_odd:
            hollow = {"color": palette.caution, "markerfacecolor": ax.get_facecolor()}
            label = f"{name}: ended early, or diverged"
        else:
            hollow, label = {}, f"{name}: one run"
        ax.plot(
            [x for x, _ in dots],
            [value for _, value in dots],
            "D" if is_odd else "o",
            markersize=_RUN_SIZE + is_odd,
            label=label,
            **look | hollow,
        )


def _draw_crosses(ax: Axes, placed: Placed, figures: Sequence[str]) -> None:
    """Marks at the top where a run has no finite value."""
    x = [
        x
        for x, each in zip(placed.x, placed.entries, strict=True)
        for point in each["points"]
        if all(point[figure] is None for figure in figures)
    ]
    ax.plot(
        x,
        [0.98] * len(x),
        "x",
        color=palette_of(ax).warning,
        label="no finite value",
        transform=ax.get_xaxis_transform(),
    )


def _draw_shares(ax: Axes, placed: Placed) -> None:
    """Draws the penalties' share of the total as bars behind all else, with an axis of its own."""
    beside = ax.twinx()
    colour = palette_of(ax).text
    known = [
        (x, each["penalty_share"])
        for x, each in zip(placed.x, placed.entries, strict=True)
        if each["penalty_share"] is not None
    ]
    beside.vlines(
        [x for x, _ in known],
        0,
        [share for _, share in known],
        colors=colour,
        linewidth=8,
        alpha=0.2,
    )
    beside.set_ylim(0, 1)
    beside.yaxis.set_major_formatter("{x:.0%}")
    beside.set_ylabel("penalties' share of the total", color=colour)
    beside.tick_params(axis="y", colors=colour)
    # Bars lie behind.
    ax.set_zorder(beside.get_zorder() + 1)
    ax.patch.set_visible(False)
    beside.patch.set_visible(True)
    beside.patch.set_facecolor(ax.get_facecolor())


def _draw_axis(ax: Axes, placed: Placed) -> None:
    """Names the strengths, and breaks the axis between 0 and the least of them."""
    ax.set_xlabel("strength")
    if len(placed.x) <= _MOST_NAMED:
        ax.set_xticks(placed.x, [f"{each['strength']:g}" for each in placed.entries])
        ax.minorticks_off()
    elif placed.zero is not None:
        above = [tick for tick in ax.get_xticks() if min(placed.x) < tick <= max(placed.x)]
        ax.set_xticks([placed.zero, *above], ["0", *(f"{tick:g}" for tick in above)])
    if placed.zero is not None:
        middle = placed.zero * _TO_ZERO**0.5
        slash: dict[str, Any] = {"marker": [(-1, -2), (1, 2)], "markersize": 12}
        gap, colour = ax.get_facecolor(), ax.spines["bottom"].get_edgecolor()
        for at, look in (
            ([middle], {"marker": "s", "markersize": 7, "color": gap}),
            ([middle / 1.12, middle * 1.12], {**slash, "color": colour}),
        ):
            ax.plot(
                at,
                [0] * len(at),
                linestyle="none",
                clip_on=False,
                transform=ax.get_xaxis_transform(),
                zorder=10,
                **look,
            )


def _draw_legend(ax: Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    # One entry of each that has something to show.
    shown = {
        label: handle
        for handle, label in zip(handles, labels, strict=True)
        if not hasattr(handle, "get_xdata") or len(handle.get_xdata())
    }
    # Below the name of the axis.
    look = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "borderaxespad": 4.5}
    add_legend(ax, [*shown.values()], [*shown], **look, ncols=3, fontsize="small")


def _is_odd(point: _Entry) -> bool:
    return bool(point["unfinished"] or point["diverged"])
