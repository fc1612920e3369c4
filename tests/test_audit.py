"""What the audit of a graph finds, and what it takes."""

from __future__ import annotations

import cProfile

import pytest
import tensorflow as tf

from tb_regplugin import Finding, audit
from tests.corpus.programs import PROGRAMS, l2, network, tf1

# What is said of programs that are right.
INFORMATION = {"uncollected_penalty"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_wrong_is_found_and_nothing_else(name: str) -> None:
    """For programs built in the ways people build them."""
    build, expected = PROGRAMS[name]
    with tf.Graph().as_default():
        findings = audit(build())
    assert {finding.code for finding in findings} == set(expected), findings


def test_half_of_the_corpus_is_right() -> None:
    """Nothing of a warning's severity is found where nothing is wrong."""
    right = [name for name, (_, expected) in PROGRAMS.items() if set(expected) <= INFORMATION]
    assert 0.4 < len(right) / len(PROGRAMS) < 0.6


def test_the_sentence_names_terms_and_numbers() -> None:
    """So that it can be read without the code of the rule."""
    with tf.Graph().as_default():
        loss = network(l2(0.1))
        penalties = tf1.losses.get_regularization_losses()
        (finding,) = audit(loss + 0.01 * tf.add_n(penalties))
    assert finding.sentence == (
        "net/w0 and net/w1 are multiplied by 0.01 before being added to the loss, on top of the "
        "regulariser's strength: 0.1 acts as 0.001."
    )
    assert finding.terms == ("net/w0", "net/w1")
    assert finding.severity == "warning"


def test_several_strengths_are_told_each() -> None:
    """A factor that they share acts on all of them."""
    with tf.Graph().as_default():
        loss = network(l2(0.1), scope="a", layers=1) + network(l2(0.2), scope="b", layers=1)
        penalties = tf1.losses.get_regularization_losses()
        (finding,) = audit(loss + 0.01 * tf.add_n(penalties))
    assert finding.sentence == (
        "a/w0 and b/w0 are multiplied by 0.01 before being added to the loss, on top of the "
        "regularisers' strengths: 0.1 and 0.2 act as 0.001 and 0.002."
    )


def test_what_is_added_twice_is_told_from_what_is_added_more_often() -> None:
    """Each with its own number."""
    with tf.Graph().as_default():
        loss = network(l2(0.1), layers=3)
        first, second, third = tf1.losses.get_regularization_losses()
        total = loss + first + first + second + second + third + third + third
        findings = audit(total)
    assert [finding.sentence for finding in findings] == [
        "net/w0 and net/w1 are added to the loss 2 times, which multiplies each by 2.",
        "net/w2 is added to the loss 3 times, which multiplies it by 3.",
    ]


def test_the_work_is_linear_in_the_graph() -> None:
    """Right and wrong alike: ten times the layers take ten times the calls."""
    calls = {layers: _calls(layers) for layers in (50, 500)}
    for few, many in zip(calls[50], calls[500], strict=True):
        assert 1000 < many < 11 * few


def _calls(layers: int) -> list[int]:
    """Returns how many calls the audits of a right and of a wrong network take."""
    counts = []
    with tf.Graph().as_default() as graph:
        loss = network(l2(0.1), layers=layers, with_biases=False)
        total = loss + tf.add_n(tf1.losses.get_regularization_losses())
        operations = len(graph.get_operations())
        for tensor, expected in ((total, []), (loss, ["not_in_loss"])):
            profile = cProfile.Profile()
            findings = profile.runcall(audit, tensor)
            counts.append(sum(entry.callcount for entry in profile.getstats()))
            assert [finding.code for finding in findings] == expected
        assert len(graph.get_operations()) == operations
    return counts


def test_inside_a_function_the_collection_is_given() -> None:
    """Where nothing is collected, as in Keras, the losses of the model are what is meant."""
    w = tf.Variable(tf.ones([3]))
    found = []

    @tf.function
    def loss(x: tf.Tensor, *, forgets: bool) -> tf.Tensor:
        data, penalty = tf.reduce_mean(w * x), 0.1 * tf.nn.l2_loss(w)
        total = data if forgets else data + penalty
        found.append([f.code for f in audit(total, collection=[penalty], variables=[w])])
        return total

    loss(tf.ones([3]), forgets=True)
    loss(tf.ones([3]), forgets=False)
    assert found == [["not_in_loss"], []]


def test_inside_a_function_nothing_is_printed(caplog: pytest.LogCaptureFixture) -> None:
    """AutoGraph has nothing to complain of, and the advice speaks of what was given."""
    w = tf.Variable(tf.ones([3]))
    found: list[Finding] = []

    @tf.function
    def step(x: tf.Tensor) -> tf.Tensor:
        loss = tf.reduce_mean(w * x)
        found.extend(audit(loss, collection=[0.1 * tf.nn.l2_loss(w)], variables=[w]))
        return loss

    step(tf.ones([3]))
    (finding,) = found
    assert "Variable was collected in the collection but is not in the loss" in finding.sentence
    assert "sum(model.losses)" in finding.fix
    assert "AutoGraph" not in caplog.text


def test_an_eager_loss_is_refused() -> None:
    """It has no graph; the error says what to do."""
    with pytest.raises(TypeError, match=r"tf\.function.*findings"):
        audit(tf.constant(1.0))
