import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { connect } from "./host.ts";
import { BOOTSTRAP, DATA_RELOADED, GET_RUNS, RUNS_CHANGED } from "./messages.ts";

let port: MessagePort | undefined;
afterEach(() => port?.close());

/** Connects to a TensorBoard made of a message port, and tells what reached the dashboard. */
function connectToFake() {
  const heard: string[] = [];
  const sent: { type: string; isReply: boolean }[] = [];
  const parent = {
    postMessage(message: string, _target: string, [theirs]: [MessagePort]) {
      assert.equal(message, BOOTSTRAP);
      port = theirs;
      theirs.onmessage = (event) => sent.push(JSON.parse(event.data));
    },
  };
  Object.assign(globalThis, { window: { parent } });
  connect({
    onReload: () => heard.push("reload"),
    onRuns: (runs) => heard.push(runs.join()),
  });
  const say = async (type: string, payload: unknown, isReply = false) => {
    port?.postMessage(JSON.stringify({ type, id: 0, payload, error: null, isReply }));
    // Message ports deliver in a later turn of the event loop.
    await new Promise((resolve) => setTimeout(resolve, 20));
  };
  return { heard, sent, say };
}

test("runs are asked for, and told once however often TensorBoard repeats them", async () => {
  const { heard, sent, say } = connectToFake();
  await say(GET_RUNS, ["b", "a"], true);
  assert.deepEqual(sent[0]?.type, GET_RUNS);
  await say(RUNS_CHANGED, ["b", "a"]);
  await say(RUNS_CHANGED, ["b", "a", "c"]);
  assert.deepEqual(heard, ["b,a", "b,a,c"]);
});

test("a reload is passed on and every message answered", async () => {
  const { heard, sent, say } = connectToFake();
  await say(DATA_RELOADED, null);
  assert.deepEqual(heard, ["reload"]);
  assert.deepEqual(
    sent.filter(({ isReply }) => isReply).map(({ type }) => type),
    [DATA_RELOADED],
  );
});
