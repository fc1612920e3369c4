import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Dashboard } from "./dashboard.ts";
import { recordingKey } from "./data/recording.ts";
import { toggle } from "./model/view.ts";

/** Answers every request with what the test put here. */
let answer: () => Response;
let requests = 0;

beforeEach(() => {
  requests = 0;
  globalThis.fetch = async () => {
    requests++;
    return answer();
  };
  answer = () => recordings("a");
});

function recordings(...runs: string[]): Response {
  const columns = [{ name: "data", role: "data" }];
  return Response.json({
    recordings: runs.map((run) => ({ run, name: "losses", last_step: 1, columns, problems: [] })),
  });
}

async function shown(): Promise<Dashboard> {
  const dashboard = new Dashboard();
  dashboard.update({ isVisible: true });
  await dashboard.reload();
  return dashboard;
}

test("nothing is fetched while the tab is hidden; it is when the tab is shown", async () => {
  const dashboard = new Dashboard();
  await dashboard.reload();
  assert.equal(requests, 0);
  dashboard.setVisible(true);
  assert.equal(requests, 1);
  dashboard.setVisible(false);
  dashboard.setVisible(true);
  assert.equal(requests, 1, "nothing was missed meanwhile");
});

test("a run that is brought to the top is chosen and pinned, and goes back the second time", async () => {
  answer = () => recordings("a", "b");
  const dashboard = await shown();
  const b = recordingKey("b", "losses");
  const isUp = () => [dashboard.viewOf(b).isPinned, dashboard.state.choice.chosen.has(b)];
  dashboard.choose([b], false);
  dashboard.pinUp(b);
  assert.deepEqual(isUp(), [true, true]);
  dashboard.choose([b], false);
  dashboard.pinUp(b);
  assert.deepEqual(isUp(), [true, true], "it was out of sight");
  dashboard.pinUp(b);
  assert.deepEqual(isUp(), [false, true]);
});

test("a run that is shown alone gives way to those of before the second time", async () => {
  answer = () => recordings("a", "b", "c");
  const dashboard = await shown();
  const [a, b, c] = ["a", "b", "c"].map((run) => recordingKey(run, "losses"));
  dashboard.choose([c ?? ""], false);
  const chosen = () => [...dashboard.state.choice.chosen];
  dashboard.showAlone(c ?? "");
  assert.deepEqual(chosen(), [c]);
  dashboard.showAlone(b ?? "");
  assert.deepEqual(chosen(), [b]);
  dashboard.showAlone(b ?? "");
  assert.deepEqual(chosen(), [a, b]);
});

test("a reload keeps choice, filter and views", async () => {
  answer = () => recordings("a", "b");
  const dashboard = await shown();
  const [a, b] = [recordingKey("a", "losses"), recordingKey("b", "losses")];
  dashboard.choose([a], false);
  dashboard.setFilter("x");
  dashboard.changeView(b, (view) => toggle(view, "data:data"));
  answer = () => recordings("a", "b", "c");
  await dashboard.reload();
  const { choice, filter } = dashboard.state;
  assert.deepEqual([...choice.chosen], [b, recordingKey("c", "losses")]);
  assert.equal(filter, "x");
  assert.deepEqual([...dashboard.viewOf(b).hidden], ["data:data"]);
});

test("a lost server leaves what was loaded and is forgotten at the next answer", async () => {
  const dashboard = await shown();
  answer = () => {
    throw new TypeError("fetch failed");
  };
  await dashboard.reload();
  assert.equal(dashboard.state.isUnreachable, true);
  assert.equal(dashboard.state.recordings?.length, 1);
  answer = () => recordings("a");
  await dashboard.reload();
  assert.equal(dashboard.state.isUnreachable, false);
});

test("what the server refuses is said in its own words", async () => {
  answer = () => Response.json({ error: "Too many." }, { status: 400 });
  assert.equal((await shown()).state.failure, "Too many.");
  answer = () => new Response("<html>", { status: 500 });
  assert.equal((await shown()).state.failure, "TensorBoard answered with status 500.");
});

test("runs are numbered as TensorBoard lists them, unknown ones after those", async () => {
  answer = () => recordings("a", "b", "c");
  const dashboard = await shown();
  assert.equal(dashboard.state.runNumbers.get("a"), 0);
  dashboard.setRuns(["c", "b"]);
  assert.deepEqual([...dashboard.state.runNumbers.keys()], ["c", "b", "a"]);
});

test("what was chosen of an axis goes with the axis", async () => {
  const dashboard = await shown();
  dashboard.changeSettings({ yMin: 1, yMax: 2, ignoreOutliers: true });
  dashboard.select({ min: 3, max: 5 });
  dashboard.changeSettings({ view: "lines" });
  assert.equal(dashboard.state.settings.yMax, 2, "of losses, too");
  dashboard.changeSettings({ view: "ratio" });
  const { yMin, yMax, ignoreOutliers } = dashboard.state.settings;
  assert.deepEqual([yMin, yMax, ignoreOutliers], [undefined, undefined, true]);
  assert.deepEqual(dashboard.state.selected, { min: 3, max: 5 });
  dashboard.changeSettings({ x: "relative" });
  assert.equal(dashboard.state.selected, undefined);
});

test("a card that has no y range of its own any more changes nothing but once", async () => {
  const dashboard = await shown();
  let changes = 0;
  dashboard.subscribe(() => changes++);
  const own = {
    quantity: "loss",
    scale: { kind: "linear", threshold: 1 },
    values: { min: 0, max: 1 },
  } as const;
  dashboard.setOwnRange("a", own);
  assert.deepEqual([...dashboard.state.ownRanges.values()], [own]);
  dashboard.setOwnRange("a", undefined);
  dashboard.setOwnRange("a", undefined);
  assert.equal(dashboard.state.ownRanges.size, 0);
  assert.equal(changes, 2);
});
