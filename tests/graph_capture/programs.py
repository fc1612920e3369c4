"""Programs with several kinds of session calls, and the loss of each call as NumPy has it."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tf_slim

import tb_regplugin
from tests.graph_capture.training import Weights, tf1

Formula = Callable[[Weights, Mapping[str, np.ndarray]], float]


class Call(NamedTuple):
    """A call of session.run: what it fetches and feeds, and the losses that it trains."""

    fetches: Any
    trains: tuple[str, ...] = ()
    feeds: Mapping[str, tf.Tensor] = {}


class Program(NamedTuple):
    """Losses with their formulas, and the calls of one round."""

    losses: Mapping[str, tuple[tf.Tensor, Formula]]
    calls: Iterable[Call]
    options: Mapping[str, Any] = {}


def batches(number: int) -> dict[str, np.ndarray]:
    """Returns the data of a call, whatever of it that feeds."""
    random = np.random.default_rng(number)
    shapes = {"x": (4, 3), "z": (4, 2), "y": (4, 1)}
    return {name: random.random(shape).astype(np.float32) for name, shape in shapes.items()}


def run(build: Callable[[], Program], log_dir: Path | None, rounds: int = 3) -> tuple[Any, Any]:
    """Trains; returns the true losses of each call that trains one, and the last weights."""
    with tf.Graph().as_default():
        tf1.set_random_seed(0)
        program = build()
        variables = {v.op.name: v for v in tf1.global_variables()}
        true: dict[str, list[float]] = {name: [] for name in program.losses}
        hooks = [
            tb_regplugin.RegularizationHook(log_dir / name, loss, **program.options)
            for name, (loss, _) in program.losses.items()
            if log_dir is not None
        ]
        with tf1.train.SingularMonitoredSession(hooks=hooks) as session:
            for number, call in enumerate(list(program.calls) * rounds):
                weights, batch = session.run(variables), batches(number)
                session.run(call.fetches, {t: batch[name] for name, t in call.feeds.items()})
                for name in call.trains:
                    true[name].append(program.losses[name][1](weights, batch))
            return true, session.run(variables)


def l2(w: Any) -> Any:
    """A penalty as slim's l2_regularizer(0.1)."""
    return 0.1 * tf.nn.l2_loss(w)


def half_squares(w: np.ndarray) -> float:
    """The same in NumPy."""
    return 0.05 * float(np.square(w.astype(np.float64)).sum())


class Networks:
    """A generator and a critic, linear both; some programs write their scores once for both."""

    def __init__(self, x: tf.Tensor | None = None) -> None:
        self.z = tf1.placeholder(tf.float32, [None, 2])
        self.x = tf1.placeholder(tf.float32, [None, 3]) if x is None else x
        self.generator = tf1.get_variable("G/w", [2, 3], regularizer=l2)
        self.critic = tf1.get_variable("D/w", [3, 1], regularizer=l2)
        self.fakes = tf.reduce_mean(self.z @ self.generator @ self.critic)
        self.reals = tf.reduce_mean(self.x @ self.critic)
        self.of_generator = tf1.losses.get_regularization_loss(scope="G")
        self.of_critic = tf1.losses.get_regularization_loss(scope="D")

    def minimize(self, loss: tf.Tensor, *variables: tf.Variable) -> tf.Operation:
        """Returns a step of gradient descent."""
        return tf1.train.GradientDescentOptimizer(0.1).minimize(loss, var_list=variables or None)


def fakes(w: Weights, batch: Mapping[str, np.ndarray]) -> float:
    """The mean score of what the generator makes."""
    return float(np.mean(batch["z"] @ w["G/w"] @ w["D/w"]))


def critic_loss(w: Weights, batch: Mapping[str, np.ndarray]) -> float:
    """The critic's loss."""
    reals = float(np.mean(batch["x"] @ w["D/w"]))
    return fakes(w, batch) - reals + half_squares(w["D/w"])


def generator_loss(w: Weights, batch: Mapping[str, np.ndarray]) -> float:
    """The generator's loss."""
    return half_squares(w["G/w"]) - fakes(w, batch)


