"""Every recipe of docs/recipes.md runs, before and after, and records what it says."""

import functools
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tb_regplugin

RECIPES = Path(__file__).parents[1] / "docs" / "recipes.md"

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
}


def groups() -> list[list[tuple[str, str]]]:
    """Returns titles and code of the recipes that share a process, with what they share first."""
    found = []
    for section in re.split(r"^## ", RECIPES.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        parts = re.split(r"^### ", section, flags=re.MULTILINE)
        recipes = []
        for part in parts:
            (code,) = re.findall(r"```python\n(.*?)```", part, re.DOTALL)
            recipes.append((part.partition("\n")[0], code))
        found.append(recipes)
    graphs, layers, tf2 = found
    # Whose text says so.
    layers.insert(1, graphs[0])
    return [graphs, layers, tf2]


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
def run_group(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Outcome]:
    """Runs a group before and after, once; returns where, and what it said on standard error."""

    @functools.cache
    def run_(group: int) -> Outcome:
        directory, recipes = tmp_path_factory.mktemp("recipes"), groups()[group]
        without = [(title, re.sub(r"(?m)^.*# added\n", "", code)) for title, code in recipes]
        assert all("tb_regplugin." not in code for _, code in without)
        return directory, run({"before": without, "after": recipes}, directory)

    return run_


@pytest.mark.parametrize("group", [0, 1, 2], ids=["graphs", "layers", "TensorFlow 2"])
def test_recipes_record_what_they_say(run_group: Callable[[int], Outcome], group: int) -> None:
    """Before, the programs run and record nothing; after, every step with the terms named."""
    directory, messages = run_group(group)
    assert tb_regplugin.load(directory / "before") == {}
    assert ("the variable w in place of a penalty" in messages) == (group == 0)
    for name, recording in tb_regplugin.load(directory / "after" / "logs").items():
        columns, strengths, steps = EXPECTED[name]
        found = [c for c in recording.columns if c.role != "total"]
        names = [f"{c.role} {c.name}" if c.role == "inside" else c.name for c in found]
        assert sorted(names) == sorted(columns), name
        assert sorted(map(str, strengths)) == sorted(str(c.strength) for c in found[1:]), name
        assert len(recording.steps) == steps, name


def test_the_recipe_of_gradients_records_them(run_group: Callable[[int], Outcome]) -> None:
    """Every step has the three figures of its one penalty."""
    logs = run_group(2)[0] / "after" / "logs" / "pull"
    recorded = tb_regplugin.load(logs, name="losses.gradients")
    assert [term.role for term in recorded["train"].columns] == [
        "gradient",
        "data_gradient",
        "gradient_cosine",
    ]
    assert recorded["train"].values.shape == (20, 3)


def test_every_recipe_is_expected() -> None:
    """No recipe is without a test of what it records."""
    text = RECIPES.read_text(encoding="utf-8")
    assert {name.split("/")[0] for name in EXPECTED} == {
        name.split("/")[0] for name in re.findall(r'"logs/([^"]+)"', text)
    }
