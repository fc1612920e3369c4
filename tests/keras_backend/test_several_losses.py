"""Steps with several optimisers: each loss is a recording, named by what it trains.

Shapes of programs from outside, re-typed: https://keras.io/examples/generative/dcgan_overriding_train_step,
https://keras.io/examples/generative/wgan_gp (two critic steps, a gradient penalty) and adversarial
autoencoders, whose encoder is trained by two losses.
"""

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from tb_regplugin import RegularizationCallback, load
from tb_regplugin.command_line import main

_BACKEND = keras.config.backend()
pytestmark = pytest.mark.skipif(_BACKEND == "jax", reason="gradients are a function's there")

BATCH, STEPS, LATENT = 8, 7, 3
_random = np.random.RandomState(1)
REAL = _random.randn(BATCH * STEPS, 4).astype("float32")
NOISE = _random.randn(BATCH * STEPS, LATENT).astype("float32")
_MODES: dict[str, dict[str, Any]] = {"eager": {"run_eagerly": True}}
if _BACKEND == "tensorflow":
    _MODES |= {
        "function": {},
        "xla": {"jit_compile": True},
        "three steps an execution": {"steps_per_execution": 3},
    }


class Gan(keras.Model):
    """A generator and a critic, with L2 in both, each with a loss and an optimiser of its own."""

    critic_steps = 1
    slope = 0.0

    def __init__(self) -> None:
        super().__init__()
        l2 = keras.regularizers.L2
        self.generator = keras.Sequential(
            [keras.Input((LATENT,)), layers.Dense(4, kernel_regularizer=l2(0.01), name="g")],
            name="generator",
        )
        self.critic = keras.Sequential(
            [
                keras.Input((4,)),
                layers.Dense(5, activation="tanh", kernel_regularizer=l2(0.02), name="c"),
                layers.Dense(1),
            ],
            name="critic",
        )
        # It is called by its parts alone.
        self.built = True
        # What a run without recording has seen: the last losses of each step.
        self.seen: list[Any] = []
        self.logged = self.add_weight(shape=(2,), initializer="zeros", trainable=False)

    def compile(self, critic: Any, generator: Any, **options: Any) -> None:
        """Takes two optimisers."""
        super().compile(**options)
        self.of_critic, self.of_generator = critic, generator

    def critic_loss(self, real: Any, noise: Any) -> Any:
        """Returns the critic's loss, with its own penalties."""
        fake = self.generator(noise, training=True)
        loss = ops.mean(self.critic(fake)) - ops.mean(self.critic(real))
        return loss + sum(self.critic.losses)

    def generator_loss(self, real: Any, noise: Any) -> Any:
        """Returns the generator's loss, with its own penalties."""
        fake = self.generator(noise, training=True)
        return -ops.mean(self.critic(fake)) + sum(self.generator.losses)

    def train_step(self, data: Any) -> Any:
        """Trains one after the other."""
        real, noise = data
        losses = []
        for _ in range(self.critic_steps):
            losses = [self.update(self.critic, self.of_critic, self.critic_loss, real, noise)]
        losses += [self.update(self.generator, self.of_generator, self.generator_loss, real, noise)]
        self.logged.assign(ops.stack([ops.convert_to_tensor(loss) for loss in losses]))
        return {"loss": losses[0]}

    def update(self, network: Any, optimizer: Any, loss_of: Any, *data: Any) -> Any:
        """Updates a network by the gradient of a loss, which it returns."""
        variables = network.trainable_variables
        if _BACKEND == "torch":
            import torch

            self.zero_grad()
            loss = loss_of(*data)
            loss.backward()
            gradients = [variable.value.grad for variable in variables]
            with torch.no_grad():
                optimizer.apply(gradients, variables)
            return loss.detach()
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = loss_of(*data)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss


