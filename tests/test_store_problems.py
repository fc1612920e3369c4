"""The store, where something cannot be read: it is named, and the rest is shown."""

from __future__ import annotations

from typing import Any

import grpc
import numpy as np
import pytest
from tensorboard.compat.proto import event_pb2, tensor_pb2, types_pb2
from tensorboard.util import tensor_util

from tb_regplugin.log_format import layout_id, layout_tag
from tb_regplugin.reading import source as source_module
from tb_regplugin.reading.source import TensorBoardSource
from tb_regplugin.reading.store import Store
from tb_regplugin.terms import Layout
from tests.fake_provider import RUN, FakeProvider, ramp, read_contents
from tests.logs import LAYOUT, NAME, TOTAL, recording_events


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_SECONDS_BETWEEN_ATTEMPTS", 0.0)


def _bad_event(tag: str, tensor: tensor_pb2.TensorProto, step: int = 100) -> event_pb2.Event:
    event = event_pb2.Event(step=step, wall_time=float(step))
    event.summary.value.add(tag=tag).tensor.CopyFrom(tensor)
    return event


def test_a_bad_block_is_named_and_the_rest_shown() -> None:
    """Of the same segment and of all others."""
    provider = FakeProvider()
    provider.add(recording_events(*ramp(0, 10)))
    (tag,) = [tag for tag in provider.events[RUN] if not tag.endswith("layout")]
    provider.add([_bad_event(tag, tensor_util.make_tensor_proto(np.zeros((2, 9), np.float32)))])
    contents = read_contents(Store(), provider)
    assert contents.table.steps.tolist() == list(range(10))
    (problem,) = contents.problems
    assert problem.tag == tag
    assert "9 numbers" in problem.reason


def test_a_tensor_that_contradicts_itself_is_named() -> None:
    """TensorBoard raises on it, for all series of the reply; the others are read without it."""
    provider = FakeProvider()
    provider.add(recording_events(*ramp(0, 6000)))
    tag = sorted(provider.events[RUN])[1]
    broken = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, tensor_content=b"1234")
    broken.tensor_shape.dim.add(size=7)
    provider.add([_bad_event(tag, broken)])
    contents = read_contents(Store(), provider)
    assert 0 < len(contents.table.steps) < 6000
    assert [problem.tag for problem in contents.problems] == [tag]


class _TooLarge(grpc.RpcError):
    def code(self) -> Any:
        return grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_series_that_is_too_large_for_a_reply_is_named() -> None:
    """The others are read without it."""
    provider = FakeProvider()
    provider.add(recording_events(*ramp(0, 6000)))
    tag = sorted(provider.events[RUN])[0]
    provider.failing[tag] = _TooLarge()
    (problem,) = read_contents(Store(), provider).problems
    assert problem.tag == tag
    assert "too large" in problem.reason


def test_a_failing_server_fails_the_request_and_is_asked_again() -> None:
    """A lost connection is no property of a series; nothing of it is kept."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events(*ramp(0, 10)))
    read_contents(store, provider)
    provider.add(recording_events(*ramp(10, 20), number=1)[1:])
    tag = max(tag for tag in provider.events[RUN] if not tag.endswith("layout"))
    provider.failing[tag] = RuntimeError("The connection was lost.")
    with pytest.raises(RuntimeError, match="connection"):
        read_contents(store, provider)
    provider.failing.clear()
    assert read_contents(store, provider).table.steps.tolist() == list(range(20))


def test_a_series_that_is_not_loaded_yet_is_left_for_later() -> None:
    """TensorBoard's Python loader lists a series before it can be read."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events(*ramp(0, 10)))
    (tag,) = [tag for tag in provider.events[RUN] if not tag.endswith("layout")]
    provider.failing[tag] = KeyError(tag)
    contents = read_contents(store, provider)
    assert (len(contents.table.steps), contents.problems) == (0, ())
    provider.failing.clear()
    assert len(read_contents(store, provider).table.steps) == 10


def test_a_newer_layout_is_named_and_its_blocks_left_out() -> None:
    """Blocks of the layouts that can be read are shown."""
    provider = FakeProvider()
    provider.add(recording_events(*ramp(0, 10)))
    newer = Layout((TOTAL,))
    events = recording_events([10], [[1.0]], newer, number=1)
    events[0].summary.value[0].tensor.string_val[0] = b'{"version": 99}'
    provider.add(events)
    contents = read_contents(Store(), provider)
    assert len(contents.table.steps) == 10
    (problem,) = contents.problems
    assert problem.tag == layout_tag(NAME, layout_id(newer))
    assert "version 99" in problem.reason


def test_a_missing_layout_is_named_until_it_comes() -> None:
    """The blocks are shown as soon as the layout is there."""
    provider, store = FakeProvider(), Store()
    layout, *blocks = recording_events(*ramp(0, 10))
    provider.add(blocks)
    contents = read_contents(store, provider)
    assert len(contents.table.steps) == 0
    assert "missing" in contents.problems[0].reason
    provider.add([layout])
    contents = read_contents(store, provider)
    assert (len(contents.table.steps), contents.problems) == (10, ())


def test_a_foreign_series_stands_for_itself() -> None:
    """It is listed with its reason, and disturbs nobody."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events(*ramp(0, 10)))
    provider.add([_bad_event("foreign", tensor_util.make_tensor_proto(1.0))])
    foreign, losses = store.recordings(TensorBoardSource(provider, None))
    assert (foreign.entry.name, foreign.columns) == ("foreign", ())
    assert "neither" in foreign.problems[0].reason
    assert (losses.entry.name, losses.columns, losses.problems) == (NAME, LAYOUT.columns, ())


def test_one_tag_hides_no_recording() -> None:
    """It is named, in few words, however long it is."""
    provider = FakeProvider()
    provider.add(recording_events([0], [[3, 2, 1]]))
    (event,) = recording_events([0], [[3, 2, 1]], name="bad")[1:]
    event.summary.value[0].tag = "losses/x/w/" + "1" * 5_000
    provider.add([event])
    listed = Store().recordings(TensorBoardSource(provider, None))
    assert {entry.entry.name for entry in listed if entry.columns} == {NAME}
    (problem,) = (problem for entry in listed for problem in entry.problems)
    assert len(problem.tag) + len(problem.reason) < 1_500
