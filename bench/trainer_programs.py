"""Small trainings with trainers from PyPI, each logging to TensorBoard as its documentation shows.

Each function trains for seconds, writes event files below a directory, and returns what its losses
are made of by the trainer's source: it was written down before the rules were asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Arrays = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


class Truth(NamedTuple):
    """What one loss of a run is made of.

    Attributes:
      run: The run.
      total: The total's tag; None where it isn't logged.
      parts: The parts' tags, each with its weight.
      is_asked: Whether a rule has to find it; if not, it may.
    """

    run: str
    total: str | None
    parts: Mapping[str, float]
    is_asked: bool = True


def keras_outputs(directory: Path) -> list[Truth]:
    """Keras 3, two outputs with weights, and an L2 penalty that has no tag of its own.

    keras/src/trainers/compile_utils.py: "Record *unweighted* individual losses".
    """
    import keras

    return _two_outputs(keras, directory)


def tf_keras_outputs(directory: Path) -> list[Truth]:
    """The same with Keras 2: tf_keras/src/engine/compile_utils.py."""
    import tf_keras

    return _two_outputs(tf_keras, directory)


def _two_outputs(keras: Any, directory: Path) -> list[Truth]:
    x, y = _data()
    inputs = keras.Input((8,))
    hidden = keras.layers.Dense(16, activation="relu", kernel_regularizer="l2")(inputs)
    outputs = [keras.layers.Dense(1, name=name)(hidden) for name in ("price", "risk")]
    model = keras.Model(inputs, outputs)
    model.compile(
        optimizer="adam",
        loss={"price": "mse", "risk": "mae"},
        loss_weights={"price": 1.0, "risk": 0.5},
        metrics={"price": ["mae"], "risk": ["mse"]},
    )
    logging = keras.callbacks.TensorBoard(
        str(directory), update_freq="batch", write_steps_per_second=True
    )
    targets = {"price": y, "risk": y}
    model.fit(
        x, targets, batch_size=32, epochs=15, validation_split=0.25, callbacks=[logging], verbose=0
    )
    tags = [
        ("train", "epoch_{}"),
        ("train", "batch_{}"),
        ("validation", "epoch_{}"),
        ("validation", "evaluation_{}_vs_iterations"),
    ]
    return [
        Truth(
            run,
            tag.format("loss"),
            {tag.format("price_loss"): 1.0, tag.format("risk_loss"): 0.5},
        )
        for run, tag in tags
    ]


def keras_vae(directory: Path) -> list[Truth]:
    """keras.io/examples/generative/vae: three trackers; here with a weight of 0.25 for the KL."""
    import keras
    import tensorflow as tf

    class Autoencoder(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = keras.layers.Dense(4)
            self.decoder = keras.layers.Dense(8)
            self.trackers = {
                name: keras.metrics.Mean(name=name)
                for name in ("total_loss", "reconstruction_loss", "kl_loss")
            }

        @property
        def metrics(self) -> list[Any]:
            return list(self.trackers.values())

        def train_step(self, data: Any) -> dict[str, Any]:
            with tf.GradientTape() as tape:
                mean, log_var = tf.split(self.encoder(data), 2, axis=1)
                z = mean + tf.exp(0.5 * log_var) * tf.random.normal(tf.shape(mean))
                reconstruction = tf.reduce_mean(tf.square(data - self.decoder(z)))
                kl = -0.5 * tf.reduce_mean(1 + log_var - tf.square(mean) - tf.exp(log_var))
                losses = (reconstruction + 0.25 * kl, reconstruction, kl)
            gradients = tape.gradient(losses[0], self.trainable_weights)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
            for tracker, loss in zip(self.metrics, losses, strict=True):
                tracker.update_state(loss)
            return {name: tracker.result() for name, tracker in self.trackers.items()}

    model = Autoencoder()
    model.compile(optimizer="adam")
    logging = keras.callbacks.TensorBoard(str(directory))
    model.fit(_data()[0], batch_size=32, epochs=20, callbacks=[logging], verbose=0)
    parts = {"epoch_reconstruction_loss": 1.0, "epoch_kl_loss": 0.25}
    return [Truth("train", "epoch_total_loss", parts)]


def slim(directory: Path) -> list[Truth]:
    """tf_slim's learning.train, with the summaries of losses of its walkthrough."""
    import tensorflow.compat.v1 as tf
    import tf_slim

    tf.disable_v2_behavior()
    x, y = _data()
    hidden = tf_slim.fully_connected(
        tf.constant(x), 16, weights_regularizer=tf_slim.l2_regularizer(0.01)
    )
    data_losses = [
        tf.losses.mean_squared_error(y, tf_slim.fully_connected(hidden, 1, activation_fn=None)),
        tf.losses.huber_loss(y, tf_slim.fully_connected(hidden, 1, activation_fn=None)),
    ]
    names = ["losses/mean_squared_error", "losses/huber", "losses/regularization"]
    losses = [*data_losses, tf.losses.get_regularization_loss()]
    total = tf.losses.get_total_loss()
    for name, loss in zip([*names, "losses/total"], [*losses, total], strict=True):
        tf.summary.scalar(name, loss)
    train = tf_slim.learning.create_train_op(total, tf.train.AdamOptimizer(0.01))
    # A summary for each second: steps of a twentieth.
    tf_slim.learning.train(
        train, str(directory), number_of_steps=300, save_summaries_secs=1, log_every_n_steps=100,
        train_step_fn=_slowly(tf_slim.learning.train_step),
    )  # fmt: skip
    return [Truth(".", "losses/total", dict.fromkeys(names, 1.0))]


