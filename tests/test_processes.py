"""Trainings of several processes: one recording, of values that are said, and nothing hangs."""

import functools
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tb_regplugin import load
from tests import processes
from tests.processes import BATCH, EPOCHS, L1, L2, RATE, STEPS

ROOT = Path(__file__).parents[1]
_BACKENDS = {
    "multi_worker": "tensorflow",
    "data_parallel": "jax",
    "distributed_data_parallel": "torch",
}
_ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "-1", "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
_Process = subprocess.Popen[bytes]
Start = Callable[..., list[_Process]]
_NAMES = ["total", "data", "hidden/kernel", "out/activity"]
_needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="torch is not installed"
)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the processes of a program; those that a test leaves behind where it fails, end."""
    started: list[_Process] = []

    def start_(program: str, log_dir: Path | str, mode: str = "", count: int = 2) -> list[_Process]:
        processes = _launch(program, log_dir, mode, count)
        started.extend(processes)
        return processes

    yield start_
    for process in started:
        process.kill()
        process.wait()


def _launch(program: str, log_dir: Path | str, mode: str, count: int) -> list[_Process]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for each in sockets:
            each.bind(("localhost", 0))
        ports = ",".join(str(each.getsockname()[1]) for each in sockets)
    # Two devices in all, on JAX.
    flags = f"--xla_force_host_platform_device_count={3 - count}"
    environment = {**os.environ, **_ENVIRONMENT, "XLA_FLAGS": flags}
    environment["KERAS_BACKEND"] = _BACKENDS[program]
    return [
        subprocess.Popen(
            [sys.executable, "-m", "tests.processes", program, str(task), ports, log_dir, mode],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if "dies" in mode else subprocess.PIPE,
        )
        for task in range(count)
    ]


def finish(started: Sequence[_Process]) -> list[tuple[Any, list[str]]]:
    """Returns what the processes returned, and which warnings of ours each gave."""
    outputs = [process.communicate(timeout=120) for process in started]
    for process, (_, errors) in zip(started, outputs, strict=True):
        assert process.returncode == 0, errors.decode()[-5000:]
    return [json.loads(output.splitlines()[-1]) for output, _ in outputs]


@functools.cache
def expected() -> Any:
    """Returns the losses of each step as NumPy computes them, on whole batches and their halves.

    An array ``[3, steps, columns]``: of the whole batch, of its first half and of its second.
    """
    x, y = processes.data()
    w, b, v, c = (each.astype("float64") for each in processes.weights())
    rows = []
    for step in range(EPOCHS * STEPS):
        batch = slice(step % STEPS * BATCH, (step % STEPS + 1) * BATCH)
        xs, hidden = x[batch], x[batch] @ w + b
        outputs = hidden @ v + c
        errors = outputs - y[batch]
        parts = [slice(None), slice(BATCH // 2), slice(BATCH // 2, None)]
        losses = [
            [np.mean(errors[p] ** 2), L2 * np.sum(w**2), L1 * np.mean(np.abs(outputs[p]))]
            for p in parts
        ]
        rows.append([[sum(part), *part] for part in losses])
        of_outputs = (2 * errors + L1 * np.sign(outputs)) / BATCH
        of_hidden = of_outputs @ v.T
        w, b = w - RATE * (xs.T @ of_hidden + 2 * L2 * w), b - RATE * of_hidden.sum(0)
        v, c = v - RATE * hidden.T @ of_outputs, c - RATE * of_outputs.sum(0)
    return np.array(rows).transpose(1, 0, 2)


def check(recorded: Any, part: int = 0, steps: int = EPOCHS * STEPS) -> None:
    """Compares a recording with what NumPy computed."""
    names = [term.name for term in recorded.columns]
    assert sorted(names) == sorted(_NAMES)
    assert recorded.steps.tolist() == list(range(steps))
    values = recorded.values[:, [names.index(name) for name in _NAMES]]
    np.testing.assert_allclose(values, expected()[part][:steps], rtol=1e-5)


def event_files(log_dir: Path) -> int:
    """Returns how many files there are."""
    return sum(path.is_file() for path in log_dir.rglob("*"))


def test_tf_keras_workers_record_whole_batches_once(start: Start, tmp_path: Path) -> None:
    """The means over all workers' samples, by the chief; and the weights are bit-equal.

    Where not all workers have the callback it says so, since rows are added up by all of them, and
    training is as ever. Keras 3 has no fit of several workers: once it has, there is more to test.
    """
    (chief, said), (other, others_said) = finish(start("multi_worker", tmp_path))
    for (without, recorded, alone), failures in (chief, other):
        assert without == recorded == alone
        assert failures == failures[:1] * 2
    (message,) = said
    assert "not all processes of its strategy record it" in message
    assert not others_said
    assert event_files(tmp_path) == 1
    check(load(tmp_path)["train"])


@pytest.mark.parametrize(("mode", "count"), [("", 2), ("one process", 1)])
def test_keras_on_jax_records_whole_batches_once(
    start: Start, mode: str, count: int, tmp_path: Path
) -> None:
    """The means over all devices' samples, by process 0; and the weights are bit-equal."""
    for (without, recorded), said in finish(start("data_parallel", tmp_path, mode, count)):
        assert recorded == without
        assert not said
    assert event_files(tmp_path) == 1
    check(load(tmp_path)["train"])


@_needs_torch
def test_a_loop_of_ones_own_records_the_chiefs_share(start: Start, tmp_path: Path) -> None:
    """Where rank 0 alone has a writer; others' shares come by writers in their directories."""
    (weights, said), (others_weights, others_said) = finish(
        start("distributed_data_parallel", tmp_path)
    )
    assert weights == others_weights
    assert not said + others_said
    assert event_files(tmp_path) == 3
    recorded = load(tmp_path)
    check(recorded["train"], 1)
    check(recorded["rank0"], 1)
    check(recorded["rank1"], 2)
    mean = (recorded["rank0"].values + recorded["rank1"].values) / 2
    np.testing.assert_allclose(mean, expected()[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("program", "victims"),
    [
        ("multi_worker", [1, 0]),
        ("data_parallel", [1]),
        pytest.param("distributed_data_parallel", [1], marks=_needs_torch),
    ],
)
def test_nothing_hangs_when_a_process_dies(
    start: Start, program: str, victims: list[int], tmp_path: Path
) -> None:
    """The other one ends as it does without recording, and what was recorded can be read.

    Also where the chief is the one that dies: the epochs before, with tf_keras.
    """
    plain = start(program, "", "1 dies")
    recorded = [start(program, tmp_path / str(victim), f"{victim} dies") for victim in victims]
    statuses = []
    for victim, started in zip([1, *victims], [plain, *recorded], strict=True):
        assert started[victim].wait(timeout=120) == -signal.SIGKILL
        # TensorFlow and JAX miss it after ten seconds.
        statuses.append(started[1 - victim].wait(timeout=40))
    assert statuses[0] == statuses[1] != 0
    for victim in victims:
        found = load(tmp_path / str(victim))["train"]
        assert len(found.steps) >= (EPOCHS - 1) * STEPS
        check(found, int(program == "distributed_data_parallel"), len(found.steps))
