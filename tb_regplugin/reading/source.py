"""Listing and reading this plugin's series through TensorBoard's DataProvider."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import grpc
from tensorboard.data import grpc_provider
from tensorboard.data import provider as data_provider

from tb_regplugin.log_format import PLUGIN_NAME
from tb_regplugin.reading.nudging import nudging

_Result = TypeVar("_Result")

# TensorBoard downsamples at random, so it must never have a reason to.
_EVERY_EVENT = 2**31 - 1
# A reply of the data server may hold 256 MiB; sizes are estimates, and Python holds a reply's
# messages and their arrays at once.
_MAX_BATCH_BYTES = 16 * 2**20

# TensorBoard's Python loader lists a series a moment before it can be read.
_ATTEMPTS = 5
_SECONDS_BETWEEN_ATTEMPTS = 0.05


class Series(NamedTuple):
    """What TensorBoard calls a time series."""

    run: str
    tag: str


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
        with self._promptly():
            return _patiently(
                lambda: self._provider.list_tensors(
                    self._context,
                    experiment_id=self.experiment,
                    plugin_name=PLUGIN_NAME,
                    run_tag_filter=data_provider.RunTagFilter(runs=runs),
                )
            )

    def read(
        self, sizes: Mapping[Series, int]
    ) -> Iterator[tuple[Series, Sequence[Any] | Unreadable]]:
        """Reads series, as many at a time as a reply may hold: each reply has a price.

        Args:
          sizes: The estimated number of bytes of each.

        Yields:
          A series and its events (each with ``step``, ``wall_time`` and ``numpy``), or why there
          are none. A series that has vanished or is not loaded yet is left out.
        """
        for batch in _batches(sizes):
            yield from self._read_batch(batch)

    def _read_batch(
        self, batch: Sequence[Series]
    ) -> Iterator[tuple[Series, Sequence[Any] | Unreadable]]:
        try:
            with self._promptly():
                found = _patiently(lambda: self._read_tensors(batch))
        except Exception as error:
            reason = _reason(error)
            if reason is None:
                raise
            if len(batch) == 1:
                if not isinstance(error, KeyError):
                    yield batch[0], Unreadable(reason)
                return
        else:
            for series in batch:
                events = found.get(series.run, {}).get(series.tag)
                if events:
                    yield series, events
            return
        # One bad series fails a whole reply: halve until it stands alone.
        middle = len(batch) // 2
        yield from self._read_batch(batch[:middle])
        yield from self._read_batch(batch[middle:])

    def _read_tensors(self, batch: Sequence[Series]) -> Mapping[str, Mapping[str, Sequence[Any]]]:
        # That is each of the tags in each of the runs. It adds little: a segment's tag is in no
        # other run, and layouts are small.
        wanted = data_provider.RunTagFilter(
            runs={series.run for series in batch}, tags={series.tag for series in batch}
        )
        found: Mapping[str, Mapping[str, Sequence[Any]]] = self._provider.read_tensors(
            self._context,
            experiment_id=self.experiment,
            plugin_name=PLUGIN_NAME,
            downsample=_EVERY_EVENT,
            run_tag_filter=wanted,
        )
        return found

    def _promptly(self) -> contextlib.AbstractContextManager[None]:
        if not isinstance(self._provider, grpc_provider.GrpcDataProvider):
            return contextlib.nullcontext()
        return nudging(
            lambda: self._provider.experiment_metadata(self._context, experiment_id=self.experiment)
        )


def _batches(sizes: Mapping[Series, int]) -> Iterator[list[Series]]:
    batch: list[Series] = []
    total = 0
    for series, size in sizes.items():
        if batch and total + size > _MAX_BATCH_BYTES:
            yield batch
            batch, total = [], 0
        batch.append(series)
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
