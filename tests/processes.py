"""Trainings of several processes: ``python -m tests.processes PROGRAM TASK PORTS LOG_DIR MODE``.

All train the same linear network on the same batches of 16, each process on its half of them. A
``MODE`` says which process dies by SIGKILL, in its third epoch, whether all record, or only one.
"""

from __future__ import annotations

import inspect
import json
import os
import signal
import sys
import time
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

STEPS, EPOCHS, BATCH = 4, 3, 16
FEATURES, HIDDEN = 5, 3
RATE, L2, L1 = 0.01, 0.1, 0.01

Array = npt.NDArray[np.floating[Any]]


def data() -> tuple[Array, Array]:
    """Returns inputs and targets of an epoch."""
    random = np.random.RandomState(0)
    x = random.randn(STEPS * BATCH, FEATURES).astype("float32")
    return x, random.randn(STEPS * BATCH, 1).astype("float32")


def weights() -> list[Array]:
    """Returns what the network begins with: kernel and bias of two layers."""
    random = np.random.RandomState(1)
    shapes = [(FEATURES, HIDDEN), (HIDDEN,), (HIDDEN, 1), (1,)]
    return [random.randn(*shape).astype("float32") for shape in shapes]


def half(task: int) -> tuple[Array, Array]:
    """Returns a process' part of each batch: its first or second half."""
    x, y = data()
    rows = np.arange(len(x)).reshape(STEPS, 2, -1)[:, task].ravel()
    return x[rows], y[rows]


def keras_model(keras: Any) -> Any:
    """Returns the network in either Keras."""
    layers, regularizers = keras.layers, keras.regularizers
    # On JAX, all processes have to build it alike, also when they set its weights afterwards.
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            layers.Dense(HIDDEN, kernel_regularizer=regularizers.L2(L2), name="hidden"),
            layers.Dense(1, activity_regularizer=regularizers.L1(L1), name="out"),
        ]
    )
    model.build((None, FEATURES))
    model.set_weights(weights())
    model.compile(keras.optimizers.SGD(RATE), "mse")
    return model


def fit(keras: Any, model: Any, batches: Any, callbacks: list[Any], mode: str, task: int) -> str:
    """Trains it; returns all bits of the weights. The process dies where the mode says so."""

    class Death(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            if batch == 1 and len(model.history.epoch) == EPOCHS - 1:
                die()

    if mode == f"{task} dies":
        callbacks = [*callbacks, Death()]
    model.fit(**batches, shuffle=False, epochs=EPOCHS, verbose=0, callbacks=callbacks)
    return "".join(np.asarray(w).tobytes().hex() for w in model.get_weights())


def die() -> None:
    """Ends this process as a machine's failure would, once what was handed over is written."""
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)


def train(keras: Any, callback: Any, batches: Any, mode: str, task: int) -> Any:
    """Returns the weights after a training that is not recorded, and after one that is."""
    if "dies" in mode:
        return fit(keras, keras_model(keras), batches, [callback] if callback else [], mode, task)
    return [fit(keras, keras_model(keras), batches, c, mode, task) for c in ([], [callback])]


def multi_worker(task: int, ports: list[str], log_dir: str, mode: str) -> Any:
    """tf_keras under MultiWorkerMirroredStrategy; where nobody dies, also what else can be there.

    Returns:
      Weights without recording, with it, and where the chief alone has a callback; and how Keras 3
      fails to fit, without recording and with it.
    """
    addresses = [f"localhost:{port}" for port in ports]
    cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": task}}
    os.environ["TF_CONFIG"] = json.dumps(cluster)
    import tensorflow as tf
    import tf_keras

    from tb_regplugin.capture import internals
    from tb_regplugin.capture.tf_keras import RegularizationCallback

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    dataset = tf.data.Dataset.from_tensor_slices(data()).batch(BATCH)
    batches = {"x": dataset.with_options(options)}
    callback = RegularizationCallback(log_dir, flush_secs=0.1) if log_dir else None
    with strategy.scope():
        weights = train(tf_keras, callback, batches, mode, task)
        if "dies" in mode:
            return weights
        internals._WAIT_SECS = 2.0
        alone = [] if task else [RegularizationCallback(os.path.join(log_dir, "alone"))]
        weights.append(fit(tf_keras, keras_model(tf_keras), batches, alone, mode, task))
        return [weights, keras_3_failures(batches, os.path.join(log_dir, "keras 3"))]


