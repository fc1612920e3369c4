"""Every way of regularising a TF1 graph, as one finds it in programs, recorded as it is."""

import os
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
import tf_slim

from tests.graph_capture.training import Expected, Weights, check, l1, l2, tf1, train

K = tf1.GraphKeys.REGULARIZATION_LOSSES
LEGACY = os.environ.get("TF_USE_LEGACY_KERAS") == "1"
only_legacy = pytest.mark.skipif(not LEGACY, reason="tf.compat.v1.layers needs Keras 2.")


def linear(*regularizers: object) -> tuple[tf.Tensor, dict[tf.Tensor, Callable[[], np.ndarray]]]:
    """Returns the squared error of a two-layer linear model with variables v1 and v2."""
    x = tf1.placeholder(tf.float32, [None, 3], name="x")
    first, second = (*regularizers, None, None)[:2]
    v1 = tf1.get_variable("v1", [3, 4], regularizer=first)
    v2 = tf1.get_variable("v2", [4, 1], regularizer=second)
    loss = tf.reduce_mean((x @ v1 @ v2 - 1.0) ** 2)
    return loss, {x: lambda: np.random.rand(8, 3).astype(np.float32)}


def linear_data(weights: Weights) -> float:
    """The squared error of that model, in NumPy."""
    return float(np.mean((weights["x"] @ weights["v1"] @ weights["v2"] - 1.0) ** 2))


def test_1_apply_regularization_to_two_variables(tmp_path: Path) -> None:
    """One scalar for two variables becomes a term for each."""
    data, feeds = linear()
    penalty = tf_slim.apply_regularization(tf_slim.l1_regularizer(0.1), tf1.trainable_variables())
    check(
        train(data + penalty, tmp_path, feeds),
        linear_data,
        {
            "v1": Expected("l1", 0.1, 0.1, "v1", l1(0.1, "v1")),
            "v2": Expected("l1", 0.1, 0.1, "v2", l1(0.1, "v2")),
        },
    )


@pytest.mark.parametrize(
    ("regularizer", "coefficient"),
    [
        (lambda: tf_slim.l2_regularizer(0.1), 0.05),
        (lambda: tf_keras.regularizers.L2(0.1), 0.1),
        (lambda: keras.regularizers.L2(0.1), 0.1),
    ],
    ids=["slim", "tf_keras", "keras"],
)
def test_2_a_variable_scope_with_a_regularizer(
    tmp_path: Path, regularizer: Callable[[], object], coefficient: float
) -> None:
    """The strength is the number that was written, whatever factor its library puts before it."""
    with tf1.variable_scope("net", regularizer=regularizer()):
        data, feeds = linear()
    loss = data + tf.add_n(tf1.get_collection(K))

    def data_by_formula(weights: Weights) -> float:
        x, v1, v2 = (weights[name] for name in ("net/x", "net/v1", "net/v2"))
        return float(np.mean((x @ v1 @ v2 - 1.0) ** 2))

    check(
        train(loss, tmp_path, feeds),
        data_by_formula,
        {
            name: Expected("l2", 0.1, coefficient, name, l2(coefficient, name))
            for name in ("net/v1", "net/v2")
        },
    )


def test_3_apply_regularization_to_the_collection(tmp_path: Path) -> None:
    """What is in the loss is the penalty of a penalty; the collected one is no summand of it."""
    regularizer = tf_slim.l2_regularizer(0.1)
    data, feeds = linear(regularizer)
    penalty = tf_slim.apply_regularization(regularizer, tf1.get_collection(K))
    training = train(data + penalty, tmp_path, feeds)
    roles = {column.role: column for column in training.recording.columns}
    assert (roles["inside"].name, roles["inside"].entry) == ("v1", "v1/Regularizer/l2_regularizer")
    assert roles["penalty"].name == "v1"
    inner = l2(0.05, "v1")
    outer = [0.05 * inner(weights) ** 2 for weights in training.weights]
    roles_in_order = [column.role for column in training.recording.columns]
    by_role = dict(zip(roles_in_order, training.recording.values.T, strict=True))
    np.testing.assert_allclose(by_role["penalty"], outer, rtol=2e-5)
    np.testing.assert_array_equal(by_role["total"], training.losses)
    assert (roles["penalty"].kind, roles["penalty"].variable) == ("custom", "v1")
    assert (roles["inside"].kind, roles["inside"].strength) == ("l2", 0.1)


