const KERAS = `import tb_regplugin

model.fit(
    x, y, epochs=5,
    callbacks=[tb_regplugin.RegularizationCallback("logs")],
)`;

const WRITER = `import tb_regplugin

with tb_regplugin.Writer("logs") as writer:
    for step in range(1000):
        ...
        writer.write(step, data_loss, {"dense/kernel": penalty})`;

/** What to do when the logs hold no losses. */
export function EmptyState() {
  return (
    <section class="empty">
      <h2>No losses were found</h2>
      <p>
        This tab shows how the data loss and each penalty term make up a training loss. The log
        directory holds no such losses yet.
      </p>
      <h3>With Keras</h3>
      <pre>
        <code>{KERAS}</code>
      </pre>
      <h3>With your own training loop</h3>
      <pre>
        <code>{WRITER}</code>
      </pre>
      <p>
        Then run <code>tensorboard --logdir logs</code>. If it is already running, check that it
        reads the directory you write to, and press its reload button.{" "}
        <code>tb-regplugin doctor logs</code> shows what is recorded there.
      </p>
    </section>
  );
}
