import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DATA_RELOADED,
  decodeMessage,
  decodeRuns,
  encodeReply,
  encodeRequest,
  GET_RUNS,
} from "./messages.ts";

test("a request is a message that is no reply", () => {
  const message = decodeMessage(encodeRequest(GET_RUNS, 3));
  assert.equal(message?.type, GET_RUNS);
  assert.equal(message?.id, 3);
  assert.equal(message?.isReply, false);
});

test("a reply carries the type and number of what it answers", () => {
  const message = decodeMessage(JSON.stringify({ type: DATA_RELOADED, id: 7, payload: null }));
  assert.ok(message);
  const reply = decodeMessage(encodeReply(message));
  assert.deepEqual([reply?.type, reply?.id, reply?.isReply], [DATA_RELOADED, 7, true]);
});

test("anything else is no message", () => {
  for (const data of [undefined, 5, "", "{", "null", "[]", '{"type":1,"id":2}']) {
    assert.equal(decodeMessage(data), undefined);
  }
});

test("runs are a list of texts", () => {
  assert.deepEqual(decodeRuns(["a", "b"]), ["a", "b"]);
  assert.equal(decodeRuns(null), undefined);
});
