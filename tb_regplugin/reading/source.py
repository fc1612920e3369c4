"""Listing and reading this plugin's series through TensorBoard's DataProvider."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
from tensorboard.data import provider as data_provider

from tb_regplugin.log_format import PLUGIN_NAME

_Result = TypeVar("_Result")

# TensorBoard downsamples at random, so it must never have a reason to.
_EVERY_EVENT = 2**31 - 1
# A reply of the data server may hold 256 MiB; sizes are estimates, and Python holds a reply's
# messages and their arrays at once.
_MAX_BATCH_BYTES = 64 * 2**20

# TensorBoard's Python loader lists a series a moment before it can be read.
_ATTEMPTS = 5
_SECONDS_BETWEEN_ATTEMPTS = 0.05


@dataclass(frozen=True)
class Unreadable:
    """Why TensorBoard cannot hand out a series."""

    reason: str


class Source:
    """One experiment, as one caller may see it.

    Args:
      provider: TensorBoard's ``DataProvider``.
      context: The caller's ``RequestContext``.
      experiment: The experiment's ID; empty for a local log directory.
    """

    def __init__(self, provider: Any, context: Any, experiment: str = "") -> None:
        self._provider = provider
        self._context = context
        self.experiment = experiment

    def list(self, run: str | None = None) -> Mapping[str, Mapping[str, Any]]:
        """Lists series.

        Args:
          run: The only run to list; all of them when left out.

        Returns:
          ``{run: {tag: series}}``, where a series has a ``max_step`` and a ``max_wall_time``.
        """
        runs = None if run is None else [run]
        return _patiently(
            lambda: self._provider.list_tensors(
                self._context,
                experiment_id=self.experiment,
                plugin_name=PLUGIN_NAME,
                run_tag_filter=data_provider.RunTagFilter(runs=runs),
            )
        )

    def read(
        self, run: str, sizes: Mapping[str, int]
    ) -> Iterator[tuple[str, Sequence[Any] | Unreadable]]:
        """Reads series, as many at a time as a reply may hold.

        Args:
          run: Their run.
          sizes: The estimated number of bytes of each, by tag.

        Yields:
          A tag and its events (each with ``step``, ``wall_time`` and ``numpy``), or why there are
          none. A series that has vanished or is not loaded yet is left out.
        """
        for tags in _batches(sizes):
            yield from self._read_batch(run, tags)

    def _read_batch(
        self, run: str, tags: Sequence[str]
    ) -> Iterator[tuple[str, Sequence[Any] | Unreadable]]:
        try:
            found = _patiently(lambda: self._read_tensors(run, tags))
        except Exception as error:
            reason = _reason(error)
            if reason is None:
                raise
            if len(tags) == 1:
                if not isinstance(error, KeyError):
                    yield tags[0], Unreadable(reason)
                return
        else:
            for tag in tags:
                if found.get(tag):
                    yield tag, found[tag]
            return
        # One bad series fails a whole reply: halve until it stands alone.
        middle = len(tags) // 2
        yield from self._read_batch(run, tags[:middle])
        yield from self._read_batch(run, tags[middle:])

    def _read_tensors(self, run: str, tags: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        found: Mapping[str, Mapping[str, Sequence[Any]]] = self._provider.read_tensors(
            self._context,
            experiment_id=self.experiment,
            plugin_name=PLUGIN_NAME,
            downsample=_EVERY_EVENT,
            run_tag_filter=data_provider.RunTagFilter(runs=[run], tags=list(tags)),
        )
        return found.get(run, {})


def _batches(sizes: Mapping[str, int]) -> Iterator[list[str]]:
    batch: list[str] = []
    total = 0
    for tag, size in sizes.items():
        if batch and total + size > _MAX_BATCH_BYTES:
            yield batch
            batch, total = [], 0
        batch.append(tag)
        total += size
    if batch:
        yield batch


def _patiently(ask: Callable[[], _Result]) -> _Result:
    for _ in range(_ATTEMPTS - 1):
        try:
            return ask()
        except KeyError:
            time.sleep(_SECONDS_BETWEEN_ATTEMPTS)
    return ask()


def _reason(error: Exception) -> str | None:
    """Says what is wrong with a series, or None where the error is about something else."""
    if isinstance(error, grpc.RpcError):
        if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return "The series is too large for one reply of TensorBoard's data server."
        return None
    # What TensorBoard raises on decoding a tensor whose parts contradict each other.
    if isinstance(error, (KeyError, ValueError, TypeError, OverflowError, MemoryError)):
        return f"TensorBoard cannot decode the series: {error}"
    return None
