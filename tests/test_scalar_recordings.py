"""Compositions of scalars beside recordings, as the routes tell of them."""

from __future__ import annotations

import json
import shlex
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from tensorboard import context
from tensorboard.data.provider import ScalarDatum

from tb_regplugin import Term, Writer
from tb_regplugin.command_line import main
from tb_regplugin.reading.source import TensorBoardSource
from tb_regplugin.scalars.composition import Composition, Part, Series
from tb_regplugin.scalars.likely import LikelyScalars
from tb_regplugin.scalars.listed import Told, found_in
from tb_regplugin.scalars.look import Look
from tb_regplugin.scalars.stored import compose_command, parse_part, read_composition
from tests.curves import decode_curves
from tests.scalar_logs import detectron2, object_detection, plain, ppo, write_scalars
from tests.tensorboard_process import get, get_json, start_tensorboard, wait_until
from tests.unusual_scalar_logs import openfold

ROUTES = "data/plugin/regularization/"
TOTAL = "Loss/total_loss"
PARTS = [f"Loss/{name}_loss" for name in ("classification", "localization", "regularization")]
TOLD = Told(kept=1_000, log_dir="logs")


@pytest.fixture(scope="module", params=["true", "false"])
def address(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[str]:
    """TensorBoard with either loader, on scalars, on a recording beside scalars, and on others."""
    root = tmp_path_factory.mktemp("logs")
    write_scalars(root / "detector", object_detection().series)
    write_scalars(root / "ppo", ppo().series)
    write_scalars(root / "plain", plain().series)
    write_scalars(root / "recorded", object_detection().series)
    with Writer(root / "recorded") as writer:
        writer.write(0, 1.0, {Term("kernel", kind="l2"): 0.5})
    for name, (steps, values) in object_detection().series.items():
        if name.startswith("Loss/") and "normalized" not in name:
            child = root / "above" / f"losses_{name.rpartition('/')[2]}"
            write_scalars(child, {"losses": (steps, values)})
    with start_tensorboard(root, f"--load_fast={request.param}") as address:
        wait_until(lambda: len(_listed(address)) == 4)
        yield address


def _listed(address: str) -> dict[tuple[str, str], Any]:
    answer = get_json(f"{address}{ROUTES}recordings")
    return {(each["run"], each["name"]): each for each in answer["recordings"]}


def _data(series: Mapping[str, Series]) -> dict[str, Sequence[ScalarDatum]]:
    return {
        tag: [
            ScalarDatum(step, 1e9 + step, value)
            for step, value in zip(steps.tolist(), values.tolist(), strict=True)
        ]
        for tag, (steps, values) in series.items()
    }


def test_runs_of_scalars_are_recordings(address: str) -> None:
    """But for runs that have recordings, and for what is no composition."""
    listed = _listed(address)
    parts = "losses/entropy + losses/policy_loss + losses/value_loss"
    assert set(listed) == {
        ("above", "losses/total_loss"),
        ("detector", TOTAL),
        ("ppo", parts),
        ("recorded", "losses"),
    }
    scalars = listed["detector", TOTAL]["scalars"]
    assert scalars["status"] == listed["above", "losses/total_loss"]["scalars"]["status"]
    assert (scalars["status"], scalars["stored"]) == ("adds up", False)
    assert scalars["steps"] == "From scalars: all 200 logged steps."
    roles = [column["role"] for column in listed["detector", TOTAL]["columns"]]
    assert roles == ["total", "data", "data", "penalty"]
    roles = [column["role"] for column in listed["ppo", parts]["columns"]]
    assert roles == ["inside"] * 3
    assert "scalars" not in listed["recorded", "losses"]


def test_curves_are_what_was_logged(address: str) -> None:
    """Value by value, and as they were weighted by hand."""
    series = object_detection().series
    query = {"run": "detector", "name": TOTAL}
    status, _, body = get(f"{address}{ROUTES}curves?{urlencode(query)}")
    assert status == 200
    header, arrays = decode_curves(body)
    names = [column["name"] for column in header["columns"]]
    assert names[:4] == [TOTAL, *PARTS]
    np.testing.assert_array_equal(arrays["last_step"], series[TOTAL][0])
    for place, name in enumerate(names[:4]):
        np.testing.assert_array_equal(arrays["mean"][place], np.float32(series[name][1]))
    part = {"tag": PARTS[0], "weight": "0.5", "role": "penalty"}
    query |= {"composition": json.dumps({"total": TOTAL, "parts": [part]})}
    header, arrays = decode_curves(get(f"{address}{ROUTES}curves?{urlencode(query)}")[2])
    roles = [column["role"] for column in header["columns"][:3]]
    assert roles == ["total", "penalty", "unexplained"]
    half = 0.5 * series[PARTS[0]][1]
    np.testing.assert_allclose(arrays["mean"][1], half, rtol=1e-6)
    np.testing.assert_allclose(arrays["mean"][2], series[TOTAL][1] - half, rtol=1e-5)


@pytest.mark.parametrize(
    ("composition", "said"),
    [
        ("{", "composition: "),
        ('{"total": null}', "cannot be read (KeyError"),
        ('{"total": null, "parts": []}', "needs at least one part"),
        ('{"total": "x", "parts": [{"tag": "y", "weight": 1, "role": "data"}]}', "no scalar 'y'"),
    ],
)
def test_a_composition_that_cannot_be_is_refused(address: str, composition: str, said: str) -> None:
    """With what is wrong."""
    query = urlencode({"run": "detector", "name": TOTAL, "composition": composition})
    status, _, body = get(f"{address}{ROUTES}curves?{query}")
    assert status == 400
    assert said in json.loads(body)["error"]


def test_other_routes_take_them_as_recordings(address: str) -> None:
    """The table of runs, figures and rows, with an independent sum of penalties."""
    series = object_detection().series
    shares = series[PARTS[2]][1] / series[TOTAL][1]
    rows = {row["run"]: row for row in get_json(f"{address}{ROUTES}overview")["rows"]}
    assert rows["detector"]["share_last"] == pytest.approx(shares[-1], rel=1e-6)
    assert rows["ppo"]["share_last"] is None
    query = urlencode({"run": "detector", "name": TOTAL})
    figures = get_json(f"{address}{ROUTES}statistics?{query}")["columns"]
    assert figures[1]["mean"] == pytest.approx(series[PARTS[0]][1].mean(), rel=1e-6)
    _, _, body = get(f"{address}{ROUTES}export?{query}")
    assert body.decode().splitlines()[0].startswith(f"step,wall_time,{TOTAL}")
    answer = get_json(f"{address}{ROUTES}composition?{query}")
    assert answer["recording"] is None
    assert set(answer["tags"]) == set(series)


def test_the_tab_is_lit_by_likely_names_alone(tmp_path: Path) -> None:
    """Metrics and a single loss are no composition."""
    write_scalars(tmp_path / "plain", plain().series)
    with start_tensorboard(tmp_path) as address:
        listing = f"{address}data/plugins_listing"
        wait_until(lambda: "plain" in get_json(f"{address}data/runs"))
        assert get_json(listing)["regularization"]["enabled"] is False
        assert get_json(f"{address}{ROUTES}recordings") == {"recordings": []}


def test_sampled_steps_say_so() -> None:
    """As many values as TensorBoard keeps of a scalar may be a sample of more."""
    steps = np.sort(np.random.default_rng(0).choice(20_000, 1_000, replace=False))
    data = 1e-3 * np.arange(1_000, dtype=np.float64)
    penalty = np.sqrt(data)
    series: dict[str, Series] = {
        "loss": (steps, data + penalty),
        "data_loss": (steps, data),
        "l2_loss": (steps, penalty),
    }
    (found,) = found_in("run", _data(series), (), TOLD)
    most = steps[-1] + 1
    assert found.listed.scalars is not None
    assert found.listed.scalars["steps"].startswith(
        f"From scalars: 1,000 of up to {most:,} steps, chosen by TensorBoard; spikes may be missing"
    )
    (found,) = found_in("run", _data(series), (), TOLD._replace(kept=0))
    assert found.listed.scalars is not None
    assert found.listed.scalars["steps"] == "From scalars: all 1,000 logged steps."


def test_nothing_is_interpolated() -> None:
    """A part of every fourth step is compared, and drawn, at these alone."""
    steps, values = np.arange(400), np.arange(400, dtype=np.float64)
    series: dict[str, Series] = {
        "loss": (steps, values),
        "lazy_loss": (steps[::4], values[::4]),
    }
    stored = Composition("loss", (Part("lazy_loss"),), stored=True)
    (found,) = found_in("run", _data(series), [stored], TOLD)
    np.testing.assert_array_equal(found.contents.table.steps, steps[::4])
    assert found.listed.scalars is not None
    assert "100 of 400 logged steps" in found.listed.scalars["steps"]
    wall_times = found.contents.table.wall_times
    np.testing.assert_array_equal(wall_times, 1e9 + steps[::4])


def test_what_adds_up_roughly_is_no_sum() -> None:
    """Medians of the logger: no residual and no share is made of them."""
    (found,) = found_in("run", _data(detectron2().series), (), TOLD)
    assert {column.term.role for column in found.contents.columns} == {"total", "inside"}


def test_a_stored_composition_of_unknown_scalars_is_a_problem() -> None:
    """Of a run that no longer logs them: the card says which."""
    stored = Composition("loss", (Part("gone"),), stored=True)
    (found,) = found_in("run", _data({"loss": (np.arange(9), np.ones(9))}), [stored], TOLD)
    (problem,) = found.listed.problems
    assert (problem.tag, problem.reason) == ("gone", "The run has no such scalar.")
    assert found.listed.columns == ()


def test_the_line_to_paste_is_read_back() -> None:
    """Whatever the names hold that a shell would take for its own."""
    tags = ["a b", "it's", "$HOME/`x`", "c:data", "d=0.5", "kl", "beta"]
    parts = tuple(Part(tag, 0.1, "penalty") for tag in tags[1:5])
    parts += (Part("kl", ("beta",), "penalty"),)
    line = compose_command("my logs", "-run", Composition("a b", parts))
    words = shlex.split(line)
    assert words[:6] == ["tb-regplugin", "compose", "my logs", "--run", "-run", "--total"]
    read = tuple(parse_part(word, tags) for word in words[8::2])
    assert read == parts


def test_an_edited_weight_may_be_text() -> None:
    """A number, or names with a star in between."""
    parts = [{"tag": "kl", "weight": weight, "role": "penalty"} for weight in ("0.5", "a*b")]
    tags = ["loss", "kl", "a", "b"]
    weights = [
        read_composition(json.dumps({"total": "loss", "parts": [part]}), tags).parts[0].weight
        for part in parts
    ]
    assert weights == [0.5, ("a", "b")]


class SlowProvider:
    """Two hundred runs of scalars, one of which is never read to its end."""

    def __init__(self) -> None:
        self.never = threading.Event()
        self.data = _data(object_detection().series)

    def list_runs(self, *_: Any, **__: Any) -> list[Any]:
        """Lists them."""
        names = [f"run_{number}" for number in range(200)]
        return [type("Run", (), {"run_name": name})() for name in names]

    def list_scalars(self, *_: Any, run_tag_filter: Any, **__: Any) -> Any:
        """Lists what was asked for."""
        series = type("Listed", (), {"max_step": 1, "max_wall_time": 1.0})()
        return {run: dict.fromkeys(self.data, series) for run in run_tag_filter.runs}

    def list_tensors(self, *_: Any, **__: Any) -> Any:
        """Lists none."""
        return {}

    def read_scalars(self, *_: Any, run_tag_filter: Any, **__: Any) -> Any:
        """Reads a run, or waits."""
        (run,) = run_tag_filter.runs
        if run == "run_1":
            self.never.wait(60)
        return {run: {tag: self.data[tag] for tag in run_tag_filter.tags}}


def test_one_slow_run_holds_up_no_other() -> None:
    """Nor whoever asks."""
    provider, look = SlowProvider(), Look(TOLD)
    start = time.monotonic()
    look.begin(TensorBoardSource(provider, context.RequestContext()), ())
    assert time.monotonic() - start < 1
    own: list[Any] = []
    wait_until(lambda: len(look.beside(own)) == 199)
    # The other thread ends a moment after its last run.
    wait_until(lambda: look.waiting == 1)
    assert look.of("run_1", TOTAL) is None
    provider.never.set()
    wait_until(lambda: len(look.beside(own)) == 200)
    wait_until(lambda: look.waiting == 0)


def test_parts_are_read_whatever_they_are_called() -> None:
    """The dashboard finds what the command line does."""
    series, truths = openfold()
    provider, look = SlowProvider(), Look(TOLD)
    provider.never.set()
    provider.data = _data(series)
    look.begin(TensorBoardSource(provider, context.RequestContext()), ())
    (truth,) = truths
    assert truth.total is not None
    total = truth.total
    wait_until(lambda: look.of("run_0", total) is not None)
    found = look.of("run_0", total)
    assert found is not None
    assert {column.term.name for column in found.contents.columns} == {total, *truth.parts}


def test_the_list_of_tabs_waits_for_no_scan() -> None:
    """Also where TensorBoard takes long to say which runs there are."""

    class Never(SlowProvider):
        is_asked = threading.Event()

        def list_runs(self, *_: Any, **__: Any) -> list[Any]:
            self.is_asked.set()
            self.never.wait(60)
            return []

    provider = Never()
    likely = LikelyScalars(lambda: TensorBoardSource(provider, context.RequestContext()))
    assert provider.is_asked.wait(60)
    start = time.monotonic()
    assert [likely() for _ in range(100)] == [False] * 100
    assert time.monotonic() - start < 1
    provider.never.set()


def test_what_is_loaded_later_is_found_unasked() -> None:
    """TensorBoard starts before its logs are loaded, and its first page has the tab."""

    class Later(SlowProvider):
        def list_runs(self, *_: Any, **__: Any) -> list[Any]:
            return super().list_runs() if self.never.is_set() else []

    provider = Later()
    likely = LikelyScalars(lambda: TensorBoardSource(provider, context.RequestContext()))
    assert not likely()
    provider.never.set()
    wait_until(likely)


def test_a_stored_composition_lights_the_tab(tmp_path: Path) -> None:
    """Whatever its scalars are called."""
    series = np.arange(50), np.arange(50, dtype=np.float64)
    write_scalars(tmp_path, dict.fromkeys(("x", "y"), series))
    stored = ["compose", str(tmp_path), "--total", "x", "--part", "y=0.5"]
    assert main(stored) == 0
    with start_tensorboard(tmp_path) as address:
        wait_until(lambda: (".", "x") in _listed(address))
        assert get_json(f"{address}data/plugins_listing")["regularization"]["enabled"]
