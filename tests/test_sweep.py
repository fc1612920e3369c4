"""The sweep: what each strength of the penalties led to, against NumPy on what was written."""

from __future__ import annotations

import json
import math
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from tb_regplugin.command_line import main
from tb_regplugin.finding import Finding
from tb_regplugin.plugin import RegularizationPlugin
from tb_regplugin.reading import remembered, sweep_answer
from tb_regplugin.reading.store import Store
from tb_regplugin.reading.sweep import window_size
from tb_regplugin.terms import Layout, Term
from tests.logs import DATA, TOTAL
from tests.sweeps import (
    answer_of,
    last_rows,
    layout_of,
    plugin_on,
    sweep_of,
    table_of,
    values_of,
    write_losses,
    write_run,
    write_scalars,
)

STRENGTHS = (0.0, 1e-4, 0.01, 1.0)


@pytest.fixture
def log_dir(tmp_path: Path) -> Path:
    """Returns four strengths with three seeds each, with validations and accuracies."""
    for i, strength in enumerate(STRENGTHS):
        for seed in range(3):
            run = tmp_path / f"lambda={strength:g}_seed{seed}"
            number = 10 * i + seed
            write_run(run / "train", layout_of(l2=strength), values_of(number, 100, 4))
            write_run(
                run / "validation", layout_of(l2=strength), values_of(number + 1_000, 30, 4), 5
            )
            accuracies = np.random.default_rng(number).random(20).tolist()
            write_scalars(run / "validation", "epoch_accuracy", accuracies, tf2=seed > 0)
            write_scalars(run / "train", "epoch_accuracy", [9.0] * 20, tf2=True)
    return tmp_path


@pytest.mark.parametrize("window", [0.1, 0.25, 1.0])
def test_figures_are_those_of_what_was_written(
    log_dir: Path, capsys: pytest.CaptureFixture[str], window: float
) -> None:
    """Mean, least, largest and standard error over the seeds of means over the last rows."""
    found = sweep_of(log_dir, capsys, "--window", str(window), "--metric", "epoch_accuracy")
    assert [each["strength"] for each in found] == list(STRENGTHS)
    for i, each in enumerate(found):
        name = f"lambda={STRENGTHS[i]:g}_seed"
        assert each["runs"] == [f"{name}{seed}/train" for seed in range(3)]
        ends = [last_rows(values_of(10 * i + seed, 100, 4), window) for seed in range(3)]
        shares = [(end[:, 2:].sum(1) / end[:, 0]).mean() for end in ends]
        accuracies = [np.random.default_rng(10 * i + seed).random(20) for seed in range(3)]
        expected = {
            "data_loss": [end[:, 1].mean() for end in ends],
            "validation_data_loss": [
                last_rows(values_of(10 * i + seed + 1_000, 30, 4), window)[:, 1].mean()
                for seed in range(3)
            ],
            "metric": [last_rows(values, window).mean() for values in accuracies],
        }
        assert each["penalty_share"] == pytest.approx(np.mean(shares), rel=1e-5)
        for figure, means in expected.items():
            assert each[figure] == {
                "mean": pytest.approx(np.mean(means), rel=1e-5),
                "min": pytest.approx(np.min(means), rel=1e-5),
                "max": pytest.approx(np.max(means), rel=1e-5),
                "standard_error": pytest.approx(np.std(means, ddof=1) / np.sqrt(3), rel=1e-4),
            }
        assert (each["unfinished"], each["diverged"]) == ([], [])
        assert {point["metric_run"] for point in each["points"]} == {
            f"{name}{seed}/validation" for seed in range(3)
        }


@pytest.mark.parametrize("options", [{}, {"window": "0.5"}, {"metric": "epoch_accuracy"}])
def test_the_route_answers_what_the_command_prints(
    log_dir: Path, capsys: pytest.CaptureFixture[str], options: dict[str, str]
) -> None:
    """With the same sentence."""
    answer = answer_of(log_dir, None, **options)
    given_options = [text for key, value in options.items() for text in (f"--{key}", value)]
    assert answer["strengths"] == sweep_of(log_dir, capsys, *given_options)
    assert (answer["unread"], answer["left_out"]) == (0, 0)
    assert answer["sentence"] in table_of(log_dir, capsys, *given_options)


@pytest.mark.parametrize("source", ["names", r"names=lambda=([\d.e-]+)", "recorded"])
def test_strengths_are_found_in_names_as_well(
    log_dir: Path, capsys: pytest.CaptureFixture[str], source: str
) -> None:
    """They agree with those recorded."""
    expected = sweep_of(log_dir, capsys)
    assert sweep_of(log_dir, capsys, "--strength-from", source) == expected


