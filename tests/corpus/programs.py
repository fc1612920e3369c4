"""Graphs built in the ways of the question "How to add regularizations in TensorFlow?".

Each function builds a loss in the graph that is the default, and returns it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

tf1 = tf.compat.v1
REGULARIZATION_LOSSES = tf1.GraphKeys.REGULARIZATION_LOSSES


class Program(NamedTuple):
    """A loss, and the codes of what is wrong with it."""

    build: Callable[[], Any]
    expected: tuple[str, ...]


PROGRAMS: dict[str, Program] = {}


def program(*expected: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Adds a program to the corpus."""

    def add(build: Callable[[], Any]) -> Callable[[], Any]:
        PROGRAMS[build.__name__] = Program(build, expected)
        return build

    return add


def l2(strength: float) -> Callable[[Any], Any]:
    """Returns slim's l2_regularizer, as it is written there."""
    return lambda w: tf.multiply(
        tf.constant(strength), tf.nn.l2_loss(w), name="Regularizer/l2_regularizer"
    )


def l1(strength: float) -> Callable[[Any], Any]:
    """Returns slim's l1_regularizer."""
    return lambda w: tf.multiply(
        tf.constant(strength), tf.reduce_sum(tf.abs(w)), name="Regularizer/l1_regularizer"
    )


def network(
    regularizer: Any = None, *, scope: str = "net", layers: int = 2, with_biases: bool = True
) -> Any:
    """Returns the data loss of a small network, whose kernels have a regulariser."""
    x = tf1.placeholder(tf.float32, [None, 4])
    with tf1.variable_scope(scope):
        for i in range(layers):
            zeros = tf1.zeros_initializer()
            x = tf.matmul(x, tf1.get_variable(f"w{i}", [4, 4], tf.float32, zeros, regularizer))
            if with_biases:
                x += tf1.get_variable(f"b{i}", [4], tf.float32, zeros)
            x = tf.tanh(x)
    labels = tf1.placeholder(tf.int32, [None])
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=x))


def kernels() -> list[Any]:
    """Returns the variables with two dimensions."""
    return [v for v in tf1.trainable_variables() if v.shape.rank == 2]


# Right: each penalty is in the loss once, as it was written.


@program()
def no_penalties() -> Any:
    return network()


@program()
def add_n_of_the_collection() -> Any:
    loss = network(l2(0.1))
    return loss + tf.add_n(tf1.get_collection(REGULARIZATION_LOSSES))


@program()
def sum_of_the_collection() -> Any:
    loss = network(l2(0.1))
    return loss + sum(tf1.losses.get_regularization_losses())


@program()
def reduce_sum_of_the_collection() -> Any:
    loss = network(l1(0.1))
    return loss + tf.reduce_sum(tf1.get_collection(REGULARIZATION_LOSSES))


@program()
def get_regularization_loss() -> Any:
    loss = network(l2(0.1))
    return loss + tf1.losses.get_regularization_loss()


@program()
def get_total_loss() -> Any:
    tf1.losses.add_loss(network(l2(0.1)))
    return tf1.losses.get_total_loss()


@program()
def strength_one_times_a_constant() -> Any:
    loss = network(l2(1.0))
    return loss + 0.01 * sum(tf1.get_collection(REGULARIZATION_LOSSES))


@program()
def regularizer_of_a_variable_scope() -> Any:
    with tf1.variable_scope("outer", regularizer=l2(0.1)):
        loss = network()
    return loss + tf.add_n(tf1.losses.get_regularization_losses())


@program()
def shared_variables() -> Any:
    with tf1.variable_scope("tower", reuse=tf1.AUTO_REUSE, regularizer=l2(0.1)):
        loss = network() + network()
    return loss + tf.add_n(tf1.losses.get_regularization_losses())


@program()
def the_whole_loss_scaled() -> Any:
    loss = network(l2(0.1))
    return 1024.0 * (loss + tf1.losses.get_regularization_loss())


@program()
def the_mean_over_towers() -> Any:
    with tf1.variable_scope("tower", reuse=tf1.AUTO_REUSE, regularizer=l2(0.1)):
        towers = [network(), network()]
    penalty = tf.add_n(tf1.losses.get_regularization_losses())
    return tf.add_n([loss + penalty for loss in towers]) / 2.0


@program()
def a_schedule_of_the_strength() -> Any:
    loss = network(l2(0.1))
    warm_up = tf1.get_variable("warm_up", [], trainable=False)
    return loss + warm_up * tf1.losses.get_regularization_loss()


@program()
def two_networks_with_a_loss_each() -> Any:
    network(l2(0.1), scope="discriminator")
    loss = network(l2(0.1), scope="generator")
    return loss + tf.add_n(tf1.losses.get_regularization_losses(scope="generator"))