def _slowly(step: Callable[..., Any]) -> Callable[..., Any]:
    import time

    def slow(*arguments: Any) -> Any:
        time.sleep(0.05)
        return step(*arguments)

    return slow


def lightning_autoencoder(directory: Path) -> list[Truth]:
    """Lightning: a VAE that logs its loss and parts, by step and by epoch."""
    import lightning
    import torch

    class Autoencoder(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.decoder = torch.nn.Linear(8, 4), torch.nn.Linear(2, 8)

        def losses(self, batch: Any, split: str) -> Any:
            mean, log_var = self.encoder(batch[0]).chunk(2, dim=1)
            z = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
            recon = torch.nn.functional.mse_loss(self.decoder(z), batch[0])
            kl = -0.5 * (1 + log_var - mean**2 - log_var.exp()).sum(1).mean()
            logged = {"loss": recon + 0.1 * kl, "recon_loss": recon, "kl": kl}
            each_step = split == "train"
            named = {f"{split}/{name}": loss for name, loss in logged.items()}
            self.log_dict(named, on_step=each_step, on_epoch=True)
            return logged["loss"]

        def training_step(self, batch: Any, _: int) -> Any:
            return self.losses(batch, "train")

        def validation_step(self, batch: Any, _: int) -> None:
            self.losses(batch, "val")

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), lr=1e-2)

    _fit_lightning(Autoencoder(), directory, epochs=12)
    return [
        Truth(".", f"{split}/loss{end}", {f"{split}/recon_loss{end}": 1.0, f"{split}/kl{end}": 0.1})
        for split, end in (("train", "_step"), ("train", "_epoch"), ("val", ""))
    ]


def lightning_game(directory: Path) -> list[Truth]:
    """Lightning, two optimisers by hand: the loss of one is made of two logged ones."""
    import lightning
    import torch

    class Game(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.automatic_optimization = False
            self.generator, self.discriminator = torch.nn.Linear(2, 8), torch.nn.Linear(8, 1)

        def training_step(self, batch: Any, _: int) -> None:
            judge = torch.nn.functional.binary_cross_entropy_with_logits
            x, ones = batch[0], torch.ones(len(batch[0]), 1)
            first, second = self.optimizers()
            g_loss = judge(self.discriminator(self.generator(torch.randn(len(x), 2))), ones)
            first.zero_grad()
            self.manual_backward(g_loss)
            first.step()
            fake = self.generator(torch.randn(len(x), 2)).detach()
            d_real, d_fake = (
                judge(self.discriminator(x), ones),
                judge(self.discriminator(fake), 0 * ones),
            )
            second.zero_grad()
            self.manual_backward(d_real + d_fake)
            second.step()
            losses = {"d_loss": d_real + d_fake, "d_loss_real": d_real, "d_loss_fake": d_fake}
            self.log_dict({"g_loss": g_loss, **losses})

        def configure_optimizers(self) -> Any:
            both = (self.generator, self.discriminator)
            return [torch.optim.Adam(each.parameters()) for each in both], []

    _fit_lightning(Game(), directory, epochs=12)
    return [Truth(".", "d_loss", {"d_loss_real": 1.0, "d_loss_fake": 1.0})]


def _fit_lightning(module: Any, directory: Path, epochs: int) -> None:
    import lightning
    import torch
    from lightning.pytorch.loggers import TensorBoardLogger
    from torch.utils.data import DataLoader, TensorDataset

    loader = DataLoader(TensorDataset(torch.as_tensor(_data()[0])), batch_size=32)
    logger = TensorBoardLogger(directory.parent, name=directory.name, version="")
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", logger=logger, log_every_n_steps=4,
        enable_progress_bar=False, enable_checkpointing=False,
    )  # fmt: skip
    has_validation = "validation_step" in type(module).__dict__
    trainer.fit(module, loader, loader if has_validation else None)


