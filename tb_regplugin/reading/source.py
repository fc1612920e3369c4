"""Listing and reading this plugin's series through TensorBoard's DataProvider."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import grpc
from tensorboard.data import provider as data_provider

from tb_regplugin.log_format import PLUGIN_NAME, LogFormatError
from tb_regplugin.names import COMPOSITIONS_PLUGIN_NAME, shortened
from tb_regplugin.tensorboard_internals import (
    HPARAMS,
    hyperparameters,
    is_data_server,
    is_python_loader,
)

_Result = TypeVar("_Result")
_Key = TypeVar("_Key")

# The plugin whose data are TensorBoard's scalars.
_SCALARS = "scalars"
# TensorBoard downsamples at random, so it must never have a reason to.
_EVERY_EVENT = 2**31 - 1
# A reply of the data server may hold 256 MiB; sizes are estimates, and Python holds a reply's
# messages and their arrays at once.
MAX_BATCH_BYTES = 16 * 2**20

# TensorBoard's Python loader lists a series a moment before it can be read.
_ATTEMPTS = 5
_SECONDS_BETWEEN_ATTEMPTS = 0.05
# Seconds from one nudge to the next: a reply that takes long to make is not late for long.
_PAUSES = (0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256)


class RunTag(NamedTuple):
    """What names one of TensorBoard's time series."""

    run: str
    tag: str


class Problem(NamedTuple):
    """A series that cannot be shown, or not all of it."""

    tag: str
    reason: str

    @classmethod
    def of(cls, tag: str, reason: str | Exception) -> Problem:
        """Returns a problem in so many words that it can be told at each poll."""
        if isinstance(reason, Exception) and not isinstance(reason, LogFormatError):
            reason = f"{type(reason).__name__}: {reason}"
        return cls(shortened(tag), shortened(str(reason), 1_000))

    def __str__(self) -> str:
        return f"the series {self.tag!r} is left out. {self.reason}"


def first_of(problems: Sequence[Problem]) -> str | None:
    """Returns why the first series is left out, and how many more are; None where none is."""
    if not problems:
        return None
    more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
    return problems[0].reason + more


# By run and tag. The largest step and wall time are None where a series is not loaded yet.
Listing = Mapping[str, Mapping[str, data_provider.TensorTimeSeries]]
ReadSeries = tuple[RunTag, Sequence[data_provider.TensorDatum] | Problem]


class Source(Protocol):
    """Where this plugin's series come from."""

    experiment: str

    def list(self, run: str | None = None) -> Listing:
        """Lists series, of all runs or of one, by run and tag."""

    def read(self, sizes: Mapping[RunTag, int]) -> Iterator[ReadSeries]:
        """Reads series, each of about so many bytes.

        Yields:
          A series and its events, or why there are none. A series that has vanished or is not
          loaded yet is left out.
        """