class Wasserstein(Gan):
    """Two critic steps, and a penalty on the critic's slope."""

    critic_steps = 2

    def critic_loss(self, real: Any, noise: Any) -> Any:
        """Adds the slope's penalty."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(real)
            answer = self.critic(real)
        slope = ops.sum(ops.square(tape.gradient(answer, real)), axis=1)
        return super().critic_loss(real, noise) + 10.0 * ops.mean(ops.square(slope - 1.0))


class _Log(keras.callbacks.Callback):
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.model.seen.append(ops.convert_to_numpy(self.model.logged))


def _trained(cls: type[Gan], mode: str, *callbacks: Any) -> Any:
    keras.utils.set_random_seed(5)
    model = cls()
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.Adam(0.1), **_MODES[mode])
    model.fit(REAL, NOISE, batch_size=BATCH, shuffle=False, verbose=0, callbacks=list(callbacks))
    return model


_PROGRAMS = [Gan] + [Wasserstein] * (_BACKEND == "tensorflow")


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("cls", _PROGRAMS)
def test_each_loss_of_a_gan_is_a_recording_named_by_what_it_trains(
    cls: Any, mode: str, log_dir: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its own penalties, no word of the other's, and weights that are bit-equal."""
    plain = _trained(cls, mode, _Log())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = _trained(cls, mode, RegularizationCallback(log_dir))
    assert not [each for each in caught if "tb_regplugin" in str(each.message)]
    for one, other in zip(plain.get_weights(), model.get_weights(), strict=True):
        assert one.tobytes() == other.tobytes()
    expected = np.array(plain.seen)
    for number, (name, kernel) in enumerate((("critic", "c/kernel"), ("generator", "g/kernel"))):
        recorded = load(log_dir, name=name)["train"]
        assert recorded.steps.tolist() == list(range(STEPS))
        total, *parts = recorded.columns
        assert total.role == "total"
        assert (str(cls.critic_steps) in str(total.note)) == (
            name == "critic" and cls.critic_steps > 1
        )
        last_in_execution = slice(2, None, 3) if "three" in mode else slice(None)
        np.testing.assert_allclose(
            recorded.values[last_in_execution, 0],
            expected[: STEPS // 3 if "three" in mode else STEPS, number],
            rtol=2e-6,
        )
        names = [term.name for term in parts if term.role in ("penalty", "inside")]
        (named,) = [each for each in names if each.endswith("/kernel")]
        assert named.endswith(kernel)
    assert set(load(log_dir)) == set()
    main(["check", log_dir])
    told = capsys.readouterr().out
    assert "not_in_loss" not in told
    assert "does_not_add_up" not in told
    assert "regularizer_without_effect" not in told


class Autoencoder(keras.Model):
    """An encoder that two losses train: one with the decoder, one against a critic."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = keras.Sequential([keras.Input((4,)), layers.Dense(2)], name="encoder")
        self.decoder = keras.Sequential([keras.Input((2,)), layers.Dense(4)], name="decoder")
        self.critic = keras.Sequential([keras.Input((2,)), layers.Dense(1)], name="critic")
        self.optimizers = [keras.optimizers.SGD(0.1) for _ in range(2)]

    def train_step(self, data: Any) -> Any:
        """Trains both together, then the encoder alone."""
        import tensorflow as tf

        x, _ = data
        both = self.encoder.trainable_variables + self.decoder.trainable_variables
        with tf.GradientTape(persistent=True) as tape:
            code = self.encoder(x, training=True)
            reconstruction = ops.mean(ops.square(self.decoder(code) - x))
            adversarial = -ops.mean(self.critic(code))
        self.optimizers[0].apply(tape.gradient(reconstruction, both), both)
        alone = self.encoder.trainable_variables
        self.optimizers[1].apply(tape.gradient(adversarial, alone), alone)
        return {"loss": reconstruction}


@pytest.mark.skipif(_BACKEND != "tensorflow", reason="only TensorFlow has gradient tapes")
@pytest.mark.parametrize("mode", _MODES)
def test_a_loss_that_trains_several_parts_has_the_names_of_all(mode: str, log_dir: str) -> None:
    """In their order."""
    keras.utils.set_random_seed(5)
    model = Autoencoder()
    model.compile(**_MODES[mode])
    x = REAL[:BATCH].astype("float64")
    (w, b, v, c, u, a) = (each.astype("float64") for each in model.get_weights())
    callback = RegularizationCallback(log_dir)
    model.fit(REAL, REAL, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[callback])
    code = x @ w + b
    first = {
        "encoder and decoder": np.mean((code @ v + c - x) ** 2),
        "encoder": -np.mean(code @ u + a),
    }
    for name, loss in first.items():
        recorded = load(Path(log_dir), name=name)["train"]
        np.testing.assert_allclose(recorded.values[0, 0], loss, rtol=2e-6)
