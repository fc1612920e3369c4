"""What it takes to look for what is wrong: in curves, and in a graph."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.report import Section, seconds
from tb_regplugin.findings.find import find_in_table
from tb_regplugin.reading.table import Table
from tb_regplugin.terms import Layout, Term
from tb_regplugin.writing.blocks import BlockWriter

_STEPS, _TERMS = 2_000, 32

# In a process of its own: TensorFlow stays out of the other measurements.
_AUDIT = """
import time
import tensorflow as tf
from tb_regplugin import audit
tf1 = tf.compat.v1
layers = {layers}
with tf.Graph().as_default():
    h = tf.zeros([1, 4])
    for i in range(layers):
        w = tf1.get_variable(
            f"w{{i}}", [4, 4], regularizer=lambda w: 1e-3 * tf.nn.l2_loss(w))
        h = h @ w
    loss = tf.reduce_mean(h) + tf.add_n(tf1.losses.get_regularization_losses())
    start = time.perf_counter()
    findings = audit(loss)
    print(time.perf_counter() - start, len(findings))
"""


def measure(quick: bool) -> Section:
    """Times findings of many runs in memory and on disk, and the audit of a large graph."""
    runs, layers = (10, 100) if quick else (100, 1_000)
    section = Section(
        "Findings",
        f"Curves: {runs} runs × {_STEPS:,} steps × {_TERMS} terms with a total and a data loss, as "
        "they are in memory. check: the command line on the same runs on disk, from its start. "
        f"Audit: of a TensorFlow 1 graph with {layers:,} regularised layers.",
        ["what", "limit", "seconds"],
    )
    tables = [_table(seed) for seed in range(runs)]
    for table in tables:
        assert find_in_table(table) == []
    section.add("curves", "1 s", f"{seconds(lambda: [find_in_table(t) for t in tables]):.2f}")
    with tempfile.TemporaryDirectory() as directory:
        for i, table in enumerate(tables):
            writer = BlockWriter(str(Path(directory) / f"run_{i:03}"))
            writer.append(
                Layout(tuple(table.columns)), table.steps, table.wall_times, table.values.T
            )
            writer.close()
        command = [sys.executable, "-m", "tb_regplugin", "check", directory]
        section.add("check", "–", f"{seconds(lambda: _run(command)):.2f}")
    took, findings = _run([sys.executable, "-c", _AUDIT.format(layers=layers)]).split()[-2:]
    assert findings == "0"
    section.add("audit", "3 s", f"{float(took):.2f}")
    return section


def _run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _table(seed: int) -> Table:
    """A training that nothing is wrong with."""
    rng = np.random.default_rng(seed)
    steps = np.arange(_STEPS)
    noise = rng.normal(1, 0.02, (_STEPS, 1))
    data = (0.2 + 2 * np.exp(-steps / 400))[:, np.newaxis] * noise
    drift = 1 + 0.1 * steps[:, np.newaxis] / _STEPS
    penalties = rng.uniform(0.005, 0.01, _TERMS) * drift * rng.normal(1, 1e-3, (_STEPS, _TERMS))
    total = data + penalties.sum(1, keepdims=True)
    values = np.concatenate([total, data, penalties], 1).astype(np.float32).T
    columns = (
        Term("total", role="total"),
        Term("data", role="data"),
        *(Term(f"layer_{i}/kernel", kind="l2", strength=0.01) for i in range(_TERMS)),
    )
    recorded = np.ones((1, len(columns)), np.bool_)
    stretches = np.array([0, _STEPS])
    return Table(columns, steps, time.time() + steps / 10.0, values, stretches, recorded)
