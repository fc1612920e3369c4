import assert from "node:assert/strict";
import { test } from "node:test";
import { rankTerms } from "../drawing/termNumbers.ts";
import { column, recording } from "../testing/curves.ts";
import { groupings, groupNamer } from "./grouping.ts";

const kernel = column("block/dense/kernel", "penalty", { kind: "l2" });
const bias = column("bias", "penalty");
const data = column("block/data", "data");

test("groups are called as the server calls them, and only penalties are grouped", () => {
  const names = (group: string) => [kernel, bias, data].map(groupNamer(group));
  assert.deepEqual(names("term"), ["block/dense/kernel", "bias", "block/data"]);
  assert.deepEqual(names("layer:1"), ["block", "bias", "block/data"]);
  assert.deepEqual(names("layer:2"), ["block/dense", "bias", "block/data"]);
  assert.deepEqual(names("kind"), ["l2", "unknown", "block/data"]);
  assert.deepEqual(names("all"), ["penalties", "penalties", "block/data"]);
});

test("names with slashes offer their layers; a group that was chosen stays", () => {
  const offered = (columns: (typeof kernel)[], current: string) =>
    groupings(columns, current).map(([group]) => group);
  assert.deepEqual(offered([kernel], "term"), ["term", "layer:1", "layer:2", "kind", "all"]);
  assert.deepEqual(offered([bias], "term"), ["term", "kind", "all"]);
  assert.deepEqual(offered([bias], "layer:3"), ["term", "layer:3", "kind", "all"]);
});

test("groups have colours of their own, the same in every run", () => {
  const other = column("another/kernel", "penalty");
  const runs = [recording("a", "losses", [kernel, data]), recording("b", "losses", [other, bias])];
  const ranks = rankTerms(new Map(), runs, () => groupNamer("layer:1"));
  assert.deepEqual(
    [...ranks],
    [
      ["data:block/data", 0],
      ["penalty:block", 0],
      ["penalty:another", 1],
      ["penalty:bias", 2],
    ],
  );
});
