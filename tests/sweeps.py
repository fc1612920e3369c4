"""Sweeps that are written, and asked for by the command line and over HTTP."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins import base_plugin
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from werkzeug.test import Client

from tb_regplugin.command_line import main
from tb_regplugin.plugin import RegularizationPlugin
from tb_regplugin.terms import Kind, Layout, Term
from tests.logs import DATA, TOTAL, recording_events, write_events

Values = npt.NDArray[np.float64]


def layout_of(**strengths: float) -> Layout:
    """Returns a layout with two penalties of each kind."""
    kinds: dict[str, Kind] = {"l1": "l1", "l2": "l2"}
    penalties = (
        Term(f"{layer}/{kind}", kind=kinds[kind], strength=strength)
        for kind, strength in strengths.items()
        for layer in ("a", "b")
    )
    return Layout((TOTAL, DATA, *penalties))


def values_of(seed: int, rows: int, columns: int) -> Values:
    """Returns rows of total, data loss and penalties that add up."""
    parts = np.random.default_rng(seed).random((rows, columns - 1))
    return np.column_stack([parts.sum(1), parts])


def write_run(directory: Path, layout: Layout, values: Values, every: int = 1) -> None:
    """Writes a run, whose steps are so far apart."""
    steps = np.arange(len(values)) * every
    write_events(directory, recording_events(steps, values, layout))


def write_scalars(directory: Path, tag: str, values: Sequence[float], *, tf2: bool) -> None:
    """Writes a scalar as TensorFlow 2 does, with a tensor, or as TensorFlow 1 and PyTorch do."""
    events = []
    for step, value in enumerate(values):
        simple = summary_pb2.Summary.Value(tag=tag, simple_value=value)
        summary = scalar_pb(tag, value) if tf2 else summary_pb2.Summary(value=[simple])
        events.append(event_pb2.Event(step=step, wall_time=step, summary=summary))
    write_events(directory, events)


def sweep_of(log_dir: Path, capsys: pytest.CaptureFixture[str], *options: str) -> Any:
    """Returns what the command prints as JSON."""
    assert main(["sweep", str(log_dir), "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def table_of(log_dir: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """Returns what the command prints as text."""
    assert main(["sweep", str(log_dir), *options]) == 0
    return capsys.readouterr().out


def answer_of(log_dir: Path, plugin: RegularizationPlugin | None = None, **query: str) -> Any:
    """Returns what the route answers."""
    plugin = plugin or plugin_on(log_dir)
    client = Client(plugin.get_plugin_apps()["/sweep"])
    response = client.get(query_string=query)
    assert response.status_code == 200, response.text
    return response.json


def plugin_on(log_dir: Path) -> RegularizationPlugin:
    """Returns a plugin over a log directory."""
    multiplexer = EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(log_dir))
    multiplexer.Reload()
    provider = MultiplexerDataProvider(multiplexer, str(log_dir))
    return RegularizationPlugin(base_plugin.TBContext(data_provider=provider))


def last_rows(values: Values, share: float = 0.1) -> Values:
    """Returns the last share of rows."""
    return values[-math.ceil(round(len(values) * share, 6)) :]


def write_losses(log_dir: Path, losses: Mapping[float, Sequence[float]]) -> None:
    """Writes runs whose validations have these data losses, one a seed."""
    for strength, of_seeds in losses.items():
        for seed, loss in enumerate(of_seeds):
            for part in ("train", "validation"):
                values = np.tile([loss + 0.5, loss, 0.25, 0.25], (10, 1))
                write_run(log_dir / f"{strength}-{seed}" / part, layout_of(l2=strength), values)
