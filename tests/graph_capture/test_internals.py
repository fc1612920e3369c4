"""What is not promised by TensorFlow and Keras is there, and its loss costs names, not values."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
import tf_slim

from tb_regplugin.capture.graph import internals, penalties
from tb_regplugin.capture.graph.decompose import decompose

tf1 = tf.compat.v1


def test_a_function_says_what_it_captures() -> None:
    """Each variable's handle, and that of Keras' variables too."""
    found: list[int] = []
    with tf.init_scope():
        variables = [tf.Variable([1.0]), keras.Variable(np.ones(1, "f"))]

        @tf.function
        def step() -> tf.Tensor:
            total = tf.add_n([tf.reduce_sum(tf.convert_to_tensor(v)) for v in variables])
            found.extend(id(outer) for outer, _ in internals.captures(total.graph))
            return total

        step.get_concrete_function()
    handles = [handle for variable in variables for handle in internals.handles(variable)]
    assert found == [id(handle) for handle in handles]
    assert len(handles) == 2


def test_a_mirrored_variable_has_a_handle_a_replica() -> None:
    """Functions capture the one of their own replica."""
    with tf.init_scope():
        strategy = tf.distribute.MirroredStrategy(["CPU:0"])
        with strategy.scope():
            variable = tf.Variable([1.0])
    assert len(list(internals.handles(variable))) == strategy.num_replicas_in_sync


def test_a_custom_gradient_is_marked() -> None:
    """Others of its type of operation are not."""
    with_gradient = tf.custom_gradient(lambda x: (x * 1.0, lambda upstream: upstream))
    assert internals.has_custom_gradient(with_gradient(tf.constant(1.0)).op)
    assert not internals.has_custom_gradient(tf.identity_n([tf.constant(1.0)])[0].op)


@pytest.mark.parametrize(
    ("package", "regularizer", "kind"),
    [
        ("tf_keras", tf_keras.regularizers.L2(0.1), "L2Loss"),
        ("keras", tf_keras.regularizers.OrthogonalRegularizer(0.1), "Sum"),
    ],
)
def test_who_wrote_a_penalty_is_in_its_traceback(
    package: str, regularizer: Callable[[tf.Variable], tf.Tensor], kind: str
) -> None:
    """Of what is written alike by hand, it is not."""
    penalty = regularizer(tf1.get_variable("w", [3, 3]))
    by_keras = [op for op in penalty.graph.get_operations() if op.type == kind]
    assert by_keras
    assert all(internals.in_regularizers_of(package, op) for op in by_keras)
    assert not internals.in_regularizers_of(package, tf.nn.l2_loss(penalty).op)


def test_layers_scope_their_activity_penalties() -> None:
    """By which the penalty has the name of its layer."""
    layer = tf_keras.layers.Dense(2, activity_regularizer="l2", name="hidden")
    layer(tf1.placeholder(tf.float32, [None, 3]))
    (penalty,) = layer.losses
    assert f"hidden{internals.ACTIVITY_SCOPE}" in penalty.op.name


def test_a_part_knows_its_variable() -> None:
    """A variable of its own has no whole."""
    partitioner = tf1.fixed_size_partitioner(2)
    first, second = tf1.get_variable("w", [6, 2], partitioner=partitioner)
    assert [internals.whole_of_part(part) for part in (first, second)] == [("w", (6, 2))] * 2
    assert internals.whole_of_part(tf1.get_variable("v", [3])) is None


def test_gradients_say_what_they_differentiate() -> None:
    """Each of their operations but the one that stands for the loss's own gradient."""
    w = tf1.get_variable("w", [3])
    square = tf.square(w)
    loss = tf.reduce_sum(square)
    (gradient,) = tf.gradients(loss, w)
    assert internals.differentiated(gradient.op) is square.op
    of_loss = {internals.differentiated(op) for op in gradient.graph.get_operations()}
    assert {loss.op, square.op} <= of_loss
    assert internals.differentiated(tf.square(w).op) is None


def test_a_call_says_which_variables_it_only_reads() -> None:
    """Of a branch too, by the numbers of its inputs; what is no call reads none."""
    read, written = (tf1.get_variable(name, []) for name in ("read", "written"))

    def step() -> tf.Tensor:
        return written.assign_add(tf.identity(read))

    branch = tf.cond(tf1.placeholder(tf.bool, []), step, lambda: tf.identity(read))
    found = branch.graph.get_operations()
    for op in [next(op for op in found if op.type == "If"), _call_of(tf.function(step))]:
        reads = {op.inputs[number].op.name for number in internals.read_only_inputs(op)}
        assert reads == {"read"}
    assert list(internals.read_only_inputs(tf.identity(read).op)) == []


def _call_of(function: Any) -> Any:
    return next(op for op in function().graph.get_operations() if "PartitionedCall" in op.type)


def test_without_them_the_values_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where TensorFlow takes them away, a recording has other names, and no other sums."""
    w = tf1.get_variable("w", [3], regularizer=tf_slim.l2_regularizer(0.1))
    loss = tf.reduce_mean(w * tf1.placeholder(tf.float32, [3]))
    loss += tf1.losses.get_regularization_loss() + tf_keras.regularizers.L2(0.1)(w)
    before = [part.addends[0].weight for part in decompose(loss).parts]
    for name in ("captures", "handles"):
        monkeypatch.setattr(internals, name, lambda _: ())
    monkeypatch.setattr(internals, "whole_of_part", lambda _: None)
    monkeypatch.setattr(penalties, "in_regularizers_of", lambda *_: False)
    assert [part.addends[0].weight for part in decompose(loss).parts] == before
