"""A provider of events that counts what is asked of it, in place of a running TensorBoard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tensorboard.compat.proto import event_pb2
from tensorboard.data import provider as data_provider
from tensorboard.util import tensor_util

from tb_regplugin.reading.source import TensorBoardSource
from tb_regplugin.reading.store import Contents, Store
from tests.logs import NAME

RUN = "run"


@dataclass
class FakeProvider:
    """Holds events as TensorBoard does, and hands them out as its DataProvider does."""

    events: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    reads: Counter[str] = field(default_factory=Counter)
    calls: list[list[str]] = field(default_factory=list)
    failing: dict[str, Exception] = field(default_factory=dict)

    def add(self, events: Sequence[event_pb2.Event], run: str = RUN) -> None:
        """Takes up what was written."""
        for event in events:
            tag = event.summary.value[0].tag
            self.events.setdefault(run, {}).setdefault(tag, []).append(event)

    def list_tensors(self, *_: Any, run_tag_filter: Any, **__: Any) -> Any:
        """Lists series, also those without events yet."""
        return {
            run: {
                tag: data_provider.TensorTimeSeries(
                    max_step=max((event.step for event in events), default=None),
                    max_wall_time=max((event.wall_time for event in events), default=None),
                    plugin_content=b"",
                    description="",
                    display_name="",
                )
                for tag, events in tags.items()
            }
            for run, tags in self.events.items()
            if run_tag_filter.runs is None or run in run_tag_filter.runs
        }

    def list_scalars(self, *_: Any, **__: Any) -> Any:
        """Lists none: there are no scalars among them."""
        return {}

    def read_tensors(self, *_: Any, run_tag_filter: Any, **__: Any) -> Any:
        """Reads series, or raises what one of them is said to raise."""
        found: dict[str, dict[str, list[Any]]] = {}
        self.calls.append(list(run_tag_filter.tags))
        for run in run_tag_filter.runs:
            for tag in sorted(set(run_tag_filter.tags) & set(self.events.get(run, {}))):
                if tag in self.failing:
                    raise self.failing[tag]
                self.reads[tag] += 1
                found.setdefault(run, {})[tag] = [_datum(event) for event in self.events[run][tag]]
        return found


def _datum(event: event_pb2.Event) -> Any:
    array = tensor_util.make_ndarray(event.summary.value[0].tensor)
    return data_provider.TensorDatum(step=event.step, wall_time=event.wall_time, numpy=array)


def read_contents(store: Store, provider: FakeProvider) -> Contents:
    """Returns what a store has of the one recording, after it asked a provider for what is new."""
    contents = store.contents(TensorBoardSource(provider, None), RUN, NAME)
    assert contents is not None
    return contents


def rows_of(contents: Contents) -> dict[int, list[float]]:
    """Returns the values of each step."""
    table = contents.table
    return dict(zip(table.steps.tolist(), table.values.T.tolist(), strict=True))


def ramp(start: int, stop: int) -> tuple[list[int], list[list[float]]]:
    """Returns steps and values that tell which step they are of."""
    return list(range(start, stop)), [[3.0 * i, 2.0 * i, 1.0 * i] for i in range(start, stop)]
