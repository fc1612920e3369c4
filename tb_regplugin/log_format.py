"""The log format: how recordings lie in TensorBoard event files.

The one contract between writers and readers, described for other languages in
``docs/log_format.md``. Everything here is a pure function of its arguments.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, types_pb2

from tb_regplugin.finding import describe_findings, read_findings
from tb_regplugin.names import PLUGIN_NAME as PLUGIN_NAME
from tb_regplugin.names import shortened
from tb_regplugin.terms import KINDS, ROLES, Layout, Term

VERSION = 1

MAX_BLOCK_ROWS = 256
# What TensorBoard's Python loader keeps of a third-party plugin's tag.
MAX_SEGMENT_BLOCKS = 10
# float32 holds every integer up to here.
MAX_STEP_OFFSET = 2**24

# Before a row's values: its step and its wall time, both relative to its event's.
_OFFSET_COLUMNS = 2
_LAYOUT_ID_LENGTH = 16
# Python refuses to read numbers of thousands of digits.
_SEGMENT_NUMBER = re.compile("[0-9]{1,18}")


class LogFormatError(ValueError):
    """What was read is not a recording in a format that this version knows."""


@dataclass(frozen=True, eq=False)
class Block:
    """Rows that were recorded one after another under one layout.

    Attributes:
      steps: int64 ``[rows]``, strictly increasing.
      wall_times: float64 ``[rows]``, in seconds since the epoch.
      values: float32 ``[rows, columns]``.
    """

    steps: npt.NDArray[np.int64]
    wall_times: npt.NDArray[np.float64]
    values: npt.NDArray[np.float32]


class LayoutTag(NamedTuple):
    """The parts of a layout's tag."""

    name: str
    layout_id: str


class RowsTag(NamedTuple):
    """The parts of the tag of a series of rows, which has one event a row."""

    name: str
    layout_id: str


class SegmentTag(NamedTuple):
    """The parts of a segment's tag. Within a name, blocks were written in the order of these."""

    name: str
    layout_id: str
    writer: str
    number: int

    @property
    def life(self) -> str:
        """The writer's name, without its stream."""
        return self.writer.partition(".")[0]

    @property
    def stream(self) -> int:
        """Which of the writer's streams it is of."""
        stream = self.writer.partition(".")[2]
        return int(stream) if _SEGMENT_NUMBER.fullmatch(stream) else 0


def new_writer_id(start_ns: int) -> str:
    """Names one writer's life by when it began, such that names sort by that."""
    return f"{start_ns:020d}-{secrets.token_hex(4)}"


def stream_of(writer: str, number: int) -> str:
    """Returns what stands for a writer in the tags of one of its streams; the first is number 0."""
    return f"{writer}.{number}" if number else writer


def layout_tag(name: str, layout_id: str) -> str:
    """Returns the tag of a layout."""
    return f"{name}/{layout_id}/layout"


def segment_tag(segment: SegmentTag) -> str:
    """Returns the tag of a segment."""
    return f"{segment.name}/{segment.layout_id}/{segment.writer}/{segment.number:06d}"


def rows_tag(name: str, layout_id: str) -> str:
    """Returns the tag of a series of rows."""
    return f"{name}/{layout_id}/rows"


def parse_tag(tag: str) -> LayoutTag | RowsTag | SegmentTag:
    """Takes a tag apart; the recording's name may itself hold slashes.

    Raises:
      LogFormatError: It is the tag of no layout, segment or series of rows.
    """
    match tag.rsplit("/", 2):
        case name, layout_id, "layout":
            return LayoutTag(name, layout_id)
        case name, layout_id, "rows":
            return RowsTag(name, layout_id)
    match tag.rsplit("/", 3):
        case name, layout_id, writer, number if _SEGMENT_NUMBER.fullmatch(number):
            return SegmentTag(name, layout_id, writer, int(number))
    raise LogFormatError(
        f"The tag {shortened(tag)!r} is neither NAME/LAYOUT/layout nor NAME/LAYOUT/WRITER/NUMBER "
        "nor NAME/LAYOUT/rows."
    )


def encode_layout(layout: Layout) -> bytes:
    """Returns a layout as the JSON that its tag holds."""
    columns = [
        {key: value for key, value in asdict(column).items() if value is not None}
        for column in layout.columns
    ]
    document: dict[str, Any] = {"version": VERSION, "columns": columns}
    if layout.findings:
        document["findings"] = describe_findings(layout.findings)
    return json.dumps(document, sort_keys=True).encode()


def layout_id(layout: Layout) -> str:
    """Returns the layout's name in tags: a hash of its JSON."""
    return hashlib.sha256(encode_layout(layout)).hexdigest()[:_LAYOUT_ID_LENGTH]


def decode_layout(data: bytes | str) -> Layout:
    """Reads a layout from its JSON.

    Fields of a column that this version does not know are passed over. A column whose role it does
    not know is no summand of the loss, as far as it can tell; a kind that it does not know is
    "custom".

    Raises:
      LogFormatError: It is no such JSON, or its version is newer than this one.
    """
    try:
        document = json.loads(data)
        version = document["version"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise LogFormatError("The layout is not JSON with a version.") from error
    if type(version) is not int or version > VERSION:
        raise LogFormatError(
            f"The layout has version {version!r}; this tb_regplugin reads up to version {VERSION}. "
            "Update tb_regplugin to see it."
        )
    try:
        columns = tuple(_decode_column(column) for column in document["columns"])
        return Layout(columns, read_findings(document.get("findings")))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise LogFormatError(f"The layout's columns are malformed: {error}") from error


def _decode_column(column: dict[str, Any]) -> Term:
    known = {field.name for field in fields(Term)}
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in column.items()
        if key in known
    }
    if values.get("role", ROLES[0]) not in ROLES:
        note = f"Recorded with the role {values['role']!r}, which this version does not know."
        values |= {"role": "inside", "note": note}
    if values.get("kind") not in (None, *KINDS):
        values["kind"] = "custom"
    return Term(**values)


