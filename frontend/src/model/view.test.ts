import assert from "node:assert/strict";
import { test } from "node:test";
import { closeGroup, isolate, isShown, openGroup, toggle, WHOLE_VIEW, zoom } from "./view.ts";

const shown = (view: typeof WHOLE_VIEW) => ["a", "b", "c"].filter((key) => isShown(view, key));

test("toggling hides a band and shows it again", () => {
  const hidden = toggle(WHOLE_VIEW, "a");
  assert.deepEqual(shown(hidden), ["b", "c"]);
  assert.deepEqual(shown(toggle(hidden, "a")), ["a", "b", "c"]);
});

test("isolating shows one band, isolating it again shows all", () => {
  const alone = isolate(toggle(WHOLE_VIEW, "b"), "a");
  assert.deepEqual(shown(alone), ["a"]);
  assert.deepEqual(shown(isolate(alone, "b")), ["b"]);
  assert.deepEqual(shown(isolate(alone, "a")), ["a", "b", "c"]);
});

test("toggling among isolated bands adds and removes them", () => {
  const two = toggle(isolate(WHOLE_VIEW, "a"), "c");
  assert.deepEqual(shown(two), ["a", "c"]);
  assert.deepEqual(shown(toggle(toggle(two, "a"), "c")), ["a", "b", "c"]);
});

test("the zoom is kept apart from what is hidden", () => {
  const zoomed = zoom(toggle(WHOLE_VIEW, "a"), { min: 1, max: 2 });
  assert.deepEqual(zoomed.range, { min: 1, max: 2 });
  const reset = zoom(zoomed, undefined);
  assert.equal("range" in reset, false);
  assert.deepEqual(shown(reset), ["b", "c"]);
});

test("what was chosen of a group is chosen of its terms", () => {
  const terms = ["a/x", "a/y"];
  const hidden = openGroup(toggle(WHOLE_VIEW, "a"), "a", "a", terms);
  assert.deepEqual([...hidden.opened, ...hidden.hidden], ["a", ...terms]);
  const alone = openGroup(isolate(WHOLE_VIEW, "a"), "a", "a", terms);
  assert.deepEqual([...alone.isolated], terms);
  const closed = closeGroup(alone, "a", terms);
  assert.deepEqual([...closed.opened, ...closed.isolated], []);
});

test("a group that closes takes the groups within it along", () => {
  const inner = openGroup(
    openGroup(toggle(WHOLE_VIEW, "penalty:a"), "a", "penalty:a", ["penalty:a/0", "penalty:a/1"]),
    "a/0",
    "penalty:a/0",
    ["penalty:a/0/x"],
  );
  assert.deepEqual([...inner.hidden], ["penalty:a/1", "penalty:a/0/x"]);
  const inside = ["penalty:a/0", "penalty:a/0/x", "penalty:a/1", "penalty:a/1/x"];
  const { opened, hidden } = closeGroup(inner, "a", inside);
  assert.deepEqual([...opened, ...hidden], []);
});