def test_4_a_constant_times_the_sum_of_the_collection(tmp_path: Path) -> None:
    """The strength is the regulariser's; the coefficient has the constant in it."""
    data, feeds = linear(tf_slim.l2_regularizer(0.1), tf_slim.l1_regularizer(0.2))
    loss = data + 0.01 * sum(tf1.get_collection(K))
    check(
        train(loss, tmp_path, feeds),
        linear_data,
        {
            "v1": Expected("l2", 0.1, 0.0005, "v1", l2(0.0005, "v1")),
            "v2": Expected("l1", 0.2, 0.002, "v2", l1(0.002, "v2")),
        },
    )


@pytest.mark.parametrize("strength", [0.0001, 0.01, 1.0])
def test_5_easy_net(tmp_path: Path, strength: float) -> None:
    """The three terms of the network, under their variables' names and their own."""
    x = tf1.placeholder(tf.float32, [None, 4, 4], name="x")
    y = tf1.placeholder(tf.int64, [None], name="y")
    regularizer = tf_slim.l2_regularizer(scale=strength)
    with tf1.variable_scope("EasyNet"):
        net = tf_slim.flatten(x)
        for units, activation in ((8, tf.nn.relu), (8, tf.nn.relu), (10, None)):
            net = tf_slim.fully_connected(
                net, units, activation_fn=activation, weights_regularizer=regularizer
            )
    cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=net)
    reg_ws = tf1.get_collection(K, "EasyNet")
    loss = tf.reduce_mean(cross_entropy) + tf.reduce_sum(reg_ws)
    layers = ("fully_connected", "fully_connected_1", "fully_connected_2")
    feeds: dict[tf.Tensor, Callable[[], np.ndarray]] = {
        x: lambda: np.random.rand(8, 4, 4).astype(np.float32),
        y: lambda: np.random.randint(0, 10, 8),
    }

    def data(weights: Weights) -> float:
        h = weights["x"].reshape(8, 16)
        for i, layer in enumerate(layers):
            h = h @ weights[f"EasyNet/{layer}/weights"] + weights[f"EasyNet/{layer}/biases"]
            h = np.maximum(h, 0) if i < 2 else h
        h = h - h.max(axis=1, keepdims=True)
        log_p = h - np.log(np.exp(h).sum(axis=1, keepdims=True))
        return float(-log_p[np.arange(8), weights["y"]].mean())

    training = train(loss, tmp_path, feeds)
    variables = [f"EasyNet/{layer}/weights" for layer in layers]
    check(
        training,
        data,
        {v: Expected("l2", strength, strength / 2, v, l2(strength / 2, v)) for v in variables},
    )
    collected = [column.entry for column in training.recording.columns[2:]]
    assert collected == [f"EasyNet/{layer}/kernel/Regularizer/l2_regularizer" for layer in layers]


def test_5_without_regularisation(tmp_path: Path) -> None:
    """With a strength of 0 nothing is collected, and the data loss is the loss."""
    data, feeds = linear(tf_slim.l2_regularizer(0.0))
    check(train(data + tf.reduce_sum(tf1.get_collection(K)), tmp_path, feeds), linear_data, {})


@only_legacy
@pytest.mark.parametrize(
    ("regularizer", "coefficient"),
    [(lambda: tf.keras.regularizers.l2(0.1), 0.1), (lambda: tf_slim.l2_regularizer(0.1), 0.05)],
    ids=["keras", "slim"],
)
def test_6_dense_layers(
    tmp_path: Path, regularizer: Callable[[], object], coefficient: float
) -> None:
    """Kernels of ``tf.compat.v1.layers`` by the collection, their activity beside them."""
    x = tf1.placeholder(tf.float32, [None, 3], name="x")
    hidden = tf1.layers.dense(x, 4, kernel_regularizer=regularizer(), name="a")
    y = tf1.layers.dense(hidden, 1, activity_regularizer=tf_keras.regularizers.L2(0.3), name="b")
    loss = tf.reduce_mean((y - 1.0) ** 2) + tf1.losses.get_regularization_loss()

    def output(weights: Weights) -> np.ndarray:
        hidden = weights["x"] @ weights["a/kernel"] + weights["a/bias"]
        return np.asarray(hidden @ weights["b/kernel"] + weights["b/bias"])

    check(
        train(loss, tmp_path, {x: lambda: np.random.rand(8, 3).astype(np.float32)}),
        lambda weights: float(np.mean((output(weights) - 1.0) ** 2)),
        {
            "a/kernel": Expected("l2", 0.1, coefficient, "a/kernel", l2(coefficient, "a/kernel")),
            "b/activity": Expected(
                "activity", 0.3, None, None, lambda w: float(0.3 * np.sum(output(w) ** 2) / 8)
            ),
        },
    )


