"""What recording costs a training step: 300 regularised layers, CPU time, paired runs.

Usage: python -m bench.in_step_cost [--layers N] [--width N] [--batch N] [--steps N] [--rounds N]

Each round runs every way for some steps, one after another in a changing order, on the same
model; a ratio is that of two ways in the same round. Two of the ways are bare, so that their
ratio shows the noise. A bare step computes the loss, as a training that reports it does.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

import tb_regplugin
from tb_regplugin.capture.graph.decompose import decompose

tf1 = tf.compat.v1

_Step = Callable[[], object]
# The steps by what they are called, and what ends their recordings.
Ways = tuple[dict[str, _Step], Callable[[], object]]


def main() -> None:
    """Measures TF1 and TF2 programs, and the walk; for Keras, see keras_cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=300)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=150)
    options = parser.parse_args()
    print(f"{options.layers} layers of {options.width} x {options.width}, batch {options.batch}")
    for title, make in (("TF1 session", graph_ways), ("tf.function", function_ways)):
        with tempfile.TemporaryDirectory() as directory:
            ways, close = make(options, directory)
            report(title, ways, options)
            close()
    time_the_walk()


def report(title: str, ways: dict[str, _Step], options: argparse.Namespace) -> None:
    """Prints the median CPU time of a step, and the median ratio to the bare one's."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for step in ways.values():
        step()
        step()
    for _ in range(options.rounds):
        for way in random.sample(list(ways), len(ways)):
            start = time.process_time()
            for _ in range(options.steps):
                ways[way]()
            seconds[way].append((time.process_time() - start) / options.steps)
    print(f"{title}, {options.rounds} rounds of {options.steps} steps")
    for way, times in seconds.items():
        ratios = [ours / bare for ours, bare in zip(times, seconds["bare"], strict=True)]
        low, _, high = statistics.quantiles(ratios, n=4)
        print(
            f"  {way:24} {statistics.median(times) * 1e3:8.2f} ms"
            f"   x {statistics.median(ratios):.3f}   (quartiles {low:.3f} to {high:.3f})"
        )


def graph_ways(options: argparse.Namespace, directory: str) -> Ways:
    """Returns steps of one TF1 model: in sessions with and without a hook, and with summaries."""
    with tf.Graph().as_default():
        x = tf.random.normal([options.batch, options.width])
        h, terms = x, []
        for layer in range(options.layers):
            w = tf1.get_variable(f"w{layer}", [options.width, options.width])
            h = tf.nn.tanh(h @ w)
            terms.append(1e-4 * tf.nn.l2_loss(w))
        loss = tf.reduce_mean(h**2) + tf.add_n(terms)
        train = tf1.train.GradientDescentOptimizer(0.01).minimize(loss)
        scalars = tf1.summary.merge([tf1.summary.scalar(f"t{i}", t) for i, t in enumerate(terms)])
        packed = tb_regplugin.summary.op("losses", loss)
        hook = tb_regplugin.RegularizationHook(f"{directory}/hook", loss)
        sessions = {
            "bare": tf1.train.SingularMonitoredSession(),
            "bare again": tf1.train.SingularMonitoredSession(),
        }
        graph = tf1.get_default_graph()
        graph._unsafe_unfinalize()
        sessions["hook"] = tf1.train.SingularMonitoredSession(hooks=[hook])
        sessions["300 scalars"] = tf1.train.SingularMonitoredSession()
        sessions["summary.op"] = tf1.train.SingularMonitoredSession()
    graph._unsafe_unfinalize()
    with graph.as_default():
        writers = {
            name: tf1.summary.FileWriter(f"{directory}/{i}")
            for i, name in enumerate(("300 scalars", "summary.op"))
        }

    def summarise(name: str, summary: tf.Tensor) -> Callable[[], object]:
        counter = iter(range(10**9))

        def step() -> None:
            _, _, value = sessions[name].run([train, loss, summary])
            writers[name].add_summary(value, next(counter))

        return step

    ways = {
        "bare": lambda: sessions["bare"].run([train, loss]),
        "bare again": lambda: sessions["bare again"].run([train, loss]),
        "loss never computed": lambda: sessions["bare"].run(train),
        "RegularizationHook": lambda: sessions["hook"].run([train, loss]),
        "summary.op": summarise("summary.op", packed),
        f"{options.layers} summary.scalar": summarise("300 scalars", scalars),
    }
    return ways, sessions["hook"].close


def function_ways(options: argparse.Namespace, directory: str) -> Ways:
    """Returns compiled steps of one TF2 model, each recorded in another way."""
    shape = [options.width, options.width]
    rng = np.random.default_rng(0)
    weights = [
        tf.Variable(rng.normal(0, options.width**-0.5, shape).astype("f"))
        for _ in range(options.layers)
    ]
    x = tf.random.normal([options.batch, options.width])
    recorder = tb_regplugin.Recorder(f"{directory}/recorder")
    writer = tf.summary.create_file_writer(f"{directory}/summary")
    writer.set_as_default(step=0)
    numbers = tf.Variable(0, dtype=tf.int64)

    def train(record: Callable[[tf.Tensor, list[tf.Tensor], tf.Tensor], object]) -> _Step:
        def step() -> tf.Tensor:
            with tf.GradientTape() as tape:
                h = x
                for w in weights:
                    h = tf.nn.tanh(h @ w)
                terms = [1e-4 * tf.nn.l2_loss(w) for w in weights]
                data_loss = tf.reduce_mean(h**2)
                loss = data_loss + tf.add_n(terms)
            record(data_loss, terms, loss)
            for w, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
                w.assign_sub(0.01 * gradient)
            return loss

        compiled: _Step = tf.function(step)
        return compiled

    def with_recorder(data_loss: tf.Tensor, terms: list[tf.Tensor], loss: tf.Tensor) -> None:
        named = {f"w{i}": term for i, term in enumerate(terms)}
        recorder.write(data_loss=data_loss, penalties=named, total_loss=loss)

    def with_summary(data_loss: tf.Tensor, terms: list[tf.Tensor], loss: tf.Tensor) -> None:
        named = {f"w{i}": term for i, term in enumerate(terms)}
        step = numbers.assign_add(1)
        tb_regplugin.summary.losses("losses", data_loss, named, loss, step)

    def with_scalars(_: tf.Tensor, terms: list[tf.Tensor], __: tf.Tensor) -> None:
        step = numbers.assign_add(1)
        for i, term in enumerate(terms):
            tf.summary.scalar(f"w{i}", term, step)

    ways = {
        "bare": train(lambda *_: None),
        "bare again": train(lambda *_: None),
        "Recorder": train(with_recorder),
        "summary.losses": train(with_summary),
        f"{options.layers} summary.scalar": train(with_scalars),
    }
    return ways, recorder.close


def time_the_walk(layers: int = 1000) -> None:
    """Prints how long a graph of many regularised layers takes to be taken apart."""
    with tf.Graph().as_default():
        h = tf1.placeholder(tf.float32, [None, 8])
        for layer in range(layers):
            regularizer = tf.keras.regularizers.L2(0.1)
            h = tf.nn.relu(h @ tf1.get_variable(f"w{layer}", [8, 8], regularizer=regularizer))
        loss = tf.reduce_mean(h) + tf1.losses.get_regularization_loss()
        start = time.perf_counter()
        found = decompose(loss)
        print(
            f"{layers} regularised layers taken apart in {time.perf_counter() - start:.2f} s: "
            f"{len(found.parts)} parts, {found.visited_operations} operations looked at"
        )


if __name__ == "__main__":
    main()
