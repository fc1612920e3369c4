"""Names, where they can be imported at no cost: TensorBoard's start waits for that."""

from __future__ import annotations

from collections.abc import Iterable

PLUGIN_NAME = "regularization"

# What follows the name of a recording in that of its gradients: "losses.gradients".
GRADIENTS_SUFFIX = ".gradients"


def recording_title(run: str, name: str) -> str:
    """Returns how text refers to a recording: the name only where it isn't the usual one."""
    return run if name == "losses" else f"{run} ({name})"


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
