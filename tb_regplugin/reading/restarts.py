"""Where a recording was taken up again, told by which steps its blocks hold. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from tb_regplugin.log_format import Block
from tb_regplugin.reading.decode import IndexedSegment, in_streams

# The first and the last step of rows that were written one after another.
Extent = tuple[int, int]
# A step at which a writer goes on from another one, or goes back, and the last step that had been
# recorded until then: where it is not less, rows were overwritten.
Restart = tuple[int, int]


def extents(blocks: Iterable[Block]) -> list[Extent]:
    """Returns the steps of a segment's blocks as extents; another one begins where they go back."""
    found: list[Extent] = []
    for block in blocks:
        first, last = int(block.steps[0]), int(block.steps[-1])
        if found and first > found[-1][1]:
            found[-1] = found[-1][0], last
        else:
            found.append((first, last))
    return found


def by_writer(
    segments: Collection[IndexedSegment], held: Mapping[str, Sequence[Extent]]
) -> Iterable[tuple[str, Sequence[Extent]]]:
    """Yields what each writer's segments, which are in the order of writing, held."""
    written: dict[str, list[Extent]] = {}
    for segment in segments:
        written.setdefault(segment.key.life, []).extend(held.get(segment.tag, []))
    streams = in_streams(segments)
    for writer in {segment.key.life for segment in segments if segment.tag in streams}:
        # Streams overwrite nothing of one another.
        steps = [step for extent in written[writer] for step in extent]
        written[writer] = [(min(steps), max(steps))] if steps else []
    return written.items()


def restarts(written: Iterable[tuple[str, Sequence[Extent]]]) -> tuple[Restart, ...]:
    """Finds where rows that still stand were not written by who wrote the ones before.

    Example:
      >>> restarts([("a", [(0, 1200)]), ("b", [(1000, 1500)]), ("c", [(1501, 1600)])])
      ((1000, 1200), (1501, 1500))
    """
    # Where each piece of the rows begins that stand so far, and what was there before.
    pieces: list[tuple[int, Restart | None]] = []
    latest: tuple[str, int] | None = None
    for writer, own in written:
        for first, last in own:
            while pieces and pieces[-1][0] >= first:
                pieces.pop()
            restart = None
            if pieces and latest is not None and (first <= latest[1] or writer != latest[0]):
                restart = first, latest[1]
            pieces.append((first, restart))
            latest = writer, last
    return tuple(restart for _, restart in pieces if restart is not None)


def times_back(found: Iterable[Restart]) -> int:
    """Returns how often rows were overwritten, as after going back to a checkpoint."""
    return sum(step <= last for step, last in found)
