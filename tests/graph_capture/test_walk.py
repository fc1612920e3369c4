"""Taking losses apart: what is told apart, what cannot be, and what it costs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
import tf_slim

from tb_regplugin.capture.graph.decompose import Decomposition, build_row, decompose

tf1 = tf.compat.v1
K = tf1.GraphKeys.REGULARIZATION_LOSSES


def data_loss() -> tf.Tensor:
    """Returns a loss that reaches a placeholder."""
    return tf.reduce_mean(tf1.placeholder(tf.float32, [None], name="x"))


def variable(name: str, regularizer: object = None) -> tf.Variable:
    """Returns a variable of six numbers."""
    return tf1.get_variable(name, [3, 2], regularizer=regularizer)


def describe(decomposition: Decomposition) -> list[tuple[object, ...]]:
    """Returns what matters of each part."""
    return [
        (term.role, term.name, term.kind, term.strength, term.coefficient)
        for term in (part.term for part in decomposition.parts)
    ]


def values(decomposition: Decomposition) -> np.ndarray:
    """Evaluates a row, with every placeholder full of ones."""
    graph = tf1.get_default_graph()
    row = build_row(decomposition).values
    inputs = [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"]
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        feeds = {x: np.ones([size or 2 for size in x.shape.as_list()]) for x in inputs}
        return np.asarray(session.run(row, feeds))


def branch(penalty: tf.Tensor) -> tf.Tensor:
    """Hides a penalty in a branch."""
    return tf.cond(tf.reduce_sum(penalty) > 0.0, lambda: tf.reduce_sum(penalty**2), lambda: 0.0)


def loop(weights: tf.Tensor) -> tf.Tensor:
    """Hides a sum in a loop."""
    body = lambda i, s: (i + 1, s + tf.reduce_sum(weights**2))  # noqa: E731 - as people write it
    return tf.while_loop(lambda i, s: i < 3, body, (0, 0.0))[1]


@tf.custom_gradient
def custom_gradient(weights: tf.Tensor) -> tf.Tensor:
    """Has a value that says nothing of its gradient."""
    return tf.reduce_sum(weights**2), lambda upstream: upstream * tf.sign(weights)


@pytest.mark.parametrize("hide", [branch, loop, custom_gradient, tf.function(branch)])
@pytest.mark.parametrize("control_flow_v2", [True, False])
def test_what_cannot_be_taken_apart_is_one_unexplained_part(
    hide: Callable[[tf.Tensor], tf.Tensor], control_flow_v2: bool
) -> None:
    """Branches, loops, functions and custom gradients add up to one part with a note."""
    (tf1.enable_control_flow_v2 if control_flow_v2 else tf1.disable_control_flow_v2)()
    try:
        weights = [tf.convert_to_tensor(variable(name)) for name in ("v1", "v2")]
        loss = data_loss() + sum(hide(w) for w in weights) + 0.1 * tf.nn.l2_loss(weights[0])
        found = decompose(loss)
    finally:
        tf1.enable_control_flow_v2()
    assert describe(found) == [
        ("data", "data", None, None, None),
        ("penalty", "v1", "l2", 0.1, 0.05),
        ("unexplained", "unexplained", None, None, None),
    ]
    assert "hides what this is" in str(found.parts[-1].term.note)
    total, *parts = values(found)
    assert total == pytest.approx(sum(parts), rel=1e-6)


def test_a_loss_that_is_no_tensor_is_unexplained() -> None:
    """Nothing that a user passes makes the walk raise."""
    loss: Any = "a loss"
    found = decompose(loss)
    assert [part.term.role for part in found.parts] == ["unexplained"]
    assert "could not be taken apart" in str(found.warning)


def test_1000_layers_take_linear_time() -> None:
    """Each operation before the loss is looked at once, and the walk adds none."""
    visited = []
    for layers in (250, 1000):
        with tf.Graph().as_default() as graph:
            h = tf1.placeholder(tf.float32, [None, 2])
            for layer in range(layers):
                regularizer = tf_slim.l2_regularizer(0.1)
                h = h @ tf1.get_variable(f"w{layer}", [2, 2], regularizer=regularizer)
            loss = tf.reduce_mean(h) + tf1.losses.get_regularization_loss()
            before = len(graph.get_operations())
            found = decompose(loss)
            assert len(graph.get_operations()) == before
        assert len(found.parts) == layers + 1
        assert found.visited_operations <= before
        visited.append(found.visited_operations)
    assert visited[1] <= 4 * visited[0]


def test_sums_that_share_their_parts_do_not_grow() -> None:
    """Sixty doublings are one addend sixty doublings heavy."""
    loss = 2.0**-60 * tf.nn.l2_loss(variable("w"))
    for _ in range(60):
        loss = loss + loss
    assert describe(decompose(data_loss() + loss))[1] == ("penalty", "w", "l2", 1.0, 0.5)


def test_a_schedule_of_the_strength_is_followed() -> None:
    """With a λ that changes, the term is known and its value right; the strength is unknown."""
    strength = tf1.placeholder(tf.float32, [], name="strength")
    found = decompose(data_loss() + 2.0 * strength * tf.nn.l2_loss(variable("w")))
    assert describe(found)[1] == ("penalty", "w", "l2", None, None)
    total, data, penalty = values(found)
    assert (data, total) == (1.0, pytest.approx(1.0 + penalty))
    assert penalty > 0


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda w: 0.1 * tf.reduce_sum(tf.abs(w)), ("l1", 0.1, 0.1)),
        (lambda w: tf.reduce_sum(0.1 * w**2), ("l2", 0.1, 0.1)),
        (lambda w: tf.reduce_sum(w * w) / 10.0, ("l2", 0.1, 0.1)),
        (lambda w: 0.1 * tf.reduce_mean(w**2), ("l2", 0.1, 0.01666667)),
        (lambda w: -(-0.1 * tf.nn.l2_loss(tf.transpose(w))), ("l2", 0.1, 0.05)),
        (lambda w: 0.1 * tf.norm(w), ("custom", None, None)),
        (tf_keras.regularizers.OrthogonalRegularizer(0.1), ("orthogonal", 0.1, None)),
        (tf_keras.regularizers.L2(0.1), ("l2", 0.1, 0.1)),
    ],
)
def test_penalties_are_known_by_what_they_calculate(
    write: Callable[[tf.Tensor], tf.Tensor], expected: tuple[object, ...]
) -> None:
    """However it is written, its kind, strength and coefficient are told from its operations."""
    found = decompose(data_loss() + write(variable("w")))
    assert describe(found)[1] == ("penalty", "w", *expected)


def test_l1_and_l2_of_one_regulariser_are_one_term() -> None:
    """The strength is the pair that was written."""
    variable("a", tf_slim.l1_l2_regularizer(0.1, 0.2))
    variable("b", tf_keras.regularizers.L1L2(0.1, 0.2))
    found = decompose(data_loss() + tf1.losses.get_regularization_loss())
    assert describe(found)[1:] == [
        ("penalty", name, "l1_l2", (0.1, 0.2), None) for name in ("a", "b")
    ]


def test_how_often_a_collected_term_is_in_the_loss_is_known() -> None:
    """Added twice, it weighs twice; evaluated again, it is still itself."""
    variable("w", tf_slim.l2_regularizer(0.1))
    other = variable("unused", tf_slim.l2_regularizer(0.1))
    entry = tf1.get_collection(K)[0]
    data = data_loss() * tf.reduce_mean(other)
    found = decompose(data + entry + 3.0 * tf.identity(entry))
    (used, unused) = found.collected.entries
    assert (used.name, used.uses, used.coefficient) == ("w/Regularizer/l2_regularizer", 2, 4.0)
    assert (unused.uses, unused.coefficient) == (0, 0.0)
    assert describe(found)[1:] == [
        ("penalty", "w", "l2", 0.1, 0.2),
        ("unused", "unused", "l2", 0.1, 0.05),
    ]


def test_a_sum_of_collected_terms_may_be_collected_itself() -> None:
    """Its parts are in the loss through it, each once and under its own entry."""
    for name in ("a", "b"):
        variable(name, tf_slim.l2_regularizer(0.1))
    sum_of_all = tf1.losses.get_regularization_loss()
    tf1.add_to_collection(K, sum_of_all)
    found = decompose(data_loss() + sum_of_all)
    assert describe(found)[1:] == [("penalty", name, "l2", 0.1, 0.05) for name in ("a", "b")]
    assert [(entry.uses, entry.holds_entries) for entry in found.collected.entries] == [
        (1, False),
        (1, False),
        (1, True),
    ]


def test_an_unused_term_with_data_of_its_own_is_not_evaluated() -> None:
    """Its placeholder would not be fed, or its iterator would lose a batch."""
    tf1.add_to_collection(K, tf.nn.l2_loss(tf1.placeholder(tf.float32, [3])))
    found = decompose(data_loss())
    assert [part.term.role for part in found.parts] == ["data"]
    assert found.collected.entries[0].uses == 0


def test_a_variable_in_a_sum_is_read_as_the_loss_reads_it() -> None:
    """What is recorded is its number, or the sum of its numbers, and not its handle."""
    s = tf1.get_variable("s", [], initializer=tf1.ones_initializer())
    w = tf1.get_variable("w", [3, 2], initializer=tf1.ones_initializer())
    found = decompose(data_loss() + s + tf.reduce_sum(w))
    assert [part.term.name for part in found.parts] == ["data", "s", "w"]
    assert values(found).tolist() == [8.0, 1.0, 1.0, 6.0]


def test_data_that_are_constants_are_data() -> None:
    """A toy problem whose data stand in the graph has a data loss."""
    weights = variable("w")
    loss = tf.reduce_mean((tf.ones([5, 3]) @ weights - 1.0) ** 2) + 0.1 * tf.nn.l2_loss(weights)
    assert [part.term.role for part in decompose(loss).parts] == ["data", "penalty"]


def test_the_graph_of_a_function_is_taken_apart() -> None:
    """With the variables given, terms of a ``tf.function`` have their names."""
    found = []
    with tf.init_scope():
        w = tf.Variable(tf.ones([3, 2]), name="w")
        nested = tf.function(lambda x: tf.reduce_sum(x))

        @tf.function
        def step(x: tf.Tensor) -> tf.Tensor:
            loss = tf.reduce_mean(x) + nested(x) + 0.1 * tf.reduce_sum(w**2)
            found.append(decompose(loss, (), [w]))
            return loss

        step.get_concrete_function(tf.TensorSpec([None], tf.float32))
    assert describe(found[0]) == [
        ("data", "data", None, None, None),
        ("penalty", "w", "l2", 0.1, 0.1),
        ("unexplained", "unexplained", None, None, None),
    ]


def test_a_penalty_is_named_after_its_only_variable_in_training() -> None:
    """Whatever frozen copies and schedules go into it, as in fine-tuning with L2-SP."""
    w, step = variable("w"), tf1.train.get_or_create_global_step()
    start = tf1.get_variable("start", [3, 2], trainable=False)
    near = 0.1 * tf.nn.l2_loss(w - start)
    scheduled = tf.where(step > 1, tf.nn.l2_loss(w), 0.0)
    joined = tf.nn.l2_loss(tf.concat([w, tf.stop_gradient(variable("v"))], 0))
    padded = tf.nn.l2_loss(tf.concat([w, tf.ones([1, 2])], 0))
    for penalty in (near, scheduled, joined, padded):
        term = decompose(data_loss() + penalty).parts[1].term
        assert (term.role, term.name, term.variable, term.kind) == ("penalty", "w", "w", "custom")


def test_several_penalties_that_stay_near_to_other_weights() -> None:
    """Each is named after its own variable, and has its own value."""
    pairs = [(variable(name), variable(f"{name}_pretrained")) for name in "abc"]
    penalties = [0.1 * tf.nn.l2_loss(w - tf.stop_gradient(start)) for w, start in pairs]
    found = decompose(data_loss() + tf.add_n(penalties))
    assert describe(found)[1:] == [("penalty", name, "custom", None, None) for name in "abc"]
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        arrays = session.run(pairs)
        row = session.run(build_row(found).values, {"x:0": [1.0]})
    expected = [0.05 * np.square(np.subtract(*pair, dtype=np.float64)).sum() for pair in arrays]
    np.testing.assert_allclose(row[2:], expected, rtol=1e-5)


def test_a_penalty_of_several_variables_names_them() -> None:
    """It is of no single one, and of no one's layer."""
    a, b, frozen = variable("a/w"), variable("b/w"), tf1.get_variable("f", [2], trainable=False)
    for penalty in (
        tf.nn.l2_loss(tf.concat([a, b], 0)),
        tf.linalg.global_norm([b, a]) ** 2,
        tf.reduce_sum(a * b) * tf.reduce_sum(frozen),
    ):
        term = decompose(data_loss() + penalty).parts[1].term
        assert (term.name, term.kind, term.variable) == ("a.w and b.w", "custom", None)


