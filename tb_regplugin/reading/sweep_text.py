"""A sweep in words and as a table: what is seen, and nothing more. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tb_regplugin.names import MAX_CELL, printable, shortened
from tb_regplugin.reading.strengths import Strength

_Entries = Sequence[Mapping[str, Any]]

# Of a metric that is called so, less is better.
_FALLS = re.compile("loss|error|mae|mse|perplexity|divergence", re.IGNORECASE)
_MAX_NAMED = 5
# What the table puts behind a number of runs, where one of them is such.
_MARKS = {
    "unfinished": ("*", "ended early"),
    "diverged": ("!", "NaN or infinite"),
    "restarted": ("~", "restarted"),
    "misapplied": ("?", "penalties counted twice, scaled again or unused"),
}


def sentence(entries: _Entries, metric: str | None = None) -> str:
    """Says which strength has the lowest loss, or else the best metric, and what lies beside it.

    Of one seed, nothing is called best.

    Args:
      entries: The sweep, as ``sweep.entries`` returns it.
      metric: The metric that was asked for.
    """
    figure, what = _compared(entries, metric)
    known = [each for each in entries if each["strength"] is not None and each[figure] is not None]
    if len(known) < 2:
        text = "Fewer than two strengths can be compared."
        if len(entries) == 1 and entries[0]["strength"] is not None:
            text += " Train with others too, each run in a directory of its own."
        return text
    rises = figure == "metric" and not _FALLS.search(what)
    means = [each[figure]["mean"] for each in known]
    place = means.index((max if rises else min)(means))
    best = known[place]
    seeds = _count(best, figure)
    text = f"{what} is {'highest' if rises else 'lowest'} at strength {_told(best['strength'])}: "
    if seeds > 1:
        text += f"{_spread(best[figure])}, the mean of {seeds} runs"
    else:
        text += f"{means[place]:.4g} in a single run, too few to call it best"
    if not isinstance(best["strength"], dict):
        beside = [known[i] for i in (place - 1, place + 1) if 0 <= i < len(known)]
        sides = (f"{_spread(each[figure])} at {_told(each['strength'])}" for each in beside)
        text += f". Next to it: {' and '.join(sides)}"
    error = best[figure]["standard_error"]
    if error is not None:
        near = [
            _told(each["strength"])
            for each, mean in zip(known, means, strict=True)
            if each is not best and abs(mean - means[place]) <= error
        ]
        text += f". Within one standard error ({error:.2g}): {_listed(near) or 'no other strength'}"
    end = _end_of(best["strength"], [each["strength"] for each in known])
    # In training the least penalty is the best, whatever was tried.
    if end is not None and figure != "data_loss":
        text += f". This is {end} that was tried: look beyond it"
    return text + "."


def warnings(entries: _Entries, metric: str | None = None) -> list[str]:
    """Says what a reader of the sweep should know besides."""
    all_points = [point for each in entries for point in each["points"]]
    told = []
    unused = [point["run"] for point in all_points if point["misapplied"] == "not_in_loss"]
    if unused:
        told.append(
            f"Runs whose penalties are all unused: {_some(unused)}. No strength acts in them: add "
            "the penalties to the loss."
        )
    other = [run for each in entries for run in each["misapplied"] if run not in unused]
    if other:
        told.append(
            f"Runs whose penalties are counted twice or scaled again: {_some(other)}. They stand "
            "at the strength that was written, which is not the one that acts: see their findings."
        )
    runs = [run for each in entries if each["strength"] is None for run in each["runs"]]
    if unknown := [run for run in runs if run not in unused]:
        told.append(
            f"Runs of unknown or changed strength: {_some(unknown)}. Hyperparameters or names of "
            'runs may have it ("Strengths from", --strength-from).'
        )
    unfinished = [run for each in entries for run in each["unfinished"]]
    if unfinished:
        longest = max(point["last_step"] or 0 for point in all_points)
        told.append(f"Runs that ended before step {longest:,}: {_some(unfinished)}.")
    diverged = [run for each in entries for run in each["diverged"]]
    if diverged:
        told.append(f"Runs with a loss that is NaN or infinite: {_some(diverged)}.")
    restarted = [run for each in entries for run in each["restarted"]]
    if restarted:
        told.append(
            f"Runs that went back to an earlier step, as from a checkpoint: {_some(restarted)}."
        )
    figure, _ = _compared(entries, metric)
    if entries and figure == "data_loss":
        told.append(
            "There is no validation. Any penalty raises the training data loss, so that alone "
            "cannot choose a strength."
        )
    if metric is not None and all(each["metric"] is None for each in entries):
        told.append(no_metric(metric))
    homes = {re.split(r"[/\\]", point.get("metric_run") or "")[-1] for point in all_points}
    if metric is not None and "validation" in homes and homes - {"validation", ""}:
        told.append(f"{metric} is that of the validation in some runs only.")
    seeds = {_count(each, figure) for each in entries if each[figure] is not None}
    if len(seeds) > 1:
        told.append(f"Strengths have between {min(seeds)} and {max(seeds)} runs.")
    problems = [point["run"] for point in all_points if point["problem"] is not None]
    if problems:
        told.append(f"Runs that could be read only in part: {_some(problems)}.")
    return told


def no_metric(metric: str) -> str:
    """Says that a metric is nowhere, and what can be asked for."""
    return (
        f"No run has finite values of {metric!r}. Give the tag of a scalar that the runs, or "
        "their validations, have."
    )


def table(entries: _Entries, metric: str | None = None) -> str:
    """Returns the sweep as a table, with what is to be known below it."""
    rows = [["strength", "runs", "data loss", "validation", "penalties"]]
    if metric is not None:
        rows[0].append(shortened(printable(metric), MAX_CELL))
    for each in entries:
        share = each["penalty_share"]
        row = [
            printable(_told(each["strength"])),
            str(len(each["runs"])) + "".join(mark for mark, _ in _marks_of([each])),
            _spread(each["data_loss"]),
            _spread(each["validation_data_loss"]),
            "-" if share is None else f"{share:.2%}",
        ]
        rows.append([*row, _spread(each["metric"])] if metric is not None else row)
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    levels = {each["chance_level"] for each in entries} - {None}
    notes = [sentence(entries, metric), *warnings(entries, metric)]
    if len(levels) == 1:
        notes.insert(1, f"A model that guesses has a data loss of {levels.pop():.4g}.")
    legend = [", ".join(f"{mark} {meaning}" for mark, meaning in _marks_of(entries))]
    return "\n".join([*lines, *filter(None, legend), "", *map(printable, notes)])


def _marks_of(entries: _Entries) -> list[tuple[str, str]]:
    """Returns the marks of what any of the entries has, and what they mean."""
    return [mark for flag, mark in _MARKS.items() if any(each[flag] for each in entries)]


def _compared(entries: _Entries, metric: str | None) -> tuple[str, str]:
    """Returns which figure is compared, and what it is called."""
    if metric is not None and any(each["metric"] is not None for each in entries):
        return "metric", metric
    if any(each["validation_data_loss"] is not None for each in entries):
        return "validation_data_loss", "The validation data loss"
    return "data_loss", "The training data loss"


def _end_of(strength: Strength, tried: Sequence[Strength]) -> str | None:
    """Says of which end of the sweep a strength is; less than no penalty there is not."""

    def numbers(of: Strength) -> list[float]:
        return list(of.values()) if isinstance(of, dict) else [] if of is None else [of]

    columns = zip(*map(numbers, tried), strict=True)
    for number, column in zip(numbers(strength), columns, strict=True):
        if len(set(column)) > 1 and number == max(column):
            return "the largest"
        if len(set(column)) > 1 and number == min(column) > 0:
            return "the smallest"
    return None


def _count(entry: Mapping[str, Any], figure: str) -> int:
    return sum(point[figure] is not None for point in entry["points"])


def _told(strength: Strength) -> str:
    if isinstance(strength, dict):
        return shortened(", ".join(f"{key} {value:g}" for key, value in strength.items()), MAX_CELL)
    return "unknown" if strength is None else f"{strength:g}"


def _spread(spread: Mapping[str, float] | None) -> str:
    if spread is None:
        return "-"
    mean, low, high = (f"{spread[key]:.4g}" for key in ("mean", "min", "max"))
    return mean if low == high else f"{mean} ({low}–{high})"


def _listed(texts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))


def _some(runs: Sequence[str]) -> str:
    more = len(runs) - _MAX_NAMED
    named = [shortened(run, MAX_CELL) for run in runs[:_MAX_NAMED]]
    return ", ".join([*named, f"{more} more"] if more > 0 else named)
