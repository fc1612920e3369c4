"""Small logs whose numbers a test knows by heart."""

import math
from pathlib import Path

import numpy as np
from tensorboard.compat.proto import event_pb2, summary_pb2

from tb_regplugin import Term, Writer, log_format
from tb_regplugin.terms import GRADIENT_ROLES, Layout
from tb_regplugin.writing.event_file import EventFile
from tests.logs import recording_events, write_events

# The names of what well-known models train, as their frameworks give them.
MODELS = {
    "resnet": [
        f"conv{stage}_block{block}_{layer}_{part}"
        for stage, blocks in ((2, 3), (3, 4), (4, 6), (5, 3))
        for block in range(1, blocks + 1)
        for layer in (0, 1, 2, 3)
        for part in ("conv/kernel", "conv/bias", "bn/gamma", "bn/beta")
    ],
    "bert": [
        f"bert/encoder/layer_{layer}/{part}/{what}"
        for layer in range(12)
        for part in ("attention/self/query", "attention/self/key", "intermediate", "output")
        for what in ("kernel", "bias")
    ],
    "gpt2": [
        f"transformer.h.{layer}.{part}.{what}"
        for layer in range(12)
        for part in ("ln_1", "attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj", "ln_2")
        for what in ("weight", "bias")
    ],
}

KERNEL = Term("dense/kernel", kind="l2", strength=0.01, coefficient=0.01)
BIAS = Term("dense/bias", kind="l1", strength=0.5, coefficient=0.5)


def write_steady_run(directory: Path, steps: int = 100) -> None:
    """Data loss 1, penalties 2 and 1 at every step: the shares are 25, 50 and 25 %."""
    with Writer(directory) as writer:
        for step in range(steps):
            writer.write(step, 1.0, {KERNEL: 2.0, BIAS: 1.0}, 4.0)


def write_run_with_a_spike(directory: Path) -> None:
    """50,000 steps with one spike of 777 at step 25,000."""
    with Writer(directory) as writer:
        for step in range(50_000):
            writer.write(step, 1.0, {KERNEL: 777.0 if step == 25_000 else 0.5})


def write_long_run(directory: Path, spike: int | None = None) -> None:
    """20,000 steps: a noisy data loss of about 1, penalties of 0.25 and 0.15; 4 at a spike."""
    noise = np.random.default_rng(0).normal(0, 0.1, 20_000)
    with Writer(directory) as writer:
        for step in range(20_000):
            penalties = {KERNEL: 4.0 if step == spike else 0.25, BIAS: 0.15}
            writer.write(step, 1.0 + float(noise[step]), penalties)


def write_run_with_nan(directory: Path) -> None:
    """100 steps whose penalty is NaN from step 40 on."""
    with Writer(directory) as writer:
        for step in range(100):
            writer.write(step, 1.0, {KERNEL: float("nan") if step >= 40 else 1.0})


def write_run_with_a_residual(directory: Path) -> None:
    """100 steps whose total is more than its parts."""
    with Writer(directory) as writer:
        for step in range(100):
            writer.write(step, 1.0, {KERNEL: 1.0}, total_loss=3.0)


def write_run_with_terms_beside_the_loss(directory: Path) -> None:
    """100 steps with a term for each way of being no summand of the loss, far above it."""
    terms = {KERNEL: 1.0, Term("forgotten", role="unused", kind="l2", strength=0.25): 50.0}
    terms |= {Term("decay", role="implicit"): 60.0, Term("logged", role="inside"): 70.0}
    with Writer(directory) as writer:
        for step in range(100):
            writer.write(step, 1.0, terms, 2.0)


def write_run_with_many_terms(directory: Path, steps: int = 50) -> None:
    """300 terms of ten blocks; block b's thirty terms are b + 1 each, and data loss is 1."""
    terms = {
        Term(f"block_{block}/layer_{layer}/kernel", kind="l2" if layer % 2 else "l1"): block + 1.0
        for block in range(10)
        for layer in range(30)
    }
    with Writer(directory) as writer:
        for step in range(steps):
            writer.write(step, 1.0, terms)


def write_very_deep_run(directory: Path, steps: int = 50) -> None:
    """80 layers of 9 penalties: 1 each in the first ten layers, 2 in the next; data loss is 1."""
    parts = [f"self_attn.{part}_proj" for part in "qkvo"]
    parts += [f"mlp.{part}_proj" for part in ("gate", "up", "down")]
    parts += ["input_layernorm", "post_attention_layernorm"]
    terms = {
        Term(f"model.layers.{layer}.{part}.weight", kind="l2"): layer // 10 + 1.0
        for layer in range(80)
        for part in parts
    }
    with Writer(directory) as writer:
        for step in range(steps):
            writer.write(step, 1.0, terms)


def write_layout_of_a_newer_version(directory: Path) -> None:
    """A recording that this version can't read."""
    event = log_format.layout_event("losses", Layout((Term("data", role="data"),)), 1.0)
    event.summary.value[0].tensor.string_val[0] = b'{"version": 99, "columns": []}'
    _write_event(directory, event)


def write_scalar(directory: Path) -> None:
    """A scalar, so that TensorBoard has another tab."""
    value = summary_pb2.Summary.Value(tag="accuracy", simple_value=0.5)
    summary = summary_pb2.Summary(value=[value])
    _write_event(directory, event_pb2.Event(step=1, wall_time=1.0, summary=summary))


def write_run_with_a_negative_term(directory: Path, steps: int = 100) -> None:
    """Data loss 2, a penalty of 1 and one of -0.5 at every step."""
    with Writer(directory) as writer:
        for step in range(steps):
            writer.write(step, 2.0, {KERNEL: 1.0, Term("entropy"): -0.5})


def _write_event(directory: Path, event: event_pb2.Event) -> None:
    file = EventFile(str(directory)).open()
    file.write(event)
    file.close()


def write_collapsed_run(directory: Path) -> None:
    """2,000 steps whose penalties are driven to zero by step 600; the data loss stays at ln 10."""
    with Writer(directory) as writer:
        for step in range(2_000):
            data = math.log(10) + 0.002 * math.sin(step) + max(0.0, 0.2 - step / 3_000)
            norm = math.exp(-step / 40)
            writer.write(step, data, {KERNEL: 250.0 * norm, BIAS: 25.0 * norm})


def write_healthy_run(directory: Path) -> None:
    """2,000 steps that nothing is wrong with."""
    with Writer(directory) as writer:
        for step in range(2_000):
            data = 0.2 + 2.0 * math.exp(-step / 400) + 0.02 * math.sin(step)
            writer.write(step, data, {KERNEL: 0.05 + step / 1e6, BIAS: 0.03 + step / 2e6})


def write_run_with_gradients(directory: Path) -> None:
    """Two penalties whose gradients are a tenth and twice as long as the data loss's, opposed."""
    steps = np.arange(100)
    roles = [(name, role) for name in ("kernel", "bias") for role in GRADIENT_ROLES]
    gradients = Layout(tuple(Term(name, role=role, kind="l2") for name, role in roles))
    values = np.tile(np.array([0.1, 1.0, -0.5, 4.0, 2.0, -1.0], np.float32), (100, 1))
    losses = Layout((Term("data", role="data"), Term("kernel"), Term("bias")))
    events = recording_events(
        steps, np.tile(np.array([2.0, 1.0, 1.0], np.float32), (100, 1)), losses
    )
    write_events(
        directory, [*events, *recording_events(steps, values, gradients, name="losses.gradients")]
    )
