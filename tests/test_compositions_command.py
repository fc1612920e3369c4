"""``compositions``, ``compose``, and ``check`` and ``summary`` of logs of scalars."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard import context
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, types_pb2

from tb_regplugin.command_line import main
from tb_regplugin.names import COMPOSITIONS_PLUGIN_NAME
from tb_regplugin.reading.decode import index_recordings
from tb_regplugin.reading.load import read_runs
from tb_regplugin.scalars.composition import Composition, Part
from tb_regplugin.scalars.stored import read_stored
from tests.logs import write_events, write_recording
from tests.scalar_logs import allennlp, object_detection, ppo, vqgan, write_scalars


def _compositions(log_dir: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert main(["compositions", str(log_dir), "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("form", ["simple", "content", "float"])
def test_scalars_are_read_in_every_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    """As TensorFlow 1, PyTorch, TensorFlow 2 and NumPy write them."""
    write_scalars(tmp_path / "train", object_detection().series, form)
    (found,) = _compositions(tmp_path, capsys)
    assert found["error"] < 1e-6
    assert found | {"error": 0} == {
        "run": "train",
        "total": "Loss/total_loss",
        "parts": [
            {"tag": "Loss/classification_loss", "weight": 1.0, "role": "data"},
            {"tag": "Loss/localization_loss", "weight": 1.0, "role": "data"},
            {"tag": "Loss/regularization_loss", "weight": 1.0, "role": "penalty"},
        ],
        "status": "adds up",
        "error": 0,
        "rest": None,
        "stored": False,
    }


def test_logged_weights_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In JSON as the list of their tags, in text as a product."""
    write_scalars(tmp_path, vqgan().series)
    (found,) = _compositions(tmp_path, capsys)
    weights = {part["tag"]: part["weight"] for part in found["parts"]}
    assert weights["train/g_loss"] == ["train/d_weight", "train/disc_factor"]
    assert main(["compositions", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "adds up with logged weights (error" in text
    assert "× train/d_weight · train/disc_factor" in text


def test_a_loss_without_total_has_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is nothing to compare with."""
    write_scalars(tmp_path, ppo().series)
    (found,) = _compositions(tmp_path, capsys)
    assert (found["total"], found["error"]) == (None, None)
    assert found["status"] == "no total is logged"


def test_what_is_stored_is_preferred_until_it_is_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With weight and role as they were given, and with what the numbers say of it."""
    write_scalars(tmp_path / "a", object_detection().series)
    stored = ["compose", str(tmp_path), "--run", "a", "--total", "Loss/total_loss"]
    parts = ["--part", "Loss/classification_loss=0.5:penalty"]
    assert main([*stored, *parts]) == 0
    assert "stored in the log directory" in capsys.readouterr().out
    (found,) = _compositions(tmp_path, capsys)
    assert found["stored"]
    assert found["status"] == "leaves a rest that nobody logged"
    assert found["parts"] == [{"tag": "Loss/classification_loss", "weight": 0.5, "role": "penalty"}]
    assert main([*stored, "--remove"]) == 0
    capsys.readouterr()
    (found,) = _compositions(tmp_path, capsys)
    assert (found["status"], found["stored"]) == ("adds up", False)
    assert main([*stored, "--remove"]) == 2
    assert "nothing stored for the total 'Loss/total_loss'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--run", "b"], "There is no run 'b' with scalars. The nearest are 'a'."),
        (["--total", "Loss/totl_loss"], "The nearest are 'Loss/total_loss'"),
        (["--part", "Loss/localisation_loss"], "The nearest are 'Loss/localization_loss'"),
        (["--part", "Loss/localization_loss=x"], "The weight 'x' is not a finite number."),
        (["--part", "Loss/localization_loss=nan"], "The weight 'nan' is not a finite number."),
        ([], "A composition needs at least one part"),
        (["--part", "Loss/localization_loss"] * 2, "can be in a composition only once"),
    ],
)
def test_a_composition_that_cannot_be_is_not_stored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """With why, and the nearest names."""
    write_scalars(tmp_path / "a", object_detection().series)
    before = sorted(tmp_path.rglob("*"))
    assert main(["compose", str(tmp_path), "--run", "a", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_stored_is_no_recording(tmp_path: Path) -> None:
    """Versions that don't know it see nothing of this plugin, and so no problem."""
    write_scalars(tmp_path, object_detection().series)
    part = ["--part", "Loss/localization_loss"]
    assert main(["compose", str(tmp_path), "--total", "Loss/total_loss", *part]) == 0
    (files,) = read_runs(tmp_path)
    assert index_recordings(files.list()) == {}


def test_a_stored_composition_that_cannot_be_read_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the others are told."""
    write_scalars(tmp_path, object_detection().series)
    value = summary_pb2.Summary.Value(
        tag="composition/x",
        tensor=tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, string_val=[b'{"version": 99}']),
        metadata=summary_pb2.SummaryMetadata(plugin_data={"plugin_name": COMPOSITIONS_PLUGIN_NAME}),
    )
    write_events(tmp_path, [event_pb2.Event(step=1, wall_time=1.0, summary={"value": [value]})])
    assert main(["compositions", str(tmp_path), "--json"]) == 3
    told = capsys.readouterr()
    assert len(json.loads(told.out)) == 1
    assert "version 99; update tb_regplugin" in told.err


def test_a_stored_composition_comes_through_the_data_provider(tmp_path: Path) -> None:
    """Whole, under the name of its plugin."""
    write_scalars(tmp_path, object_detection().series)
    part = ["--part", "Loss/localization_loss=2:penalty"]
    assert main(["compose", str(tmp_path), "--total", "Loss/total_loss", *part]) == 0
    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(tmp_path))
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, str(tmp_path))
    found = provider.read_tensors(
        context.RequestContext(),
        experiment_id="",
        plugin_name=COMPOSITIONS_PLUGIN_NAME,
        downsample=10,
    )
    documents = {tag: data[-1].numpy.item() for tag, data in found["."].items()}
    stored = Composition(
        "Loss/total_loss", (Part("Loss/localization_loss", 2.0, "penalty"),), stored=True
    )
    assert read_stored(documents) == ([stored], [])


def test_check_finds_what_holds_of_logged_steps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first NaN, and penalties that crowd out the data loss; no spikes."""
    series, _ = object_detection()
    series["Loss/classification_loss"][1][150:] = np.nan
    series["Loss/total_loss"][1][150:] = np.nan
    series["Loss/localization_loss"][1][60] += 500
    series["Loss/total_loss"][1][60] += 500
    write_scalars(tmp_path, series)
    assert main(["check", str(tmp_path), "--format", "json", "--fail-on", "error"]) == 1
    (recording,) = json.loads(capsys.readouterr().out)["recordings"]
    assert (recording["run"], recording["name"]) == (".", "Loss/total_loss")
    findings = {each["code"]: each for each in recording["findings"]}
    assert findings["not_finite"]["first_step"] == 15_000
    assert "spike" not in findings


def test_summary_shows_the_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And, as what it is, the rest that nobody logged."""
    series, _ = allennlp()
    write_scalars(tmp_path, series)
    assert main(["summary", str(tmp_path), "--format", "json"]) == 0
    (recording,) = json.loads(capsys.readouterr().out)["recordings"]
    last = {column["role"]: column["last"] for column in recording["columns"]}
    total, penalty = (series[f"loss/batch_{name}"][1][-1] for name in ("loss", "reg_loss"))
    assert last["penalty"] == pytest.approx(penalty)
    assert last["unexplained"] == pytest.approx(total - penalty)


def test_a_run_with_a_recording_is_told_by_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scalars beside it say no more."""
    write_scalars(tmp_path, object_detection().series)
    write_recording(tmp_path, {0: [3, 2, 1]})
    assert main(["summary", str(tmp_path), "--format", "json"]) == 0
    (recording,) = json.loads(capsys.readouterr().out)["recordings"]
    assert recording["name"] == "losses"
