"""Names, where they can be imported at no cost: TensorBoard's start waits for that."""

from __future__ import annotations

from collections.abc import Iterable

PLUGIN_NAME = "regularization"

# Compositions of scalars that somebody stored: another name, since versions that don't know them
# would call each a problem.
COMPOSITIONS_PLUGIN_NAME = "regularization_compositions"

# What follows the name of a recording in that of its gradients: "losses.gradients".
GRADIENTS_SUFFIX = ".gradients"


# Names are shortened to that in the tables of the command line.
MAX_CELL = 60


def recording_title(run: str, name: str) -> str:
    """Returns how text refers to a recording: the name only where it isn't the usual one."""
    return run if name == "losses" else f"{run} ({name})"


def shortened(text: str, length: int = 300) -> str:
    """Returns a text of at most so many characters, with both its ends.

    Example:
      >>> shortened("0123456789", 5)
      '01…89'
    """
    if len(text) <= length:
        return text
    tail = (length - 1) // 2
    return f"{text[: length - 1 - tail]}…{text[len(text) - tail :]}"


def printable(text: str) -> str:
    r"""Returns a text with all that a terminal would obey, or couldn't show, escaped.

    Example:
      >>> print(printable("red\x1b[31m\nline"))
      red\x1b[31m\nline
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def distinct(names: Iterable[str]) -> list[str]:
    """Numbers equal names, so that each is there once: the first of them stays as it is.

    Example:
      >>> distinct(["w", "b", "w", "w"])
      ['w', 'b', 'w (2)', 'w (3)']
    """
    # By name that is taken: the number that the last name derived from it has.
    numbers: dict[str, int] = {}
    for name in names:
        free = name
        while free in numbers:
            numbers[name] += 1
            free = f"{name} ({numbers[name]})"
        numbers[free] = 1
    return list(numbers)