@only_legacy
def test_8_a_convolutional_network(tmp_path: Path) -> None:
    """A convolution's kernel, added with ``add_n`` and the collection's list."""
    x = tf1.placeholder(tf.float32, [None, 4, 4, 1], name="x")
    h = tf1.layers.conv2d(x, 2, 1, kernel_regularizer=tf_slim.l2_regularizer(0.1), name="conv")
    flat = tf.reshape(h, [-1, 32])
    y = tf1.layers.dense(flat, 1, kernel_regularizer=tf.keras.regularizers.l1(0.01), name="out")
    loss = tf.reduce_mean((y - 1.0) ** 2)
    loss = tf.add_n([loss, *tf1.losses.get_regularization_losses()])

    def data(weights: Weights) -> float:
        h = weights["x"] @ weights["conv/kernel"][0, 0] + weights["conv/bias"]
        y = h.reshape(8, 32) @ weights["out/kernel"] + weights["out/bias"]
        return float(np.mean((y - 1.0) ** 2))

    check(
        train(loss, tmp_path, {x: lambda: np.random.rand(8, 4, 4, 1).astype(np.float32)}),
        data,
        {
            "conv/kernel": Expected("l2", 0.1, 0.05, "conv/kernel", l2(0.05, "conv/kernel")),
            "out/kernel": Expected("l1", 0.01, 0.01, "out/kernel", l1(0.01, "out/kernel")),
        },
    )


def test_9_an_activity_regulariser_collected_by_hand(tmp_path: Path) -> None:
    """A collected penalty of activations is a penalty, although data goes into it."""
    x = tf1.placeholder(tf.float32, [None, 3], name="x")
    v1 = tf1.get_variable("v1", [3, 4])
    v2 = tf1.get_variable("v2", [4, 1])
    hidden = x @ v1
    tf1.add_to_collection(K, tf_slim.l2_regularizer(0.1)(hidden))
    loss = tf.reduce_mean((hidden @ v2 - 1.0) ** 2) + tf1.losses.get_regularization_loss()
    check(
        train(loss, tmp_path, {x: lambda: np.random.rand(8, 3).astype(np.float32)}),
        linear_data,
        {
            "l2_regularizer": Expected(
                "activity", 0.1, None, None, lambda w: float(0.05 * np.sum((w["x"] @ w["v1"]) ** 2))
            )
        },
    )


def test_10_weight_decay_that_is_in_no_collection(tmp_path: Path) -> None:
    """Each variable's share of a sum of ``l2_loss`` is a term."""
    data, feeds = linear()
    decay = 0.0005 * tf.add_n(
        [tf.nn.l2_loss(tf.cast(v, tf.float32)) for v in tf1.trainable_variables()]
    )
    check(
        train(data + decay, tmp_path, feeds),
        linear_data,
        {v: Expected("l2", 0.0005, 0.00025, v, l2(0.00025, v)) for v in ("v1", "v2")},
    )


def test_11_variables_in_the_collection(tmp_path: Path) -> None:
    """They are named in a warning, and the training goes on with what can be recorded."""
    data, feeds = linear()
    for variable in tf1.trainable_variables():
        tf1.add_to_collection(K, variable)
    penalty = tf_slim.apply_regularization(tf_slim.l2_regularizer(0.1), tf1.get_collection(K))
    with pytest.warns(UserWarning, match="the variables v1 and v2 instead of a penalty"):
        training = train(data + penalty, tmp_path, feeds)
    check(
        training,
        linear_data,
        {v: Expected("l2", 0.1, 0.05, v, l2(0.05, v)) for v in ("v1", "v2")},
    )


def test_11_variables_that_make_the_loss_a_matrix(tmp_path: Path) -> None:
    """The sum that is minimised is recorded, unexplained, and nothing raises."""
    data, feeds = linear()
    tf1.add_to_collection(K, tf1.trainable_variables()[1])
    loss = data + tf1.losses.get_regularization_loss()
    assert loss.shape == (4, 1)
    with pytest.warns(UserWarning, match="the variable v2 instead of a penalty"):
        training = train(loss, tmp_path, feeds)
    assert [column.role for column in training.recording.columns] == ["total", "unexplained"]
    np.testing.assert_allclose(
        training.recording.values[:, 0], training.losses.sum(axis=(1, 2)), rtol=1e-6
    )
