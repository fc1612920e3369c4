"""Every program of the guides runs, before and after, and records what it says."""

import functools
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import tb_regplugin

GUIDES = Path(__file__).parents[1] / "docs" / "guides"

# Runs programs one after another, each time in a directory of its own.
_RUN = """
import os, sys
for directory, programs in {programs!r}.items():
    os.mkdir(directory)
    os.chdir(directory)
    for title, code in programs:
        tf = sys.modules.get("tensorflow")
        if tf is not None and not tf.executing_eagerly():
            tf.compat.v1.reset_default_graph()
        try:
            exec(compile(code, title, "exec"), globals())
        except Exception as error:
            raise RuntimeError(title) from error
    os.chdir("..")
"""

# By run: roles and names of the columns after the total, the strengths, and the number of steps.
EXPECTED: dict[str, tuple[list[str], list[float | None], int]] = {
    "1": (["data", "v1", "v2"], [0.1, 0.1], 100),
    "2": (["data", "net/v1", "net/v2"], [0.1, 0.1], 100),
    "3": (["data", "w", "inside w"], [None, 0.1], 100),
    "4": (["data", "w"], [0.1], 100),
    "5/lambda=0.0": (["data"], [], 100),
    **{
        f"5/lambda={strength}": (
            ["data"] + [f"EasyNet/fully_connected{i}/weights" for i in ("", "_1", "_2")],
            [strength] * 3,
            100,
        )
        for strength in (0.0001, 0.01, 1.0)
    },
    "6": (["data", "l2_regularizer"], [0.1], 100),
    "7": (["data", "w", "b"], [0.0005, 0.0005], 100),
    "8": (["data", "w"], [0.1], 100),
    "10": (["data", "a/kernel", "b/kernel"], [0.1, 0.1], 100),
    "11": (["data", "conv/kernel"], [0.1], 100),
    "12/train": (["data", "hidden/kernel", "output/kernel"], [0.001, 0.001], 20),
    "pull/train": (["data", "output/kernel"], [0.001], 20),
    **{f"folds/{fold}/train": (["data", "d/kernel"], [0.01], 10) for fold in range(3)},
    "op": (["data", "w"], [0.1], 100),
    "loop": (["data", "w"], [None], 100),
    "layers": (["data", "layer/kernel"], [0.01], 100),
    "distributed": (["data", "layer/kernel"], [0.01], 100),
    "summary": (["data", "w"], [None], 100),
    "adamw": (
        ["data", "0.weight", "2.weight"]
        + [f"{layer}.{name} (weight decay)" for layer in (0, 2) for name in ("weight", "bias")],
        [0.001, 0.001, 0.1, 0.1, 0.1, 0.1],
        100,
    ),
    "lightning/lightning_logs/version_0/train": (
        ["data", "encoder.weight"]
        + [
            f"{layer}.{name} (weight decay)"
            for layer in ("encoder", "decoder")
            for name in ("weight", "bias")
        ],
        [0.001, 0.1, 0.1, 0.1, 0.1],
        20,
    ),
    "optax": (
        ["data", "w1", "w2"] + [f"{name} (weight decay)" for name in ("b1", "b2", "w1", "w2")],
        [0.001, 0.001, 0.1, 0.1, 0.1, 0.1],
        100,
    ),
}

# Each guide whose programs share a process, and the optional package that it needs.
GROUPS = {
    "tensorflow1": None,
    "layers": None,
    "keras": None,
    "functions": None,
    "pytorch": "lightning",
    "jax": "optax",
}

# What runs before and after a guide's programs, to keep what their figures can be computed from:
# the data, and the parameters before every step.
_KEEPING = {
    "pytorch": (
        """
from torch.optim.optimizer import register_optimizer_step_pre_hook
steps = []
register_optimizer_step_pre_hook(
    lambda optimizer, *_: steps.append(
        [p.detach().numpy().T.copy() for p in optimizer.param_groups[0]["params"]]
    )
)
""",
        """
steps = {f"{step}/{i}": p for step, row in enumerate(steps) for i, p in enumerate(row)}
__import__("numpy").savez("kept.npz", x=x, y=y, **steps)
""",
    ),
    "jax": (
        "steps = {}",
        """
params, opt_state = initial, optimizer.init(initial)
for step in range(100):
    steps |= {f"{step}/{i}": params[name] for i, name in enumerate(("w1", "b1", "w2", "b2"))}
    params, opt_state, *_ = train_step(params, opt_state, x, y)
__import__("numpy").savez("kept.npz", x=x, y=y, **steps)
""",
    ),
}


def programs_of(guide: str) -> list[tuple[str, str]]:
    """Returns titles and code of a guide's programs, with what they share first."""
    found = []
    for part in re.split(r"^## ", (GUIDES / f"{guide}.md").read_text("utf-8"), flags=re.MULTILINE):
        (code,) = re.findall(r"```python\n(.*?)```", part, re.DOTALL)
        found.append((part.partition("\n")[0], code))
    if guide == "layers":
        # Whose text says so.
        found.insert(1, programs_of("tensorflow1")[0])
    return found