def layout_event(name: str, layout: Layout, wall_time: float) -> event_pb2.Event:
    """Returns the event that says what a recording's columns are."""
    tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, string_val=[encode_layout(layout)])
    return _event(layout_tag(name, layout_id(layout)), 0, wall_time, tensor)


def block_event(segment: SegmentTag, block: Block) -> event_pb2.Event:
    """Returns the event that holds a block."""
    step, wall_time = int(block.steps[-1]), float(block.wall_times[-1])
    return _event(segment_tag(segment), step, wall_time, rows_tensor(pack_block(block)))


def rows_tensor(rows: npt.NDArray[np.float32]) -> tensor_pb2.TensorProto:
    """Returns packed rows as the tensor of their event."""
    return tensor_pb2.TensorProto(
        dtype=types_pb2.DT_FLOAT,
        tensor_content=rows.astype("<f4", copy=False).tobytes(),
        tensor_shape={"dim": [{"size": size} for size in rows.shape]},
    )


def rows_metadata(layout: Layout, description: str | None) -> summary_pb2.SummaryMetadata:
    """Returns the metadata of a series of rows: its layout and, in Markdown, a description."""
    return _metadata(encode_layout(layout), description)


def _metadata(content: bytes = b"", description: str | None = None) -> summary_pb2.SummaryMetadata:
    # TensorBoard's data server drops a third-party series without the data class.
    return summary_pb2.SummaryMetadata(
        plugin_data={"plugin_name": PLUGIN_NAME, "content": content},
        summary_description=description or "",
        data_class=summary_pb2.DATA_CLASS_TENSOR,
    )


def _event(
    tag: str, step: int, wall_time: float, tensor: tensor_pb2.TensorProto
) -> event_pb2.Event:
    value = summary_pb2.Summary.Value(tag=tag, metadata=_metadata(), tensor=tensor)
    return event_pb2.Event(wall_time=wall_time, step=step, summary={"value": [value]})


def fits_one_block(first_step: Any, last_step: Any, step: Any, rows: Any) -> Any:
    """Whether a row of this step may join a block of so many rows with these steps.

    Takes numbers or arrays of them, and tells a bool or an array of them.
    """
    # The sum, of Python numbers, does not overflow as a difference of int64 could.
    return (rows < MAX_BLOCK_ROWS) & (step > last_step) & (step <= first_step + MAX_STEP_OFFSET)


def pack_block(block: Block) -> npt.NDArray[np.float32]:
    """Returns a block as the array its event holds, float32 ``[rows, 2 + columns]``."""
    rows, columns = block.values.shape
    array = np.empty((rows, _OFFSET_COLUMNS + columns), np.float32)
    array[:, 0] = block.steps - block.steps[-1]
    array[:, 1] = block.wall_times - block.wall_times[-1]
    array[:, _OFFSET_COLUMNS:] = block.values
    return array


def unpack_block(step: int, wall_time: float, array: npt.NDArray[Any], columns: int) -> Block:
    """Reads a block from its event, whose tensor came as an array; its layout has so many columns.

    Raises:
      LogFormatError: The tensor is not such a block.
    """
    if array.dtype != np.float32 or array.ndim != 2 or not len(array):
        raise LogFormatError(
            f"The block at step {step} is {array.dtype} of shape {list(array.shape)}; "
            "expected float32 of shape [rows, 2 + columns]."
        )
    if array.shape[1] != _OFFSET_COLUMNS + columns:
        raise LogFormatError(
            f"The block at step {step} has rows of {array.shape[1]} numbers, but its layout has "
            f"{columns} columns, which makes {_OFFSET_COLUMNS + columns}."
        )
    offsets = array[:, :_OFFSET_COLUMNS].astype(np.float64)
    if not np.isfinite(offsets).all() or (np.abs(offsets[:, 0]) > MAX_STEP_OFFSET).any():
        raise LogFormatError(f"The block at step {step} has step or time offsets out of range.")
    row_offsets = offsets[:, 0].astype(np.int64)
    if step + int(row_offsets.min()) < -(2**63) or step + int(row_offsets.max()) >= 2**63:
        raise LogFormatError(f"The block at step {step} leads beyond steps of 64 bits.")
    steps = step + row_offsets
    if (steps[1:] <= steps[:-1]).any():
        raise LogFormatError(f"The steps of the block at step {step} do not increase.")
    return Block(steps, wall_time + offsets[:, 1], array[:, _OFFSET_COLUMNS:])


def surviving_rows(blocks: Sequence[Block]) -> list[int]:
    """The reading rule: how many of each block's rows still stand, counted from its first.

    Each block overwrites everything from its first step on. That serves restarts from a
    checkpoint, the two branches of a preempted run, and two writers left running at once.

    Args:
      blocks: In the order of writers' starts and, for each writer, of writing
        (``SegmentTag.writer``, ``SegmentTag.number``, then the order within the segment).

    Example:
      >>> def block(*steps):
      ...     return Block(np.array(steps), np.zeros(len(steps)), np.zeros((len(steps), 1)))
      >>> surviving_rows([block(0, 1, 2), block(3, 4, 5), block(2, 3)])
      [2, 0, 2]
    """
    counts: list[int] = []
    # From the last block back: the first step that a later one overwrites.
    overwritten_from: float = np.inf
    for block in reversed(blocks):
        counts.append(int(np.searchsorted(block.steps, overwritten_from)))
        overwritten_from = min(overwritten_from, int(block.steps[0]))
    return counts[::-1]