def adversaries(*, with_training: bool, forgets: bool = False) -> tuple[Any, Any]:
    """Returns the losses of a critic and of a generator, whose fakes are in both.

    As in https://github.com/tensorflow/tensorflow/issues/16158.
    """
    z = tf1.placeholder(tf.float32, [None, 2])
    generator = tf1.get_variable("generator/w", [2, 4], regularizer=l2(0.1))
    critic = tf1.get_variable("critic/w", [4, 1], regularizer=l2(0.1))
    fakes = tf.reduce_mean(z @ generator @ critic)
    reals = tf.reduce_mean(tf1.placeholder(tf.float32, [None, 4]) @ critic)
    losses = [fakes - reals + tf1.losses.get_regularization_loss(scope="critic"), -fakes]
    if not forgets:
        losses[1] += tf1.losses.get_regularization_loss(scope="generator")
    if with_training:
        for loss, variable in zip(losses, (critic, generator), strict=True):
            tf1.train.AdamOptimizer().minimize(loss, var_list=[variable])
    return losses[0], losses[1]


@program()
def a_critic_whose_fakes_have_a_penalised_generator() -> Any:
    return adversaries(with_training=False)[0]


@program()
def a_critic_that_is_trained_beside_its_generator() -> Any:
    return adversaries(with_training=True)[0]


@program()
def a_generator_that_is_trained_beside_its_critic() -> Any:
    return adversaries(with_training=True)[1]


@program()
def a_critic_whose_generator_forgets_its_penalty() -> Any:
    return adversaries(with_training=True, forgets=True)[0]


@program()
def a_trunk_whose_penalty_another_task_has() -> Any:
    with tf1.variable_scope("trunk", reuse=tf1.AUTO_REUSE):
        one, other = network(l2(0.1), scope=""), network(l2(0.1), scope="")
    one += tf1.losses.get_regularization_loss()
    for loss in (one, other):
        tf1.train.GradientDescentOptimizer(0.1).minimize(loss)
    return other


@program()
def an_activity_penalty_collected_and_added() -> Any:
    x = tf1.placeholder(tf.float32, [None, 4])
    activation = tf.nn.relu(tf.matmul(x, tf1.get_variable("w", [4, 4])))
    tf1.add_to_collection(REGULARIZATION_LOSSES, 0.01 * tf.reduce_sum(tf.abs(activation)))
    return tf.reduce_mean(activation) + tf1.losses.get_regularization_loss()


@program()
def l1_and_l2_of_one_variable() -> Any:
    loss = network(lambda w: l1(0.1)(w) + l2(0.2)(w))
    return loss + tf1.losses.get_regularization_loss()


@program()
def a_regularizer_applied_by_hand_and_collected() -> Any:
    loss = network()
    for kernel in kernels():
        tf1.add_to_collection(REGULARIZATION_LOSSES, l2(0.1)(kernel))
    return loss + tf1.losses.get_regularization_loss()


@program()
def the_root_of_the_penalties() -> Any:
    loss = network(l2(0.1))
    return loss + tf.sqrt(tf1.losses.get_regularization_loss())


@program()
def a_layer_that_the_loss_does_not_use() -> Any:
    tf1.get_variable("orphan", [4, 4], regularizer=l2(0.1))
    loss = network(l2(0.1))
    return loss + tf.add_n(tf1.losses.get_regularization_losses(scope="net"))


@program()
def the_mean_of_data_and_penalty() -> Any:
    loss = network(l2(0.1))
    return tf.reduce_mean(tf.stack([loss, tf1.losses.get_regularization_loss()]))


@program("uncollected_penalty")
def weight_decay_by_hand() -> Any:
    loss = network()
    return loss + 0.0005 * tf.add_n([tf.nn.l2_loss(v) for v in tf1.trainable_variables()])


@program("uncollected_penalty")
def weight_decay_by_hand_without_biases() -> Any:
    loss = network()
    return loss + tf.add_n([0.01 * tf.reduce_sum(tf.square(kernel)) for kernel in kernels()])


# Wrong.


@program("not_in_loss")
def never_added() -> Any:
    return network(l2(0.1))


@program("not_in_loss")
def only_the_first_added() -> Any:
    loss = network(l2(0.1))
    return loss + tf1.losses.get_regularization_losses()[0]


@program("not_in_loss")
def a_regression_that_forgets_its_penalty() -> Any:
    w = tf1.get_variable("w", [3, 1], regularizer=l1(0.1))
    x, y = (tf1.placeholder(tf.float32, [None, size]) for size in (3, 1))
    return tf.reduce_mean(tf.square(tf.matmul(x, w) - y))


@program("not_in_loss")
def collected_by_hand_and_never_added() -> Any:
    loss = network()
    for kernel in kernels():
        tf1.add_to_collection(REGULARIZATION_LOSSES, l2(0.1)(kernel))
    return loss


@program("not_in_loss")
def added_in_another_variable_of_the_program() -> Any:
    loss = network(l2(0.1))
    total = loss + tf1.losses.get_regularization_loss()
    del total
    return loss


