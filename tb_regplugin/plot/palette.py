"""The dashboard's colours, and which term has which. Pure functions.

``frontend/src/drawing/`` has them for the browser; the tests compare both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tb_regplugin.reading.decode import natural_key
from tb_regplugin.terms import OUTSIDE_OF_LOSS, Term


@dataclass(frozen=True)
class Palette:
    """The colours on a light or on a dark ground.

    Attributes:
      penalties: Those of the terms, which come again paler, then stronger.
      data: Those of data losses.
      more: What stands for all terms that have no band of their own.
      unexplained: What the recorded parts leave of the total.
      total: The line of the total.
      heat: A sweep's means and runs.
      text: What is quieter than these.
      caution: Runs that are not like the others.
      warning: Where there is no finite value.
      grounds: What the penalties' colours are blended with, from 0 for black to 255 for white.
    """

    penalties: tuple[str, ...]
    data: tuple[str, ...]
    more: str
    unexplained: str
    total: str
    heat: str
    text: str
    caution: str
    warning: str
    grounds: tuple[int, int]


LIGHT = Palette(
    penalties=(
        "#e8710a", "#44aa99", "#882255", "#ddb63c", "#332288", "#cc6677", "#117733", "#b05fb0",
    ),
    data=("#9db7d5", "#bccde2", "#7f9fc4", "#d3deec"),
    more="#9aa0a6",
    unexplained="#5f6368",
    total="#202124",
    heat="#0d47a1",
    text="#616161",
    caution="#b26a00",
    warning="#c62828",
    grounds=(255, 0),
)  # fmt: skip
DARK = Palette(
    penalties=(
        "#f28b35", "#68cad8", "#e75884", "#ecd06a", "#9489f9", "#f6a69e", "#58ab5f", "#be80d5",
    ),
    data=("#4f6f99", "#6f8bb0", "#3d5a80", "#8ea4c2"),
    more="#80868b",
    unexplained="#bdc1c6",
    total="#f1f3f4",
    heat="#90caf9",
    text="#bdbdbd",
    caution="#ffb74d",
    warning="#ef9a9a",
    grounds=(48, 255),
)  # fmt: skip

# Told apart by colour alone.
COLOURS_OF_PENALTIES = 3 * len(LIGHT.penalties)
_BLENDED = 0.55


def number_terms(columns: Sequence[Term], shown: Iterable[Term]) -> dict[Term, int]:
    """Numbers terms by their rank, the largest variables first, as in a dashboard of one run.

    Those that are shown have a colour of their own: where two would have the same one, the later
    takes the next that is free.
    """
    ranks: dict[Term, int] = {}
    for roles in ({"data"}, {"penalty", *OUTSIDE_OF_LOSS}):
        ranked = [term for term in columns if term.role in roles]
        ranked.sort(key=lambda term: (-_elements(term), natural_key(f"{term.role}:{term.name}")))
        ranks |= {term: rank for rank, term in enumerate(ranked)}
    numbers, taken = dict(ranks), set[int]()
    for term in sorted({*shown} & ranks.keys(), key=ranks.__getitem__):
        if term.role != "data":
            numbers[term] = _first_free(ranks[term], taken)
            taken.add(numbers[term])
    return numbers


def colour_of(palette: Palette, term: Term, number: int | None) -> str:
    """Returns a term's colour; that of many terms as one where it has no number."""
    if term.role == "total":
        return palette.total
    if term.role == "unexplained":
        return palette.unexplained
    if number is None:
        return palette.more
    if term.role == "data":
        return palette.data[number % len(palette.data)]
    shade, place = divmod(number % COLOURS_OF_PENALTIES, len(palette.penalties))
    colour = palette.penalties[place]
    return _blend(colour, palette.grounds[shade - 1]) if shade else colour


def variant_of(term: Term, number: int | None) -> int:
    """Returns which of those that share its colour a term is, from 0."""
    colours = len(LIGHT.data) if term.role == "data" else COLOURS_OF_PENALTIES
    return (number or 0) // colours


def _elements(term: Term) -> int:
    if term.size is not None:
        return term.size
    return 0 if term.shape is None else math.prod(term.shape)


def _first_free(rank: int, taken: set[int]) -> int:
    # Once all colours are taken, each is there once more, with another pattern.
    start = len(taken) // COLOURS_OF_PENALTIES * COLOURS_OF_PENALTIES
    places = ((rank + i) % COLOURS_OF_PENALTIES for i in range(COLOURS_OF_PENALTIES))
    return next(start + place for place in places if start + place not in taken)


def _blend(colour: str, ground: int) -> str:
    channels = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    # Half up, as browsers round.
    blended = (math.floor(_BLENDED * each + (1 - _BLENDED) * ground + 0.5) for each in channels)
    return "#" + "".join(f"{each:02x}" for each in blended)
