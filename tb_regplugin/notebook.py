"""How a notebook shows a recording: its figure, or else its table, and what was found in it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from tb_regplugin.findings.find import find_in_table
from tb_regplugin.names import printable, shortened
from tb_regplugin.reading.export import describe_last_values, last_and_share

if TYPE_CHECKING:
    from tb_regplugin.reading.load import Recording

# A notebook keeps what it shows: fewer parts than pixels, and no more than this of it.
_BUCKETS = 200
_MAX_SVG = 250_000  # bytes
_MAX_ROWS = 50
_MAX_TEXT = 1_000


def recording_html(recording: Recording) -> str:
    """Describes a recording in HTML; whatever it holds, something is shown."""
    try:
        shown = _figure(recording)
    except Exception as error:  # noqa: BLE001 - a cell that shows a recording must not fail
        shown = "".join(_table(recording)) + f"<p>There is no figure: {_text(str(error))}</p>"
    return f"<div>{shown}{''.join(_findings(recording))}</div>"


def _figure(recording: Recording) -> str:
    """Draws the stack as an SVG image with its text as text."""
    from tb_regplugin.plot.figures import load_matplotlib, stack

    matplotlib = load_matplotlib()
    from matplotlib.figure import Figure

    settings = {"svg.fonttype": "none", "svg.hashsalt": "tb_regplugin", "text.usetex": False}
    with matplotlib.rc_context(settings):
        # Of no window: pyplot would show it once more.
        figure = Figure(figsize=(9, 4), layout="constrained")
        stack(recording, ax=figure.add_subplot(), max_buckets=_BUCKETS)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    svg = file.getvalue()
    if len(svg.encode()) > _MAX_SVG:
        raise ValueError("it is too large to keep in a notebook. plot.stack(recording) draws it.")
    # As wide as there is room for.
    return '<svg style="max-width: 100%; height: auto"' + svg[svg.index("<svg") + len("<svg") :]


def _table(recording: Recording) -> Iterator[str]:
    """Yields a table of the terms by their last values."""
    described = describe_last_values("", "", recording.contents())
    columns = described["columns"]
    rows, last_step = described["rows"], described["last_step"]
    yield f"<p>{rows:,} steps" + ("" if last_step is None else f", the last of them {last_step:,}")
    yield "</p><table><tr><th>term</th><th>role</th><th>last</th><th>share</th></tr>"
    for column in columns[:_MAX_ROWS]:
        cells = (column["name"], column["role"], *last_and_share(column))
        yield "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells) + "</tr>"
    yield "</table>"
    if len(columns) > _MAX_ROWS:
        yield f"<p>And {len(columns) - _MAX_ROWS:,} more terms.</p>"


def _findings(recording: Recording) -> Iterator[str]:
    """Yields what was found, and what to do about it."""
    found = find_in_table(recording.contents().table)
    if not found:
        yield "<p>No findings.</p>"
        return
    yield "<ul>"
    for finding in found[:_MAX_ROWS]:
        yield f"<li><b>{finding.severity}</b> {_text(finding.sentence)}"
        yield f"<br>→ {_text(finding.fix)}</li>" if finding.fix else "</li>"
    yield "</ul>"


def _text(text: str) -> str:
    """Returns text that is no markup, whatever is in it."""
    return escape(printable(shortened(text, _MAX_TEXT)))