def keras_3_failures(batches: Any, log_dir: str) -> list[str]:
    """Returns how its fit fails under a strategy of several workers."""
    import keras

    from tb_regplugin import RegularizationCallback

    failures = []
    for callbacks in ([], [RegularizationCallback(log_dir)]):
        try:
            fit(keras, keras_model(keras), batches, callbacks, "", 0)
        except Exception as error:  # noqa: BLE001 - that is the question
            failures.append(type(error).__name__)
    return failures


def data_parallel(task: int, ports: list[str], log_dir: str, mode: str) -> Any:
    """Keras on JAX: DataParallel over two devices of one process, or of two processes."""
    import jax

    processes = 1 if mode == "one process" else 2
    if processes == 2:
        initialize = jax.distributed.initialize
        # Rather than the 100 s after which it misses a process that died.
        names = inspect.signature(initialize).parameters
        soon = {"heartbeat_timeout_seconds": 10} if "heartbeat_timeout_seconds" in names else {}
        initialize(f"localhost:{ports[0]}", 2, task, **soon)
    assert jax.device_count() == 2
    import keras

    from tb_regplugin import RegularizationCallback

    distribution = keras.distribution
    distribution.set_distribution(distribution.DataParallel(auto_shard_dataset=False))
    x, y = data() if processes == 1 else half(task)
    batches = {"x": x, "y": y, "batch_size": BATCH // processes}
    callback = RegularizationCallback(log_dir, flush_secs=0.1) if log_dir else None
    return train(keras, callback, batches, mode, task)


def distributed_data_parallel(task: int, ports: list[str], log_dir: str, mode: str) -> Any:
    """PyTorch's DistributedDataParallel, with a training loop of one's own."""
    import torch
    from torch import distributed

    from tb_regplugin import Writer

    address = f"tcp://localhost:{ports[0]}"
    distributed.init_process_group("gloo", init_method=address, rank=task, world_size=2)
    hidden, out = torch.nn.Linear(FEATURES, HIDDEN), torch.nn.Linear(HIDDEN, 1)
    model = torch.nn.Sequential(hidden, out)
    for parameter, value in zip(model.parameters(), weights(), strict=True):
        parameter.data = torch.tensor(value.T.copy())
    parallel = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), RATE)
    writers = []
    if log_dir:
        writers.append(Writer(os.path.join(log_dir, f"rank{task}"), flush_secs=0.1))
        if task == 0:
            writers.append(Writer(os.path.join(log_dir, "train"), flush_secs=0.1))
    xs, ys = (torch.tensor(part).split(BATCH // 2) for part in half(task))
    for step in range(EPOCHS * STEPS):
        if mode == f"{task} dies" and step == 9:
            die()
        outputs = parallel(xs[step % STEPS])
        data_loss = torch.mean((outputs - ys[step % STEPS]) ** 2)
        penalties = {
            "hidden/kernel": L2 * torch.sum(hidden.weight**2),
            "out/activity": L1 * torch.mean(torch.abs(outputs)),
        }
        loss = data_loss + sum(penalties.values())
        for writer in writers:
            writer.write(step, data_loss.item(), penalties, loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for writer in writers:
        writer.close()
    return "".join(w.detach().numpy().tobytes().hex() for w in model.parameters())


PROGRAMS = {f.__name__: f for f in (multi_worker, data_parallel, distributed_data_parallel)}


def main() -> None:
    """Runs a program; prints what it returns, and its warnings of ours, as JSON."""
    program, task, ports, log_dir, mode = sys.argv[1:]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = PROGRAMS[program](int(task), ports.split(","), log_dir, mode)
    said = [str(w.message) for w in caught if "tb_regplugin" in str(w.message)]
    print(json.dumps([result, said]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