class TensorBoardSource:
    """One experiment in TensorBoard, as one caller may see it. A local directory's ID is empty."""

    def __init__(self, provider: Any, context: Any, experiment: str = "") -> None:
        self._provider = provider
        self._context = context
        self.experiment = experiment

    def list(self, run: str | None = None) -> Listing:
        """Lists series; see ``Source``."""
        wanted = data_provider.RunTagFilter(runs=None if run is None else [run])
        return self._ask(self._provider.list_tensors, run_tag_filter=wanted)

    def hyperparameters(self) -> dict[str, dict[str, float]]:
        """Returns the numbers of the plugin "hparams", by run and name."""
        listed = self._ask(self._provider.list_tensors, plugin_name=HPARAMS)
        found = {
            run: {
                name: number
                for series in tags.values()
                for name, number in hyperparameters(series.plugin_content).items()
            }
            for run, tags in listed.items()
        }
        return {run: numbers for run, numbers in found.items() if numbers}

    def runs(self) -> Sequence[str]:
        """Returns the names of all runs."""
        ask = functools.partial(self._provider.list_runs, self._context)
        return [run.run_name for run in ask(experiment_id=self.experiment)]

    @property
    def goes_through_all(self) -> bool:
        """Whether any question but one for a single series takes as long as one for all of them."""
        return is_python_loader(self._provider)

    def scalars_in(self, runs: Sequence[str] | None) -> dict[str, dict[str, tuple[int, float]]]:
        """Returns the last step and wall time of scalars of some runs, or of all, with values."""
        wanted = data_provider.RunTagFilter(runs=runs)
        listed = self._ask(self._provider.list_scalars, plugin_name=_SCALARS, run_tag_filter=wanted)
        return {
            run: {
                tag: (series.max_step, series.max_wall_time)
                for tag, series in tags.items()
                if series.max_step is not None
            }
            for run, tags in listed.items()
        }

    def scalar_data(
        self, run: str, tags: Collection[str]
    ) -> dict[str, Sequence[data_provider.ScalarDatum]]:
        """Returns by tag what TensorBoard kept of a run's scalars."""
        questions = [[tag] for tag in tags] if self.goes_through_all else [tags]
        found: dict[str, Sequence[data_provider.ScalarDatum]] = {}
        for asked in questions:
            wanted = data_provider.RunTagFilter(runs=[run], tags=asked)
            found |= self._ask(
                self._provider.read_scalars,
                plugin_name=_SCALARS,
                run_tag_filter=wanted,
                downsample=_EVERY_EVENT,
            ).get(run, {})
        return found

    def stored_compositions(self) -> dict[str, dict[str, bytes]]:
        """Returns by run and tag the documents that say what losses are made of."""
        name = COMPOSITIONS_PLUGIN_NAME
        listed = self._ask(self._provider.list_tensors, plugin_name=name)
        if not listed:
            return {}
        wanted = data_provider.RunTagFilter(runs=listed)
        found = self._ask(
            self._provider.read_tensors,
            plugin_name=name,
            run_tag_filter=wanted,
            downsample=_EVERY_EVENT,
        )
        return {
            run: {tag: events[-1].numpy.reshape(-1)[0] for tag, events in tags.items() if events}
            for run, tags in found.items()
        }

    def list_scalars(self, tag: str) -> dict[str, tuple[int, float]]:
        """Returns by run the last step and wall time of a scalar, where it has values."""
        wanted = data_provider.RunTagFilter(tags=[tag])
        listed = self._ask(self._provider.list_scalars, plugin_name=_SCALARS, run_tag_filter=wanted)
        return {run: (tags[tag].max_step, tags[tag].max_wall_time) for run, tags in listed.items()}

    def scalar_tags(self) -> dict[str, frozenset[str]]:
        """Returns by tag the runs that have scalars of it."""
        found: dict[str, set[str]] = {}
        for run, tags in self._ask(self._provider.list_scalars, plugin_name=_SCALARS).items():
            for tag in tags:
                found.setdefault(tag, set()).add(run)
        return {tag: frozenset(runs) for tag, runs in found.items()}

    def read_scalars(self, tag: str, runs: Sequence[str]) -> dict[str, Sequence[float]]:
        """Returns by run the values of a scalar: TensorBoard's sample of them."""
        wanted = data_provider.RunTagFilter(runs=runs, tags=[tag])
        found = self._ask(
            self._provider.read_scalars,
            plugin_name=_SCALARS,
            run_tag_filter=wanted,
            downsample=_EVERY_EVENT,
        )
        return {run: [datum.value for datum in tags[tag]] for run, tags in found.items()}

    def read(self, sizes: Mapping[RunTag, int]) -> Iterator[ReadSeries]:
        """Reads series, as many at a time as a reply may hold: each reply has a price."""
        for batch in batches(sizes.items()):
            yield from self._read_batch(batch)

    def _read_batch(self, batch: Sequence[RunTag]) -> Iterator[ReadSeries]:
        # That is each of the tags in each of the runs. It adds little: a segment's tag is in no
        # other run, and layouts are small.
        wanted = data_provider.RunTagFilter(
            runs={series.run for series in batch}, tags={series.tag for series in batch}
        )
        try:
            found = self._ask(
                self._provider.read_tensors, run_tag_filter=wanted, downsample=_EVERY_EVENT
            )
        except Exception as error:
            reason = reason_of(error)
            if reason is None:
                raise
            if len(batch) == 1:
                if not isinstance(error, KeyError):
                    yield batch[0], Problem.of(batch[0].tag, reason)
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

    def _ask(self, method: Callable[..., _Result], **wanted: Any) -> _Result:
        wanted = {"experiment_id": self.experiment, "plugin_name": PLUGIN_NAME} | wanted
        ask = functools.partial(method, self._context, **wanted)
        nudged: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
        if is_data_server(self._provider):
            send = self._provider.experiment_metadata
            nudged = _nudging(lambda: send(self._context, experiment_id=self.experiment))
        with nudged:
            for _ in range(_ATTEMPTS - 1):
                with contextlib.suppress(KeyError):
                    return ask()
                time.sleep(_SECONDS_BETWEEN_ATTEMPTS)
            return ask()


def reason_of(error: Exception) -> str | None:
    """Says what is wrong with a series, or None where the error is about something else."""
    if isinstance(error, grpc.RpcError):
        if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return "The series is too large for one reply of TensorBoard's data server."
        return None
    # What TensorBoard raises on decoding a tensor whose parts contradict each other.
    if isinstance(error, (KeyError, ValueError, TypeError, OverflowError, MemoryError)):
        return f"TensorBoard cannot decode the series: {error}"
    return None


def batches(sizes: Iterable[tuple[_Key, int]]) -> Iterator[list[_Key]]:
    """Cuts what has these sizes into as much at a time as a reply may hold: one at least."""
    batch: list[_Key] = []
    total = 0
    for key, size in sizes:
        if batch and total + size > MAX_BATCH_BYTES:
            yield batch
            batch, total = [], 0
        batch.append(key)
        total += size
    if batch:
        yield batch


@contextlib.contextmanager
def _nudging(send: Callable[[], object]) -> Iterator[None]:
    """Sends something small now and then on the same connection, while a reply is awaited.

    TensorBoard's data server leaves Nagle's algorithm on: the last packet of a reply waits until
    the ones before it are acknowledged, and this side's system acknowledges after 40 ms, or along
    with whatever it sends. Listing a run took 44 ms without, and takes 3 ms with it.
    """
    arrived = threading.Event()

    def send_safely() -> None:
        with contextlib.suppress(Exception):
            send()

    def nudge() -> None:
        for pause in _PAUSES:
            if arrived.wait(pause):
                return
            # Its own reply can be held up as well, and is not waited for.
            threading.Thread(target=send_safely, daemon=True).start()

    threading.Thread(target=nudge, daemon=True).start()
    try:
        yield
    finally:
        arrived.set()
