"""The strengths of the runs of a sweep: as they were recorded, in hyperparameters and in names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.compat.proto import event_pb2
from tensorboard.plugins.hparams import summary_v2 as hp

from tb_regplugin.reading.runs import homes
from tb_regplugin.reading.strengths import recorded_strengths
from tb_regplugin.reading.sweep import Ending, entries
from tb_regplugin.terms import Layout, Term
from tests.logs import DATA, TOTAL, write_events
from tests.sweeps import answer_of, layout_of, sweep_of, table_of, values_of, write_run


def _write_hparams(directory: Path, hparams: Mapping[str, Any]) -> None:
    summary = hp.hparams_pb(hparams, trial_id="trial")
    write_events(directory, [event_pb2.Event(summary=summary)])


def _write_hparams_as_pytorch(directory: Path, hparams: Mapping[str, Any]) -> None:
    torch = pytest.importorskip("torch.utils.tensorboard")
    with torch.SummaryWriter(str(directory)) as writer:
        writer.add_hparams(dict(hparams), {"hparam/accuracy": 0.5})


@pytest.mark.parametrize("write", [_write_hparams, _write_hparams_as_pytorch])
@pytest.mark.parametrize("place", ["", "train"])
def test_hyperparameters_are_found_by_themselves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], write: Any, place: str
) -> None:
    """In the run, above it, or in the run below that PyTorch makes; seeds are no strengths."""
    unnamed = Layout((TOTAL, DATA, Term("w")))
    for i, strength in enumerate((1.0, 0.1, 0.1)):
        run = tmp_path / f"run{i}"
        write_run(run / "train", unnamed, values_of(i, 20, 3))
        write(run / place, {"decay": strength, "seed": i, "units": 8, "optimizer": "sgd"})
    found = sweep_of(tmp_path, capsys, "--strength-from", "hparams")
    runs = [(0.1, ["run1/train", "run2/train"]), (1.0, ["run0/train"])]
    assert [(each["strength"], each["runs"]) for each in found] == runs
    assert answer_of(tmp_path, strength_from="hparams")["strengths"] == found
    (by_units,) = sweep_of(tmp_path, capsys, "--strength-from", "hparams=units")
    assert by_units["strength"] == 8
    (unknown,) = sweep_of(tmp_path, capsys)
    assert unknown["strength"] is None
    assert "Runs of unknown or changed strength" in table_of(tmp_path, capsys)


def test_what_varies_at_once_is_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By kind; where one of two varies, it is one number."""
    for l1 in (0.1, 0.2):
        for l2 in (0.0, 0.5):
            write_run(tmp_path / "both" / f"{l1}-{l2}", layout_of(l1=l1, l2=l2), values_of(0, 9, 6))
            write_run(tmp_path / "one" / f"{l2}", layout_of(l1=0.1, l2=l2), values_of(0, 9, 6))
    both = [each["strength"] for each in sweep_of(tmp_path / "both", capsys)]
    assert both == [{"l1": l1, "l2": l2} for l1 in (0.1, 0.2) for l2 in (0.0, 0.5)]
    assert [each["strength"] for each in sweep_of(tmp_path / "one", capsys)] == [0.0, 0.5]
    assert "l1 0.1, l2 0.5" in table_of(tmp_path / "both", capsys)


def test_several_strengths_of_one_kind_are_by_term() -> None:
    """Never one number by guess; terms that change alike are one."""
    runs = [
        [Layout((DATA, *(Term(name, kind="l2", strength=s) for name, s in strengths.items())))]
        for strengths in ({"a": 0.1, "b": 0.1, "c": 1.0}, {"a": 0.2, "b": 0.2, "c": 1.0})
    ]
    assert recorded_strengths(runs) == [
        {"l2 a": 0.1, "l2 b": 0.1, "l2 c": 1.0},
        {"l2 a": 0.2, "l2 b": 0.2, "l2 c": 1.0},
    ]
    found = entries({(str(i), "losses"): Ending(tuple(run)) for i, run in enumerate(runs)})
    assert [each["strength"] for each in found] == [0.1, 0.2]


def test_no_penalty_is_strength_0_and_an_unknown_one_is_none() -> None:
    """One that changed while the run ran is unknown as well, and one that reaches no loss."""
    penalty = Term("w", kind="l2", strength=0.5)
    runs = [
        [Layout((TOTAL, DATA))],
        [Layout((DATA, penalty))],
        [Layout((DATA, Term("w")))],
        [Layout((DATA, Term("w", role="unused", kind="l2", strength=0.5)))],
        [Layout((DATA, penalty)), Layout((DATA, Term("w", kind="l2", strength=0.25)))],
        [],
    ]
    assert recorded_strengths(runs[:4]) == [{"l2": 0.0}, {"l2": 0.5}, None, None]
    assert recorded_strengths(runs)[4:] == [None, None]
    assert recorded_strengths([runs[0]]) == [None]


def test_what_is_above_several_runs_is_of_none() -> None:
    """A metric, that is; hyperparameters may be shared."""
    assert homes(["a/1", "a/2"], ["a"], ["a/1", "a/2"]) == {}
    shared = homes(["a/1", "a/2"], ["a"], ["a/1", "a/2"], may_share=True)
    assert shared == {"a/1": "a", "a/2": "a"}
    assert homes(["a", "a/b"], ["a/b"], ["a", "a/b"]) == {"a/b": "a/b"}
    assert homes([".", r"w\train"], ["validation", r"w\validation"], []) == {
        ".": "validation",
        r"w\train": r"w\validation",
    }


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 1e-4, 0.1, 3.0, None]),
            st.none() | st.floats(-1e6, 1e6),
            st.integers(0, 3),
            st.booleans(),
        ),
        max_size=30,
    )
)
def test_each_run_is_in_one_group(
    runs: list[tuple[float | None, float | None, int, bool]],
) -> None:
    """Whatever was recorded: in that of its strength, and in the order of strengths."""
    endings = {
        (str(i), "losses"): Ending(
            (Layout((DATA, Term("w", kind="l2", strength=strength))),),
            loss,
            steps=steps,
            last_step=steps or None,
            diverged=diverged,
        )
        for i, (strength, loss, steps, diverged) in enumerate(runs)
    }
    found = entries(endings)
    assert sorted(int(run) for each in found for run in each["runs"]) == list(range(len(runs)))
    strengths = [each["strength"] for each in found]
    known = [strength for strength in strengths if strength is not None]
    assert known == sorted(set(known))
    assert strengths[len(known) :] in ([], [None])
    longest = max((steps for _, _, steps, _ in runs), default=0)
    for each in found:
        own = [runs[int(run)] for run in each["runs"]]
        assert {strength for strength, *_ in own} == {each["strength"]}
        losses = [loss for _, loss, _, _ in own if loss is not None]
        if losses:
            assert each["data_loss"]["mean"] == pytest.approx(np.mean(losses), abs=1e-6)
            assert each["data_loss"]["min"] == min(losses)
        else:
            assert each["data_loss"] is None
        assert len(each["diverged"]) == sum(diverged for *_, diverged in own)
        assert len(each["unfinished"]) == sum(
            not steps or steps < longest for _, _, steps, _ in own
        )