def run(programs: dict[str, list[tuple[str, str]]], directory: Path) -> str:
    """Runs programs in a new process, and returns what it says on standard error."""
    result = subprocess.run(
        [sys.executable, "-c", _RUN.format(programs=programs)],
        cwd=directory,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stderr


Outcome = tuple[Path, str]


@pytest.fixture(scope="module")
def run_group(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Outcome]:
    """Runs a group before and after, once; returns where, and what it said on standard error."""

    @functools.cache
    def run_(group: str) -> Outcome:
        needed = GROUPS[group]
        # Where nothing may be left out, it fails when it is imported.
        if needed and not os.environ.get("TB_REGPLUGIN_REQUIRE_ALL"):
            pytest.importorskip(needed)
        first, last = _KEEPING.get(group, ("", ""))
        directory, recipes = tmp_path_factory.mktemp("guides"), programs_of(group)
        without = [(title, re.sub(r"(?m)^.*# added\n", "", code)) for title, code in recipes]
        assert all("tb_regplugin." not in code for _, code in without)
        kept = [("first", first), *recipes, ("last", last)]
        return directory, run({"before": without, "after": kept}, directory)

    return run_


@pytest.mark.parametrize("group", GROUPS)
def test_recipes_record_what_they_say(run_group: Callable[[str], Outcome], group: str) -> None:
    """Before, the programs run and record nothing; after, every step with the terms named."""
    directory, messages = run_group(group)
    with pytest.warns(UserWarning, match="no recordings"):
        assert tb_regplugin.load(directory / "before") == {}
    assert ("the variable w instead of a penalty" in messages) == (group == "tensorflow1")
    for name, recording in tb_regplugin.load(directory / "after" / "logs").items():
        columns, strengths, steps = EXPECTED[name]
        found = [c for c in recording.columns if c.role != "total"]
        names = [f"{c.role} {c.name}" if c.role == "inside" else c.name for c in found]
        assert sorted(names) == sorted(columns), name
        assert sorted(map(str, strengths)) == sorted(str(c.strength) for c in found[1:]), name
        assert len(recording.steps) == steps, name


def test_the_recipe_of_gradients_records_them(run_group: Callable[[str], Outcome]) -> None:
    """Every step has the three figures of its one penalty."""
    logs = run_group("keras")[0] / "after" / "logs" / "pull"
    recorded = tb_regplugin.load(logs, name="losses.gradients")
    assert [term.role for term in recorded["train"].columns] == [
        "gradient",
        "data_gradient",
        "gradient_cosine",
    ]
    assert recorded["train"].values.shape == (20, 3)


def decay_of(parameters: list[npt.NDArray[np.float64]]) -> list[float]:
    """Returns ½ · wd · ‖w‖² of each parameter, with the recipes' strength."""
    return [0.5 * 0.1 * np.sum(parameter**2) for parameter in parameters]


@pytest.mark.parametrize(
    ("group", "name", "parameters", "scale"),
    [
        ("pytorch", "adamw", ["0.weight", "0.bias", "2.weight", "2.bias"], 1.0),
        ("jax", "optax", ["w1", "b1", "w2", "b2"], 0.5),
    ],
)
def test_what_optimisers_decay_is_recorded_beside_the_loss(
    run_group: Callable[[str], Outcome],
    group: str,
    name: str,
    parameters: list[str],
    scale: float,
) -> None:
    """Every figure is what NumPy computes from the weights before the step."""
    directory = run_group(group)[0] / "after"
    kept = np.load(directory / "kept.npz")
    recording = tb_regplugin.load(directory / "logs")[name]
    for step, row in zip(recording.steps, recording.values, strict=True):
        w1, b1, w2, b2 = weights = [kept[f"{step}/{i}"].astype(np.float64) for i in range(4)]
        outputs = np.maximum(kept["x"] @ w1 + b1, 0) @ w2 + b2
        data_loss = scale * np.mean((outputs - kept["y"]) ** 2)
        penalties = [0.001 * np.sum(w1**2), 0.001 * np.sum(w2**2)]
        decay = zip(parameters, decay_of(weights), strict=True)
        expected = {
            ("total", "total"): data_loss + sum(penalties),
            ("data", "data"): data_loss,
            ("penalty", parameters[0]): penalties[0],
            ("penalty", parameters[2]): penalties[1],
            **{("implicit", f"{parameter} (weight decay)"): value for parameter, value in decay},
        }
        names = [(column.role, column.name) for column in recording.columns]
        found = dict(zip(names, row.tolist(), strict=True))
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_lightning_logs_the_total_that_is_recorded(
    run_group: Callable[[str], Outcome],
) -> None:
    """And the penalties that NumPy computes, while the data comes from a process forked off."""
    logs, messages = run_group("pytorch")
    assert "tb_regplugin" not in messages
    directory = logs / "after"
    kept, version = np.load(directory / "kept.npz"), "lightning/lightning_logs/version_0"
    recording = tb_regplugin.load(directory / "logs")[f"{version}/train"]
    events = EventAccumulator(str(directory / "logs" / version)).Reload()
    logged = [(event.step, event.value) for event in events.Scalars("train_loss")]
    assert list(zip(recording.steps, recording.values[:, 0], strict=True)) == logged
    for step, row in zip(recording.steps, recording.values, strict=True):
        # After the 100 steps of the recipe before.
        weights = [kept[f"{100 + step}/{i}"].astype(np.float64) for i in range(4)]
        penalties = [0.001 * np.sum(np.abs(weights[0])), *decay_of(weights)]
        assert row[2:].tolist() == pytest.approx(penalties, rel=1e-5, abs=1e-9)
        assert row[0] == pytest.approx(row[1] + row[2], rel=1e-5)


def test_every_program_is_expected() -> None:
    """No program is without a test of what it records."""
    text = "".join(code for guide in GROUPS for _, code in programs_of(guide))
    assert {name.split("/")[0] for name in EXPECTED} == {
        name.split("/")[0] for name in re.findall(r'"logs/([^"]+)"', text)
    }
