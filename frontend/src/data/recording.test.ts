import assert from "node:assert/strict";
import { test } from "node:test";
import { columnKey, parseColumns, parseRecordings, whyOutside } from "./recording.ts";

test("a recording keeps what is known of its columns and its problems", () => {
  const [recording] = parseRecordings({
    recordings: [
      {
        run: "a/train",
        name: "losses",
        last_step: null,
        last_wall_time: null,
        columns: [
          { name: "k", role: "penalty", kind: "l2", strength: 0.01, size: 6, shape: [2, 3] },
        ],
        problems: [{ tag: "t", reason: "why" }],
      },
    ],
  });
  assert.equal(recording?.lastStep, null);
  assert.deepEqual(recording?.columns[0]?.shape, [2, 3]);
  assert.equal("coefficient" in (recording?.columns[0] ?? {}), false);
  assert.deepEqual(recording?.problems, [{ tag: "t", reason: "why" }]);
});

test("a role that this dashboard does not know stays out of the stack", () => {
  assert.equal(parseColumns([{ name: "x", role: "future" }])[0]?.role, "implicit");
});

test("a part is said to be no summand of a total only where there is one", () => {
  const part = { name: "x", role: "inside" };
  const [alone] = parseColumns([part]).map(whyOutside);
  assert.equal(alone, "no total is logged, so its weight is not certain");
  const [, beside] = parseColumns([{ name: "loss", role: "total" }, part]).map(whyOutside);
  assert.equal(beside, "in the loss, but not as a summand: its share is unknown");
});

test("a data loss and a penalty of one name are told apart", () => {
  const keys = parseColumns([
    { name: "x", role: "data" },
    { name: "x", role: "penalty" },
  ]).map(columnKey);
  assert.equal(new Set(keys).size, 2);
});

test("an answer of another form is refused with the field", () => {
  assert.throws(() => parseRecordings({}), /recordings is not a list/);
  assert.throws(() => parseRecordings({ recordings: [{ run: 1 }] }), /run is not a string/);
});
