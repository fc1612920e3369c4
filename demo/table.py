"""The demo's table: the sweep beside the question's own numbers. Pure functions."""

from collections.abc import Mapping, Sequence
from typing import Any

# Test accuracies by λ, of the question and its answers.
QUESTION = {0.0: 0.9468, 0.0001: 0.9476, 0.01: 0.9183, 1.0: 0.1135}
_COLUMNS = ("λ", "question's", "test accuracy", "data loss, test", "training", "penalties")
_WIDTHS = (7, 12, 24, 24, 24, 11)


def table(sweep: Sequence[Mapping[str, Any]]) -> str:
    """Returns what each strength led to, a line each.

    Args:
      sweep: What ``tb-regplugin sweep --json --metric epoch_accuracy`` prints.
    """
    rows = [_COLUMNS]
    for each in sweep:
        accuracy = QUESTION.get(each["strength"])
        rows.append(
            (
                f"{each['strength']:g}",
                "" if accuracy is None else f"{accuracy:.4f}",
                _spread(each["metric"]),
                _spread(each["validation_data_loss"]),
                _spread(each["data_loss"]),
                f"{each['penalty_share']:.1%}",
            )
        )
    lines = ("".join(c.rjust(w) for c, w in zip(row, _WIDTHS, strict=True)) for row in rows)
    return "\n".join(lines)


def notes(sweep: Sequence[Mapping[str, Any]], steps: int) -> str:
    """Says what the numbers are, and in what the question's are others.

    Args:
      sweep: As for the table.
      steps: How many each training had.
    """
    seeds = max(len(each["runs"]) for each in sweep)
    (level,) = {each["chance_level"] for each in sweep}
    return (
        f"Mean and range over {seeds} seeds after {steps:,} steps. Data losses are means over the "
        "last tenth of what was\nrecorded, without the penalties λ · ‖w‖²; a network that guesses "
        f"has a data loss of {level:.3f}.\nThe question used all of MNIST (here: 4,000 images), "
        "other numbers of steps, and penalties half as\nlarge, λ/2 · ‖w‖²."
    )


def _spread(figure: Mapping[str, float] | None) -> str:
    if figure is None:
        return "-"
    return f"{figure['mean']:.4f} ({figure['min']:.4f}–{figure['max']:.4f})"
