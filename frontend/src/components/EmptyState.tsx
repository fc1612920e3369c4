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
        This tab shows how the data loss and each regularization penalty make up a training loss.
        Nothing of that kind is in the log directory yet.
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
        Then start <code>tensorboard --logdir logs</code>. If it runs already, check that it reads
        the directory you write to, and press its reload button;{" "}
        <code>tb-regplugin doctor logs</code> tells what is recorded there.
      </p>
    </section>
  );
}
