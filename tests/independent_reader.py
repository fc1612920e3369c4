"""A second reader of the log format, written from docs/log_format.md alone.

Slow and plain on purpose: it shares no code with tb_regplugin, so that tests can compare.
"""

import json
import struct
from pathlib import Path
from typing import NamedTuple

import google_crc32c
from tensorboard.compat.proto import event_pb2


class Row(NamedTuple):
    """One step, with its values by column name."""

    wall_time: float
    values: dict[str, float]


class Segments(NamedTuple):
    """What an event file directory holds: layouts by identifier, events by tag."""

    layouts: dict[str, list[dict[str, object]]]
    events: dict[str, list[event_pb2.Event]]


def read_records(path: Path) -> list[bytes]:
    """Returns the whole records of a TFRecord file; a truncated last one is left out."""
    data, records, at = path.read_bytes(), [], 0
    while at + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        header, body = data[at : at + 8], data[at + 12 : at + 12 + length]
        if at + 16 + length > len(data):
            break
        assert data[at + 8 : at + 12] == _masked(header)
        assert data[at + 12 + length : at + 16 + length] == _masked(body)
        records.append(body)
        at += 16 + length
    return records


def _masked(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32)


def read_segments(directory: Path, name: str = "losses") -> Segments:
    """Returns the layouts and events of a recording."""
    layouts: dict[str, list[dict[str, object]]] = {}
    events: dict[str, list[event_pb2.Event]] = {}
    for path in sorted(directory.glob("*tfevents*")):
        for record in read_records(path):
            event = event_pb2.Event.FromString(record)
            for value in event.summary.value:
                plugin = value.metadata.plugin_data.plugin_name
                if plugin != "regularization" or not value.tag.startswith(name + "/"):
                    continue
                assert value.metadata.data_class == 2
                rest = value.tag[len(name) + 1 :]
                if rest.endswith("/layout"):
                    document = json.loads(value.tensor.string_val[0])
                    assert document["version"] == 1
                    layouts[rest.split("/")[0]] = document["columns"]
                else:
                    events.setdefault(rest, []).append(event)
    return Segments(layouts, events)


def read_recording(directory: Path, name: str = "losses") -> dict[int, Row]:
    """Returns the rows of a recording by step, by the reading rule."""
    layouts, events = read_segments(directory, name)

    def order(tag: str) -> tuple[str, int, int]:
        _, writer, number = tag.split("/")
        life, _, stream = writer.partition(".")
        return life, int(stream or 0), int(number)

    # By writer and stream: the rows that each has, in the order of writing.
    streams: dict[str, dict[int, dict[int, Row]]] = {}
    for tag in sorted(events, key=order):
        life, stream, _ = order(tag)
        rows = streams.setdefault(life, {}).setdefault(stream, {})
        names = [str(column["name"]) for column in layouts[tag.split("/")[0]]]
        for event in events[tag]:
            tensor = event.summary.value[0].tensor
            count, width = (dim.size for dim in tensor.tensor_shape.dim)
            assert width == 2 + len(names)
            block = [
                struct.unpack_from(f"<{width}f", tensor.tensor_content, 4 * width * row)
                for row in range(count)
            ]
            first = event.step + int(block[0][0])
            for step in [step for step in rows if step >= first]:
                del rows[step]
            for step_offset, time_offset, *values in block:
                rows[event.step + int(step_offset)] = Row(
                    event.wall_time + time_offset, dict(zip(names, values, strict=True))
                )
    recording: dict[int, Row] = {}
    for of_writer in streams.values():
        own = {step: row for stream in of_writer.values() for step, row in stream.items()}
        recording = {step: row for step, row in recording.items() if step < min(own)} | own
    return dict(sorted(recording.items()))


def read_rows(directory: Path, name: str = "losses") -> dict[int, dict[str, float]]:
    """Returns a series of rows by step; the metadata of its first event has the layout."""
    names: dict[str, list[str]] = {}
    rows: dict[int, dict[str, float]] = {}
    for path in sorted(directory.glob("*tfevents*")):
        for record in read_records(path):
            event = event_pb2.Event.FromString(record)
            for value in event.summary.value:
                if not (value.tag.startswith(name + "/") and value.tag.endswith("/rows")):
                    continue
                if value.tag not in names:
                    assert value.metadata.data_class == 2
                    assert value.metadata.plugin_data.plugin_name == "regularization"
                    columns = json.loads(value.metadata.plugin_data.content)["columns"]
                    names[value.tag] = [column["name"] for column in columns]
                width = 2 + len(names[value.tag])
                assert [dim.size for dim in value.tensor.tensor_shape.dim] == [1, width]
                row = struct.unpack(f"<{width}f", value.tensor.tensor_content)
                assert row[:2] == (0, 0)
                rows = {step: kept for step, kept in rows.items() if step < event.step}
                rows[event.step] = dict(zip(names[value.tag], row[2:], strict=True))
    return rows