def test_unfinished_and_diverged_runs_are_flagged_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not finite has no mean, and what comes after it is told."""
    for strength in (0.1, 0.2):
        for seed in range(3):
            values = values_of(seed, 100, 4)
            if seed == 1:
                values = values[:60]
            if seed == 2 and strength == 0.2:
                values[95:, :2] = np.nan
            write_run(tmp_path / f"{strength}-{seed}", layout_of(l2=strength), values)
    early, late = sweep_of(tmp_path, capsys)
    assert early["runs"] == ["0.1-0", "0.1-1", "0.1-2"]
    assert (early["unfinished"], early["diverged"]) == (["0.1-1"], [])
    assert (late["unfinished"], late["diverged"]) == (["0.2-1"], ["0.2-2"])
    means = [
        last_rows(values_of(seed, 100, 4)[:rows])[:, 1].mean() for seed, rows in ((0, 100), (1, 60))
    ]
    assert late["data_loss"]["mean"] == pytest.approx(np.mean(means), rel=1e-5)
    assert late["data_loss"]["standard_error"] is None
    assert late["points"][2]["data_loss"] is None
    table = table_of(tmp_path, capsys)
    assert "Runs that ended before step 99: 0.1-1, 0.2-1." in table
    assert "Runs with a loss that is NaN or infinite: 0.2-2." in table
    assert "There is no validation" in table


@pytest.mark.parametrize(
    ("losses", "said", "unsaid"),
    [
        ({0.1: [3, 3], 1.0: [2, 2], 10.0: [1, 1.5]}, "the largest that was tried", "standard"),
        ({0.1: [1, 1], 1.0: [2, 2]}, "the smallest that was tried", "one run"),
        ({0.0: [1, 1], 1.0: [2, 2]}, "lowest at strength 0: 1, the mean of 2 runs", "tried"),
        ({0.1: [3], 1.0: [2], 10.0: [4]}, "in a single run, too few to call it best", "mean of"),
        (
            {0.1: [3, 3.2, 3.1], 1.0: [2, 3, 4], 10.0: [9, 9, 9]},
            "at strength 1: 3 (2–4), the mean of 3 runs. Next to it: 3.1 (3–3.2) at 0.1 and 9 at "
            "10. Within one standard error (0.58): 0.1.",
            "tried",
        ),
        ({0.1: [1, 1]}, "Fewer than two strengths can be compared.", "lowest"),
    ],
)
def test_the_sentence_says_what_is_seen(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    losses: Mapping[float, Sequence[float]],
    said: str,
    unsaid: str,
) -> None:
    """The best mean and where, what is beside it, and no more than the seeds allow."""
    write_losses(tmp_path, losses)
    table = table_of(tmp_path, capsys)
    assert said in table
    assert unsaid not in table


def test_strengths_that_do_not_act_as_written_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A penalty that is counted twice stands at what was written; of unused ones none acts."""
    twice = (Finding("counted_twice", "warning", "a/l2 is added to the loss 2 times."),)
    write_run(tmp_path / "fine", layout_of(l2=0.1), values_of(0, 100, 4))
    write_run(tmp_path / "twice", replace(layout_of(l2=0.2), findings=twice), values_of(1, 100, 4))
    unused = Layout((TOTAL, DATA, Term("a/l2", role="unused", kind="l2", strength=0.3)))
    write_run(tmp_path / "unused", unused, values_of(2, 60, 3))
    found = sweep_of(tmp_path, capsys)
    told = [(each["strength"], each["misapplied"]) for each in found]
    assert told == [(0.1, []), (0.2, ["twice"]), (None, ["unused"])]
    table = table_of(tmp_path, capsys)
    assert "Runs whose penalties are all unused: unused. No strength acts in them" in table
    assert "counted twice or scaled again: twice. They stand at the strength that was" in table
    assert "unknown or changed" not in table
    lines = table.splitlines()
    assert [line.split()[:2] for line in lines[2:4]] == [["0.2", "1?"], ["unknown", "1*?"]]
    assert lines[4] == "* ended early, ? penalties counted twice, scaled again or unused"


@pytest.mark.parametrize("is_known", [True, False])
def test_a_single_strength_is_told_to_be_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], is_known: bool
) -> None:
    """And what is to be done: other strengths, or another place to look for them."""
    layout = layout_of(l2=0.1) if is_known else Layout((TOTAL, DATA, Term("a"), Term("b")))
    write_run(tmp_path / "one", layout, values_of(0, 9, 4))
    table = table_of(tmp_path, capsys)
    assert ("compared. Train with others too" in table) == is_known
    assert ("--strength-from" in table) != is_known