def ignite(directory: Path) -> list[Truth]:
    """PyTorch Ignite: a step that returns its losses, written by TensorboardLogger."""
    import torch
    from ignite.contrib.handlers import TensorboardLogger
    from ignite.engine import Engine, Events

    x, y = map(torch.as_tensor, _data())
    model = torch.nn.Linear(8, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

    def step(_: Any, rows: Any) -> dict[str, float]:
        mse = torch.nn.functional.mse_loss(model(x[rows]), y[rows])
        l1_penalty = 0.02 * model.weight.abs().sum()
        optimizer.zero_grad()
        (mse + l1_penalty).backward()
        optimizer.step()
        losses = {"loss": mse + l1_penalty, "mse_loss": mse, "l1_penalty": l1_penalty}
        return {name: loss.item() for name, loss in losses.items()}

    engine = Engine(step)
    with TensorboardLogger(log_dir=str(directory)) as logger:
        logger.attach_output_handler(
            engine, Events.ITERATION_COMPLETED(every=2), tag="training", output_transform=dict
        )
        engine.run(torch.arange(len(x)).split(32), max_epochs=10)
    parts = dict.fromkeys(["training/mse_loss", "training/l1_penalty"], 1.0)
    return [Truth(".", "training/loss", parts)]


def ppo(directory: Path) -> list[Truth]:
    """stable-baselines3, ppo/ppo.py: ``loss`` is the last minibatch's, its parts are means."""
    _reinforce("PPO", directory, n_steps=128, ent_coef=0.01)
    parts = {"policy_gradient_loss": 1.0, "value_loss": 0.5, "entropy_loss": 0.01}
    return [Truth("PPO_1", "train/loss", {f"train/{name}": each for name, each in parts.items()})]


def a2c(directory: Path) -> list[Truth]:
    """stable-baselines3, a2c/a2c.py: no total is logged; 0.5 is ``vf_coef``."""
    _reinforce("A2C", directory, n_steps=8)
    parts = {"train/policy_loss": 1.0, "train/value_loss": 0.5, "train/entropy_loss": 0.0}
    return [Truth("A2C_1", None, parts)]


def sac(directory: Path) -> list[Truth]:
    """stable-baselines3, sac/sac.py: an optimiser for each loss, none is made of others."""
    _reinforce("SAC", directory, task="Pendulum-v1", steps=800)
    return []


def _reinforce(
    name: str, directory: Path, task: str = "CartPole-v1", steps: int = 2_000, **options: Any
) -> None:
    import stable_baselines3

    algorithm = getattr(stable_baselines3, name)
    model = algorithm("MlpPolicy", task, tensorboard_log=str(directory), **options)
    model.learn(steps, log_interval=1)


def _data() -> Arrays:
    random = np.random.default_rng(0)
    x = random.normal(size=(256, 8)).astype(np.float32)
    return x, (x[:, :1] * 2 + random.normal(size=(256, 1))).astype(np.float32)


PROGRAMS: Sequence[Callable[[Path], list[Truth]]] = (
    keras_outputs, tf_keras_outputs, keras_vae, slim, lightning_autoencoder, lightning_game,
    ignite, ppo, a2c, sac,
)  # fmt: skip