def adversaries(*, shares_scores: bool, all_fed: bool, fetches_both: bool) -> Program:
    """Two critic steps to one of the generator, as in Wasserstein GANs.

    https://github.com/tensorflow/tensorflow/issues/13516, and the training loops of
    https://github.com/carpedm20/DCGAN-tensorflow.
    """
    n = Networks()
    d_loss = n.fakes - n.reals + n.of_critic
    again = n.fakes if shares_scores else tf.reduce_mean(n.z @ n.generator @ n.critic)
    g_loss = -again + n.of_generator
    d_train, g_train = n.minimize(d_loss, n.critic), n.minimize(g_loss, n.generator)
    clip = n.critic.assign(tf.clip_by_value(n.critic, -0.8, 0.8))
    everything = {"x": n.x, "z": n.z}
    g_feeds = everything if all_fed or fetches_both else {"z": n.z}
    g_fetches = [g_train, g_loss, d_loss] if fetches_both else g_train
    return Program(
        {"d": (d_loss, critic_loss), "g": (g_loss, generator_loss)},
        [
            Call(d_train, ("d",), everything),
            Call([d_train, d_loss], ("d",), everything),
            Call(clip),
            Call(g_fetches, ("g",), g_feeds),
        ],
    )


def an_iterator() -> Program:
    """As above, with the critic's batches from an iterator: a further batch would be noticed."""
    data = np.random.default_rng(9).random((64, 4, 3)).astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices(data)
    n = Networks(tf1.data.make_one_shot_iterator(dataset).get_next())
    d_loss, g_loss = n.fakes - n.reals + n.of_critic, n.of_generator - n.fakes
    count = iter(range(64))

    def with_the_next(w: Weights, batch: Mapping[str, np.ndarray]) -> float:
        return critic_loss(w, {**batch, "x": data[next(count)]})

    return Program(
        {"d": (d_loss, with_the_next), "g": (g_loss, generator_loss)},
        [
            Call(n.minimize(d_loss, n.critic), ("d",), {"z": n.z}),
            Call(n.minimize(g_loss, n.generator), ("g",), {"z": n.z}),
        ],
    )


def both_in_one_call() -> Program:
    """One call that trains both, as in pix2pix; the generator's step counts steps."""
    n = Networks()
    d_loss, g_loss = n.fakes - n.reals + n.of_critic, n.of_generator - n.fakes
    together = [n.minimize(d_loss, n.critic), n.minimize(g_loss, n.generator)]
    return Program(
        {"d": (d_loss, critic_loss), "g": (g_loss, generator_loss)},
        [Call(together, ("d", "g"), {"x": n.x, "z": n.z})],
    )


class Regression:
    """A linear regression."""

    def __init__(self) -> None:
        self.x = tf1.placeholder(tf.float32, [None, 3])
        self.y = tf1.placeholder(tf.float32, [None, 1])
        self.feeds = {"x": self.x, "y": self.y}
        self.w = tf1.get_variable("w", [3, 1], regularizer=l2)
        self.data = tf.reduce_mean((self.x @ self.w - self.y) ** 2)
        self.loss = self.data + tf1.losses.get_regularization_loss()
        self.losses = {"loss": (self.loss, regression_loss)}
        self.optimizer = tf1.train.MomentumOptimizer(0.1, 0.9)


def regression_loss(w: Weights, batch: Mapping[str, np.ndarray]) -> float:
    """Its loss."""
    return float(np.mean((batch["x"] @ w["w"] - batch["y"]) ** 2)) + half_squares(w["w"])


def weights_that_are_loaded() -> Program:
    """Weights set by hand, a target network, and evaluation: https://github.com/keras-rl/keras-rl.

    The regularised weights are read by an embedding lookup too.
    """
    r = Regression()
    target = tf1.get_variable("target", [3, 1])
    loading = r.w.assign(r.w * 0.5)
    looked_up = tf.nn.embedding_lookup(r.w, [0])
    step = tf1.train.get_or_create_global_step()
    train = r.optimizer.minimize(r.loss, global_step=step)
    return Program(
        r.losses,
        [
            Call([loading, looked_up]),
            Call([r.loss, loading], (), r.feeds),
            Call(train, ("loss",), r.feeds),
            Call(target.assign(r.w)),
            Call([r.loss, looked_up], (), r.feeds),
        ],
    )


def accumulated_gradients() -> Program:
    """Two batches to one update, in variables: https://github.com/google-research/bert/pull/568.

    The global step moves with the update alone.
    """
    r = Regression()
    ((gradient, _),) = r.optimizer.compute_gradients(r.loss)
    total = tf1.get_variable("total", [3, 1], initializer=tf1.zeros_initializer(), trainable=False)
    step = tf1.train.get_or_create_global_step()
    apply = r.optimizer.apply_gradients([(total / 2.0, r.w)], global_step=step)
    with tf.control_dependencies([apply]):
        apply_and_reset = total.assign(tf.zeros_like(total))
    add = Call(total.assign_add(gradient), ("loss",), r.feeds)
    return Program(r.losses, [add, add, Call(apply_and_reset)])