def test_a_metric_is_the_better_the_higher_unless_it_is_a_loss(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be in the run that is above the training's."""
    write_losses(tmp_path, {0.1: [3, 3], 1.0: [2, 2]})
    for i, run in enumerate(sorted(tmp_path.iterdir())):
        for tag in ("accuracy", "my_loss"):
            write_scalars(run, tag, [i, i], tf2=True)
    table = table_of(tmp_path, capsys, "--metric", "accuracy")
    assert "accuracy is highest at strength 1: 2.5 (2–3), the mean of 2 runs" in table
    table = table_of(tmp_path, capsys, "--metric", "my_loss")
    assert "my_loss is lowest at strength 0.1: 0.5 (0–1), the mean of 2 runs" in table
    for tag in ("nowhere", ""):
        table = table_of(tmp_path, capsys, "--metric", tag)
        assert f"No run has finite values of {tag!r}. Give the tag of a scalar" in table


def test_the_route_lists_what_can_be_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tags that a run of the sweep has somewhere, those of most runs first; not all of many."""
    write_losses(tmp_path, {0.1: [3, 3], 1.0: [2, 2]})
    for run in sorted(tmp_path.iterdir()):
        write_scalars(run / "validation", "accuracy", [1.0], tf2=True)
    write_scalars(run, "score", [1.0], tf2=False)
    write_scalars(tmp_path / "elsewhere", "other", [1.0], tf2=True)
    assert answer_of(tmp_path)["metrics"] == ["accuracy", "score"]
    monkeypatch.setattr(sweep_answer, "_MAX_METRICS", 1)
    assert answer_of(tmp_path)["metrics"] == ["accuracy"]


@given(st.integers(1, 10**6), st.floats(1e-6, 1))
def test_a_window_has_at_least_its_share_of_rows(rows: int, window: float) -> None:
    """And one row at least."""
    size = window_size(rows, window)
    assert 1 <= size <= rows
    assert size - 1 < rows * window < size + 1e-3


def test_the_route_answers_in_time_and_reads_nothing_twice(
    log_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not read yet is counted; asked again, the answer goes on from there."""
    monkeypatch.setattr(sweep_answer, "_SECONDS", 0.0)
    monkeypatch.setattr(remembered, "_LEAST", 2**30)
    plugin = plugin_on(log_dir)
    answers = [answer_of(log_dir, plugin) for _ in range(12)]
    assert [answer["unread"] for answer in answers] == list(range(11, -1, -1))
    assert [len(each["runs"]) for each in answers[-1]["strengths"]] == [3] * 4
    monkeypatch.delattr(Store, "contents")
    assert answer_of(log_dir, plugin) == answers[-1]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"window": "0"}, "window is 0; it must be above 0 and at most 1."),
        ({"window": "x"}, "window must be a number"),
        ({"strength_from": "elsewhere"}, "not one of recorded, hparams, names"),
        ({"strength_from": "names=(a+)+"}, "takes no pattern"),
        ({"include": "weights"}, "include must be one of 'nothing', 'norms', 'trajectories'"),
    ],
)
def test_wrong_questions_are_refused(tmp_path: Path, query: dict[str, str], reason: str) -> None:
    """With what would be right."""
    response = Client(plugin_on(tmp_path).get_plugin_apps()["/sweep"]).get(query_string=query)
    assert response.status_code == 400
    assert reason in json.loads(response.data)["error"]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> RegularizationPlugin:
    """Returns a plugin over runs some of which diverged."""
    log_dir = tmp_path_factory.mktemp("asked")
    write_losses(log_dir, {0.1: [3, math.nan], 1.0: [2, 2]})
    write_scalars(log_dir / "0.1-0", "losses", [math.inf, 1], tf2=True)
    return plugin_on(log_dir)


@given(
    st.dictionaries(
        st.sampled_from(["name", "window", "metric", "strength_from", "include", "other"]),
        st.sampled_from(["losses", "0.5", "1e-9", "recorded", "hparams", "names", "hparams=l2"])
        | st.text(max_size=20),
    )
)
def test_any_question_is_answered(asked: RegularizationPlugin, query: dict[str, str]) -> None:
    """With a sweep, or with what is wrong."""
    encoded = {key: value.encode(errors="surrogatepass") for key, value in query.items()}
    client = Client(asked.get_plugin_apps()["/sweep"])
    response = client.get(query_string=urllib.parse.urlencode(encoded))
    assert response.status_code in (200, 400)
    assert ("error" in json.loads(response.data)) == (response.status_code == 400)


@pytest.mark.parametrize(
    "options", [["--window", "2"], ["--strength-from", "names=("], ["--strength-from", "names=x"]]
)
def test_wrong_options_are_refused(tmp_path: Path, options: list[str]) -> None:
    """As argparse does."""
    with pytest.raises(SystemExit) as ended:
        main(["sweep", str(tmp_path), *options])
    assert ended.value.code == 2


def test_no_recording_of_the_name_is_exit_code_2(
    log_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the name."""
    assert main(["sweep", str(log_dir), "--name", "other"]) == 2
    assert "no recordings named 'other'" in capsys.readouterr().err
    assert answer_of(log_dir, name="other")["strengths"] == []


def test_what_cannot_be_read_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was read before it counts."""
    write_losses(tmp_path, {0.1: [3, 3], 1.0: [2, 2]})
    (path,) = (tmp_path / "0.1-0" / "train").iterdir()
    path.write_bytes(path.read_bytes() + bytes(16))
    assert main(["sweep", str(tmp_path)]) == 3
    told = capsys.readouterr()
    assert "0.1       2     3          3" in told.out
    assert f"{str(path)!r} is read up to byte" in told.err
