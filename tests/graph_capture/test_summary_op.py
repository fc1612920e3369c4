"""summary.op: one packed row a step, in whatever writes TF1 summaries."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tb_regplugin
from tests.graph_capture.test_hook import Model, recorded
from tests.graph_capture.training import tf1
from tests.independent_reader import read_rows


def test_merged_with_others_into_a_file_writer(tmp_path: Path) -> None:
    """Every one of 2,000 steps comes back equal to the loss that its own run returned."""
    model, losses = Model(), []
    tf1.summary.scalar("other", model.loss)
    tb_regplugin.summary.op("losses", model.loss, description="What the loss is made of.")
    merged = tf1.summary.merge_all()
    with tf1.Session() as session, tf1.summary.FileWriter(str(tmp_path)) as writer:
        session.run(tf1.global_variables_initializer())
        for step in range(2000):
            _, loss, summary = session.run([model.train, model.loss, merged], model.batch())
            losses.append(loss)
            writer.add_summary(summary, step)
    rows = recorded(tmp_path)
    assert rows.steps.tolist() == list(range(2000))
    assert [column.name for column in rows.columns] == ["total", "data", "w"]
    assert int((rows.values[:, 0] != np.array(losses)).sum()) == 0
    np.testing.assert_allclose(rows.values[:, 1:].sum(axis=1), losses, rtol=1e-6)
    independent = read_rows(tmp_path)
    assert [row["total"] for row in independent.values()] == losses


@pytest.mark.parametrize("own_hook", [True, False], ids=["SummarySaverHook", "default scaffold"])
def test_in_a_monitored_session(tmp_path: Path, own_hook: bool) -> None:
    """The scaffold's merged summaries and a hook of one's own record it alike."""
    model = Model()
    summary = tb_regplugin.summary.op("losses", model.loss, collections=[] if own_hook else None)
    hooks = [tf1.train.SummarySaverHook(save_steps=1, output_dir=str(tmp_path), summary_op=summary)]
    with tf1.train.MonitoredTrainingSession(
        checkpoint_dir=None if own_hook else str(tmp_path),
        hooks=hooks if own_hook else [],
        save_summaries_steps=1,
    ) as session:
        losses = [session.run([model.train, model.loss], model.batch())[1] for _ in range(10)]
    rows = recorded(tmp_path)
    np.testing.assert_array_equal(rows.values[:, 0], losses)


def test_the_name_has_the_active_scopes_before_it(tmp_path: Path) -> None:
    """As with other summaries."""
    model = Model()
    with tf.name_scope("tower"):
        summary = tb_regplugin.summary.op("my losses", model.loss)
    with tf1.Session() as session, tf1.summary.FileWriter(str(tmp_path)) as writer:
        session.run(tf1.global_variables_initializer())
        writer.add_summary(session.run(summary, model.batch()), 3)
    assert tb_regplugin.load(tmp_path, name="tower/my losses")["."].steps.tolist() == [3]