def pretraining_without_penalty() -> Program:
    """Some steps on the data loss alone, with the same data: they train another loss."""
    r = Regression()
    pretrain, train = r.optimizer.minimize(r.data), r.optimizer.minimize(r.loss)
    return Program(r.losses, [Call(pretrain, (), r.feeds), Call(train, ("loss",), r.feeds)])


def two_optimizers_of_one_loss() -> Program:
    """Each with variables of its own, in calls of their own, as in wide and deep models."""
    r = Regression()
    b = tf1.get_variable("b", [1], regularizer=l2)
    loss = tf.reduce_mean((r.x @ r.w + b - r.y) ** 2) + tf1.losses.get_regularization_loss()

    def formula(w: Weights, batch: Mapping[str, np.ndarray]) -> float:
        data = float(np.mean((batch["x"] @ w["w"] + w["b"] - batch["y"]) ** 2))
        return data + half_squares(w["w"]) + half_squares(w["b"])

    return Program(
        {"loss": (loss, formula)},
        [
            Call(r.optimizer.minimize(loss, var_list=[variable]), ("loss",), r.feeds)
            for variable in (r.w, b)
        ],
    )


def towers() -> Program:
    """The mean of two towers' gradients: tensorflow/models' cifar10_multi_gpu_train.py."""
    r = Regression()
    penalty = tf1.losses.get_regularization_loss()
    halves = [tf.reduce_mean((r.x[i::2] @ r.w - r.y[i::2]) ** 2) + penalty for i in (0, 1)]
    gradients = [r.optimizer.compute_gradients(half)[0][0] for half in halves]
    train = r.optimizer.apply_gradients([(tf.add_n(gradients) / 2.0, r.w)])
    loss = tf.add_n(halves) / 2.0
    return Program({"loss": (loss, regression_loss)}, [Call(train, ("loss",), r.feeds)])


def a_scaled_and_clipped_loss() -> Program:
    """Loss scaling and clipping by the global norm."""
    r = Regression()
    gradients, variables = zip(*r.optimizer.compute_gradients(r.loss * 128.0), strict=True)
    clipped, _ = tf.clip_by_global_norm([g / 128.0 for g in gradients], 1.0)
    train = r.optimizer.apply_gradients(zip(clipped, variables, strict=True))
    return Program(r.losses, [Call(train, ("loss",), r.feeds)])


def slim_learning() -> Program:
    """slim.learning.create_train_op: https://github.com/google-research/tf-slim."""
    r = Regression()
    train = tf_slim.learning.create_train_op(r.loss, r.optimizer)
    return Program(r.losses, [Call(train, ("loss",), r.feeds)])


def a_loss_that_is_added_up_again() -> Program:
    """The hook has the total of a second get_total_loss(), which are other operations."""
    r = Regression()
    tf1.losses.add_loss(r.data)
    train = r.optimizer.minimize(tf1.losses.get_total_loss())
    again = tf1.losses.get_total_loss()
    return Program({"loss": (again, regression_loss)}, [Call(train, ("loss",), r.feeds)])


def gradients_of_a_tape() -> Program:
    """Gradients by other means than tf.gradients; train_op says which call trains."""
    r = Regression()
    with tf.GradientTape() as tape:
        data = tf.reduce_mean((r.x @ r.w - r.y) ** 2)
        loss = data + l2(r.w)
    train = r.optimizer.apply_gradients([(tape.gradient(loss, r.w), r.w)])
    calls = [Call(r.w.assign(r.w * 0.9)), Call(train, ("loss",), r.feeds)]
    return Program({"loss": (loss, regression_loss)}, calls, {"train_op": [train]})


PROGRAMS = {
    f"adversaries {number}": lambda options=options: adversaries(**options)
    for number, options in enumerate(
        {"shares_scores": shares, "all_fed": fed, "fetches_both": both}
        for shares, fed, both in [(0, 0, 0), (0, 1, 0), (1, 1, 0), (1, 1, 1), (1, 0, 0)]
    )
} | {
    build.__name__: build
    for build in (
        an_iterator,
        both_in_one_call,
        weights_that_are_loaded,
        accumulated_gradients,
        pretraining_without_penalty,
        two_optimizers_of_one_loss,
        towers,
        a_scaled_and_clipped_loss,
        slim_learning,
        a_loss_that_is_added_up_again,
        gradients_of_a_tape,
    )
}
