"""The sweep: what each strength of the penalties led to, against NumPy on what was written."""

from __future__ import annotations

import json
import math
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import summary_v2 as hp
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from werkzeug.test import Client

from tb_regplugin.command_line import main
from tb_regplugin.plugin import RegularizationPlugin
from tb_regplugin.reading import remembered, sweep_answer
from tb_regplugin.reading.runs import homes
from tb_regplugin.reading.store import Store
from tb_regplugin.reading.strengths import recorded_strengths
from tb_regplugin.reading.sweep import Ending, entries, window_size
from tb_regplugin.terms import Kind, Layout, Term
from tests.logs import DATA, TOTAL, recording_events, write_events

Values = npt.NDArray[np.float64]


def _layout(**strengths: float) -> Layout:
    """Returns a layout with two penalties of each kind."""
    kinds: dict[str, Kind] = {"l1": "l1", "l2": "l2"}
    penalties = (
        Term(f"{layer}/{kind}", kind=kinds[kind], strength=strength)
        for kind, strength in strengths.items()
        for layer in ("a", "b")
    )
    return Layout((TOTAL, DATA, *penalties))


def _values(seed: int, rows: int, columns: int) -> Values:
    """Returns rows of total, data loss and penalties that add up."""
    parts = np.random.default_rng(seed).random((rows, columns - 1))
    return np.column_stack([parts.sum(1), parts])


def _write(directory: Path, layout: Layout, values: Values, every: int = 1) -> None:
    steps = np.arange(len(values)) * every
    write_events(directory, recording_events(steps, values, layout))


def _write_scalars(directory: Path, tag: str, values: Sequence[float], *, tf2: bool) -> None:
    """Writes a scalar as TensorFlow 2 does, with a tensor, or as TensorFlow 1 and PyTorch do."""
    events = []
    for step, value in enumerate(values):
        simple = summary_pb2.Summary.Value(tag=tag, simple_value=value)
        summary = scalar_pb(tag, value) if tf2 else summary_pb2.Summary(value=[simple])
        events.append(event_pb2.Event(step=step, wall_time=step, summary=summary))
    write_events(directory, events)