@pytest.mark.parametrize("use_resource", [True, False])
def test_a_partitioned_variable_is_one(use_resource: bool) -> None:
    """As long as all of it is penalised; its values are those of the parts together."""
    partitioner = tf1.fixed_size_partitioner(3)
    with tf1.variable_scope("scope", use_resource=use_resource):
        w = tf1.get_variable("w", [6, 2], partitioner=partitioner)
    parts = list(w)
    some, twice = tf.concat(parts[:2], 0), tf.concat([parts[0], parts[0], parts[1]], 0)
    found = decompose(
        data_loss()
        + 0.1 * tf.nn.l2_loss(w)
        + 0.2 * tf.reduce_sum(tf.abs(w))
        + tf.norm(w)
        + tf.nn.l2_loss(some)
        + tf.nn.l2_loss(twice)
    )
    parts_named = "scope.w.part_0 and scope.w.part_1"
    assert describe(found)[1:] == [
        ("penalty", "scope/w", "l2", 0.1, 0.05),
        ("penalty", "scope/w (l1)", "l1", 0.2, 0.2),
        ("penalty", "scope/w (2)", "custom", None, None),
        ("penalty", parts_named, "custom", None, None),
        ("penalty", f"{parts_named} (2)", "custom", None, None),
    ]
    term = found.parts[1].term
    assert (term.variable, term.shape, term.size) == ("scope/w", (6, 2), 12)
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        array = np.concatenate(session.run(parts)).astype(np.float64)
        row = session.run(build_row(found).values, {"x:0": [1.0]})
    squares = np.square(array).sum()
    np.testing.assert_allclose(
        row[2:5], [0.05 * squares, 0.2 * np.abs(array).sum(), np.sqrt(squares)], rtol=1e-5
    )


def test_values_of_reference_variables_are_noted() -> None:
    """Where training moves what they depend on; with resource variables nothing is."""
    for use_resource in (True, False):
        with tf.Graph().as_default(), tf1.variable_scope("", use_resource=use_resource):
            frozen = tf1.get_variable("frozen", [2], trainable=False)
            penalties = tf.nn.l2_loss(variable("w")) + tf.nn.l2_loss(frozen)
            found = decompose(data_loss() + penalties)
            notes = [column.note is not None for column in build_row(found).layout.columns]
        is_reference = not use_resource
        assert notes == [is_reference, False, is_reference, False]
        assert ("enable_resource_variables" in str(found.warning)) == is_reference