@program("not_in_loss")
def the_penalties_of_another_scope() -> Any:
    loss = network(l2(0.1), scope="a") + network(l2(0.1), scope="b")
    return loss + tf.add_n(tf1.losses.get_regularization_losses(scope="a"))


@program("not_in_loss")
def a_generator_that_forgets_its_penalty() -> Any:
    return adversaries(with_training=True, forgets=True)[1]


@program("not_in_loss")
def trained_without_the_penalties_that_are_shown() -> Any:
    loss = network(l2(0.1))
    tf1.summary.scalar("total", 2.0 * loss + tf1.losses.get_regularization_loss())
    tf1.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
    return loss


@program("not_in_loss")
def collected_with_an_activity_penalty_and_never_added() -> Any:
    loss = network(l2(0.1))
    tf1.add_to_collection(REGULARIZATION_LOSSES, 0.01 * tf.reduce_mean(kernels()[0]) * loss)
    tf1.losses.get_regularization_loss()
    return loss


@program("scaled_again")
def a_strength_times_a_constant() -> Any:
    loss = network(l2(0.1))
    return loss + 0.01 * sum(tf1.get_collection(REGULARIZATION_LOSSES))


@program("scaled_again")
def the_mean_of_the_penalties() -> Any:
    loss = network(l2(0.1))
    return loss + tf.reduce_mean(tf1.get_collection(REGULARIZATION_LOSSES))


@program("scaled_again")
def divided_by_the_batch_size() -> Any:
    loss = network(l2(0.1))
    return loss + tf1.losses.get_regularization_loss() / 32.0


@program("scaled_again")
def subtracted() -> Any:
    loss = network(l2(0.1))
    return loss - tf1.losses.get_regularization_loss()


@program("scaled_again", "not_in_loss")
def one_scaled_and_one_forgotten() -> Any:
    loss = network(l2(0.1))
    return loss + 0.5 * tf1.losses.get_regularization_losses()[0]


@program("counted_twice")
def total_loss_and_regularization_loss() -> Any:
    tf1.losses.add_loss(network(l2(0.1)))
    return tf1.losses.get_total_loss() + tf1.losses.get_regularization_loss()


@program("counted_twice")
def added_in_two_places() -> Any:
    loss = network(l2(0.1))
    penalty = tf1.losses.get_regularization_loss()
    return (loss + penalty) + penalty


@program("counted_twice")
def added_again_scaled() -> Any:
    loss = network(l2(0.1)) + sum(tf1.losses.get_regularization_losses())
    return loss + 0.01 * sum(tf1.losses.get_regularization_losses())


@program("raw_variable")
def a_variable_collected() -> Any:
    loss = network()
    tf1.add_to_collection(REGULARIZATION_LOSSES, kernels()[0])
    return loss + tf.reduce_sum(tf1.losses.get_regularization_losses()[0])


@program("raw_variable")
def variables_collected_and_added() -> Any:
    loss = network()
    for kernel in kernels():
        tf1.add_to_collection(REGULARIZATION_LOSSES, kernel)
    return loss + tf.add_n(tf1.losses.get_regularization_losses())


@program("raw_variable", "not_in_loss")
def a_variable_collected_and_penalties_forgotten() -> Any:
    loss = network(l2(0.1))
    tf1.add_to_collection(REGULARIZATION_LOSSES, tf1.trainable_variables()[1])
    return loss


@program("penalty_of_penalty")
def a_regularizer_applied_to_penalties() -> Any:
    loss = network(l2(0.1))
    penalty = tf.add_n([l2(0.1)(p) for p in tf1.losses.get_regularization_losses()])
    tf1.add_to_collection(REGULARIZATION_LOSSES, penalty)
    return loss + penalty


@program("penalty_of_penalty")
def a_regularizer_applied_to_penalties_and_all_added() -> Any:
    loss = network(l2(0.1))
    for penalty in tf1.losses.get_regularization_losses():
        tf1.add_to_collection(REGULARIZATION_LOSSES, l2(0.1)(penalty))
    return loss + tf1.losses.get_regularization_loss()


@program("duplicate_entry")
def collected_by_the_variable_and_by_hand() -> Any:
    loss = network(l2(0.1))
    for kernel in kernels():
        tf1.add_to_collection(REGULARIZATION_LOSSES, l2(0.1)(kernel))
    return loss + tf1.losses.get_regularization_loss()


@program("duplicate_entry")
def the_sum_of_the_penalties_collected_too() -> Any:
    loss = network(l2(0.1))
    tf1.add_to_collection(REGULARIZATION_LOSSES, tf1.losses.get_regularization_loss())
    return loss + tf1.losses.get_regularization_loss()


@program("uncollected_penalty")
def collected_and_by_hand_on_the_same_variables() -> Any:
    loss = network(l2(0.1)) + tf1.losses.get_regularization_loss()
    return loss + 0.0005 * tf.add_n([tf.nn.l2_loss(kernel) for kernel in kernels()])