def _sweep(log_dir: Path, capsys: pytest.CaptureFixture[str], *options: str) -> Any:
    assert main(["sweep", str(log_dir), "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def _table(log_dir: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(["sweep", str(log_dir), *options]) == 0
    return capsys.readouterr().out


def _answer(log_dir: Path, plugin: RegularizationPlugin | None = None, **query: str) -> Any:
    plugin = plugin or _plugin(log_dir)
    client = Client(plugin.get_plugin_apps()["/sweep"])
    response = client.get(query_string=query)
    assert response.status_code == 200, response.text
    return response.json


def _plugin(log_dir: Path) -> RegularizationPlugin:
    multiplexer = EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(log_dir))
    multiplexer.Reload()
    provider = MultiplexerDataProvider(multiplexer, str(log_dir))
    return RegularizationPlugin(base_plugin.TBContext(data_provider=provider))


def _last(values: Values, share: float = 0.1) -> Values:
    return values[-math.ceil(round(len(values) * share, 6)) :]


STRENGTHS = (0.0, 1e-4, 0.01, 1.0)


@pytest.fixture
def log_dir(tmp_path: Path) -> Path:
    """Returns four strengths with three seeds each, with validations and accuracies."""
    for i, strength in enumerate(STRENGTHS):
        for seed in range(3):
            run = tmp_path / f"lambda={strength:g}_seed{seed}"
            number = 10 * i + seed
            _write(run / "train", _layout(l2=strength), _values(number, 100, 4))
            _write(run / "validation", _layout(l2=strength), _values(number + 1_000, 30, 4), 5)
            accuracies = np.random.default_rng(number).random(20).tolist()
            _write_scalars(run / "validation", "epoch_accuracy", accuracies, tf2=seed > 0)
            _write_scalars(run / "train", "epoch_accuracy", [9.0] * 20, tf2=True)
    return tmp_path


@pytest.mark.parametrize("window", [0.1, 0.25, 1.0])
def test_figures_are_those_of_what_was_written(
    log_dir: Path, capsys: pytest.CaptureFixture[str], window: float
) -> None:
    """Mean, least, largest and standard error over the seeds of means over the last rows."""
    found = _sweep(log_dir, capsys, "--window", str(window), "--metric", "epoch_accuracy")
    assert [each["strength"] for each in found] == list(STRENGTHS)
    for i, each in enumerate(found):
        name = f"lambda={STRENGTHS[i]:g}_seed"
        assert each["runs"] == [f"{name}{seed}/train" for seed in range(3)]
        ends = [_last(_values(10 * i + seed, 100, 4), window) for seed in range(3)]
        shares = [(end[:, 2:].sum(1) / end[:, 0]).mean() for end in ends]
        accuracies = [np.random.default_rng(10 * i + seed).random(20) for seed in range(3)]
        expected = {
            "data_loss": [end[:, 1].mean() for end in ends],
            "validation_data_loss": [
                _last(_values(10 * i + seed + 1_000, 30, 4), window)[:, 1].mean()
                for seed in range(3)
            ],
            "metric": [_last(values, window).mean() for values in accuracies],
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
    answer = _answer(log_dir, None, **options)
    given_options = [text for key, value in options.items() for text in (f"--{key}", value)]
    assert answer["strengths"] == _sweep(log_dir, capsys, *given_options)
    assert (answer["unread"], answer["left_out"]) == (0, 0)
    assert answer["sentence"] in _table(log_dir, capsys, *given_options)


@pytest.mark.parametrize("source", ["names", r"names=lambda=([\d.e-]+)", "recorded"])
def test_strengths_are_found_in_names_as_well(
    log_dir: Path, capsys: pytest.CaptureFixture[str], source: str
) -> None:
    """They agree with those recorded."""
    expected = _sweep(log_dir, capsys)
    assert _sweep(log_dir, capsys, "--strength-from", source) == expected


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
        _write(run / "train", unnamed, _values(i, 20, 3))
        write(run / place, {"decay": strength, "seed": i, "units": 8, "optimizer": "sgd"})
    found = _sweep(tmp_path, capsys, "--strength-from", "hparams")
    runs = [(0.1, ["run1/train", "run2/train"]), (1.0, ["run0/train"])]
    assert [(each["strength"], each["runs"]) for each in found] == runs
    assert _answer(tmp_path, strength_from="hparams")["strengths"] == found
    (by_units,) = _sweep(tmp_path, capsys, "--strength-from", "hparams=units")
    assert by_units["strength"] == 8
    (unknown,) = _sweep(tmp_path, capsys)
    assert unknown["strength"] is None
    assert "Runs of unknown or changed strength" in _table(tmp_path, capsys)


def test_what_varies_at_once_is_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By kind; where one of two varies, it is one number."""
    for l1 in (0.1, 0.2):
        for l2 in (0.0, 0.5):
            _write(tmp_path / "both" / f"{l1}-{l2}", _layout(l1=l1, l2=l2), _values(0, 9, 6))
            _write(tmp_path / "one" / f"{l2}", _layout(l1=0.1, l2=l2), _values(0, 9, 6))
    both = [each["strength"] for each in _sweep(tmp_path / "both", capsys)]
    assert both == [{"l1": l1, "l2": l2} for l1 in (0.1, 0.2) for l2 in (0.0, 0.5)]
    assert [each["strength"] for each in _sweep(tmp_path / "one", capsys)] == [0.0, 0.5]
    assert "l1 0.1, l2 0.5" in _table(tmp_path / "both", capsys)


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


def test_unfinished_and_diverged_runs_are_flagged_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not finite has no mean, and what comes after it is told."""
    for strength in (0.1, 0.2):
        for seed in range(3):
            values = _values(seed, 100, 4)
            if seed == 1:
                values = values[:60]
            if seed == 2 and strength == 0.2:
                values[95:, :2] = np.nan
            _write(tmp_path / f"{strength}-{seed}", _layout(l2=strength), values)
    early, late = _sweep(tmp_path, capsys)
    assert early["runs"] == ["0.1-0", "0.1-1", "0.1-2"]
    assert (early["unfinished"], early["diverged"]) == (["0.1-1"], [])
    assert (late["unfinished"], late["diverged"]) == (["0.2-1"], ["0.2-2"])
    means = [_last(_values(seed, 100, 4)[:rows])[:, 1].mean() for seed, rows in ((0, 100), (1, 60))]
    assert late["data_loss"]["mean"] == pytest.approx(np.mean(means), rel=1e-5)
    assert late["data_loss"]["standard_error"] is None
    assert late["points"][2]["data_loss"] is None
    table = _table(tmp_path, capsys)
    assert "Runs that ended before step 99: 0.1-1, 0.2-1." in table
    assert "Runs with a loss that is NaN or infinite: 0.2-2." in table
    assert "There is no validation" in table


def _write_losses(log_dir: Path, losses: Mapping[float, Sequence[float]]) -> None:
    """Writes runs whose validations have these data losses, one a seed."""
    for strength, of_seeds in losses.items():
        for seed, loss in enumerate(of_seeds):
            for part in ("train", "validation"):
                values = np.tile([loss + 0.5, loss, 0.25, 0.25], (10, 1))
                _write(log_dir / f"{strength}-{seed}" / part, _layout(l2=strength), values)


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
    _write_losses(tmp_path, losses)
    table = _table(tmp_path, capsys)
    assert said in table
    assert unsaid not in table


def test_a_metric_is_the_better_the_higher_unless_it_is_a_loss(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be in the run that is above the training's."""
    _write_losses(tmp_path, {0.1: [3, 3], 1.0: [2, 2]})
    for i, run in enumerate(sorted(tmp_path.iterdir())):
        for tag in ("accuracy", "my_loss"):
            _write_scalars(run, tag, [i, i], tf2=True)
    table = _table(tmp_path, capsys, "--metric", "accuracy")
    assert "accuracy is highest at strength 1: 2.5 (2–3), the mean of 2 runs" in table
    table = _table(tmp_path, capsys, "--metric", "my_loss")
    assert "my_loss is lowest at strength 0.1: 0.5 (0–1), the mean of 2 runs" in table
    for tag in ("nowhere", ""):
        table = _table(tmp_path, capsys, "--metric", tag)
        assert f"No run has finite values of {tag}." in table


def test_the_route_lists_what_can_be_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tags that a run of the sweep has somewhere, those of most runs first; not all of many."""
    _write_losses(tmp_path, {0.1: [3, 3], 1.0: [2, 2]})
    for run in sorted(tmp_path.iterdir()):
        _write_scalars(run / "validation", "accuracy", [1.0], tf2=True)
    _write_scalars(run, "score", [1.0], tf2=False)
    _write_scalars(tmp_path / "elsewhere", "other", [1.0], tf2=True)
    assert _answer(tmp_path)["metrics"] == ["accuracy", "score"]
    monkeypatch.setattr(sweep_answer, "_MAX_METRICS", 1)
    assert _answer(tmp_path)["metrics"] == ["accuracy"]


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
    plugin = _plugin(log_dir)
    answers = [_answer(log_dir, plugin) for _ in range(12)]
    assert [answer["unread"] for answer in answers] == list(range(11, -1, -1))
    assert [len(each["runs"]) for each in answers[-1]["strengths"]] == [3] * 4
    monkeypatch.delattr(Store, "contents")
    assert _answer(log_dir, plugin) == answers[-1]


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
    response = Client(_plugin(tmp_path).get_plugin_apps()["/sweep"]).get(query_string=query)
    assert response.status_code == 400
    assert reason in json.loads(response.data)["error"]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> RegularizationPlugin:
    """Returns a plugin over runs some of which diverged."""
    log_dir = tmp_path_factory.mktemp("asked")
    _write_losses(log_dir, {0.1: [3, math.nan], 1.0: [2, 2]})
    _write_scalars(log_dir / "0.1-0", "losses", [math.inf, 1], tf2=True)
    return _plugin(log_dir)


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
    assert _answer(log_dir, name="other")["strengths"] == []


def test_what_cannot_be_read_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was read before it counts."""
    _write_losses(tmp_path, {0.1: [3, 3], 1.0: [2, 2]})
    (path,) = (tmp_path / "0.1-0" / "train").iterdir()
    path.write_bytes(path.read_bytes() + bytes(16))
    assert main(["sweep", str(tmp_path)]) == 3
    told = capsys.readouterr()
    assert "0.1       2     3          3" in told.out
    assert f"{str(path)!r} is read up to byte" in told.err
