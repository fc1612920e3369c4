"""The figures that users ask for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from tb_regplugin.plot import stacked, strengths
from tb_regplugin.plot.bands import choose_bands
from tb_regplugin.plot.palette import number_terms
from tb_regplugin.reading.load import Recording
from tb_regplugin.reading.query import SweepQuery
from tb_regplugin.reading.strengths import StrengthSource
from tb_regplugin.reading.sweep import WINDOW
from tb_regplugin.reading.sweep_files import read_sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def stack(
    recording: Recording,
    *,
    ax: Axes | None = None,
    view: Literal["stack", "share", "lines"] = "stack",
    terms: str | None = None,
    steps: tuple[int | None, int | None] | None = None,
    smoothing: float = 0,
    max_buckets: int = 1000,
) -> Axes:
    """Draws what a loss is made of, with the dashboard's colours, in its order.

    Penalties lie at the bottom, the largest lowest, and the data loss on them: the upper edge is
    the total. Negative parts hang below zero. What the recorded parts leave of the total is
    hatched; what is no part of the loss is a dashed line, with the reason in the legend. Of more
    than 13 penalties, the largest 12 are drawn, and the others as one.

    Args:
      recording: One of those that ``load`` returns.
      ax: The matplotlib axes to draw on; those of a new figure when left out.
      view: ``"stack"``; ``"share"`` for the parts of the whole; ``"lines"`` for each by itself.
      terms: A regular expression: only terms whose names match are drawn, beside the total.
      steps: The first and the last step to draw; None for an end that is left open.
      smoothing: From 0 to below 1, as TensorBoard smooths scalars.
      max_buckets: Into how many parts the steps are cut, where there are more of them. Each part is
        drawn as its mean; between its smallest and largest value, lines are shaded.

    Returns:
      The axes, to be styled further.

    Raises:
      ImportError: matplotlib is not installed.
      ValueError: An argument is none of these, nothing was recorded in these steps, the recording
        is of gradients, or a share is asked for of something negative.

    Example:
      >>> import tempfile
      >>> import tb_regplugin
      >>> log_dir = tempfile.mkdtemp()
      >>> with tb_regplugin.Writer(log_dir) as writer:
      ...     for step in range(3):
      ...         writer.write(step, data_loss=1.0, penalties={"dense/kernel": 0.25})
      >>> ax = tb_regplugin.plot.stack(tb_regplugin.load(log_dir)["."])
      >>> [text.get_text() for text in ax.get_legend().get_texts()]
      ['total', 'data', 'dense/kernel']
    """
    if view not in stacked.VIEWS:
        raise ValueError(f"view must be one of {', '.join(stacked.VIEWS)}, not {view!r}.")
    if not 0 <= smoothing < 1:
        raise ValueError(f"smoothing must be from 0 to below 1, not {smoothing!r}.")
    if max_buckets < 1:
        raise ValueError(f"max_buckets must be at least 1, not {max_buckets!r}.")
    bands = choose_bands(
        recording.contents(),
        terms=terms,
        steps=steps,
        smoothing=smoothing,
        max_buckets=max_buckets,
    )
    shown = [band.term for band in bands.all if not band.is_rest]
    ax = ax or _new_axes()
    stacked.draw(ax, bands, number_terms(recording.columns, shown), view, smoothing)
    return ax


def sweep(
    logs: str | os.PathLike[str] | Sequence[Mapping[str, Any]],
    *,
    metric: str | None = None,
    window: float = WINDOW,
    strength_from: str = "recorded",
    ax: Axes | None = None,
) -> Axes:
    """Draws what each strength of the penalties led to.

    Data losses of training (hollow) and of validation (filled), or else a metric, over strengths on
    a logarithmic axis, where 0 stands apart. Each run is a dot; the mean of several has a line from
    the least to the largest, and a broad one for the standard error where there are three or more.
    Runs that ended early or diverged are hollow diamonds, those without a finite value crosses at
    the top. Means are joined where all runs are of the same length. Bars are the penalties' share.

    Args:
      logs: A log directory, as for ``tensorboard --logdir``, or the entries that
        ``tb-regplugin sweep --json`` prints.
      metric: The tag of a scalar to draw in place of the losses.
      window: Over which share of the rows, the last ones, to average.
      strength_from: ``"recorded"``, ``"hparams=NAME"`` or ``"names=REGEX"``.
      ax: The matplotlib axes to draw on; those of a new figure when left out.

    Returns:
      The axes. Their title says what is seen, as the dashboard does.

    Raises:
      FileNotFoundError: There is no such directory, or no recording in it.
      ImportError: matplotlib is not installed.
      ValueError: An argument is none of these, or there is no strength, or more than one at once.

    Warns:
      UserWarning: A file cannot be read. Everything else is drawn.

    Example:
      >>> import tempfile
      >>> import tb_regplugin
      >>> log_dir = tempfile.mkdtemp()
      >>> for strength in (0.0, 0.01, 0.1):
      ...     with tb_regplugin.Writer(f"{log_dir}/{strength}") as writer:
      ...         term = tb_regplugin.Term("kernel", kind="l2", strength=strength)
      ...         writer.write(0, data_loss=1 + strength, penalties={term: 10 * strength})
      >>> ax = tb_regplugin.plot.sweep(log_dir)
      >>> [label.get_text() for label in ax.get_xticklabels()]
      ['0', '0.01', '0.1']
    """
    if not 0 < window <= 1:
        raise ValueError(f"window must be above 0 and at most 1, not {window!r}.")
    source = StrengthSource.parse(strength_from)
    entries: Sequence[Mapping[str, Any]]
    if isinstance(logs, (str, os.PathLike)):
        entries = read_sweep(logs, SweepQuery("losses", window, metric, source))
    else:
        entries = logs
    placed = strengths.place(entries, metric)
    ax = ax or _new_axes()
    strengths.draw(ax, placed, entries, metric)
    return ax


def load_matplotlib() -> Any:
    """Imports matplotlib.

    Raises:
      ImportError: It is not installed. The message says how to.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError('Figures need matplotlib: pip install "tb_regplugin[plot]".') from error
    return matplotlib


def _new_axes() -> Axes:
    load_matplotlib()
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(8, 4), layout="constrained")[1]
