import assert from "node:assert/strict";
import { test } from "node:test";
import { rankTerms } from "../drawing/termNumbers.ts";
import { column, recording } from "../testing/curves.ts";
import { RESNET } from "../testing/models.ts";
import { type Grouping, groupings, groupNamer, makeGrouping } from "./grouping.ts";

const kernel = column("block/dense/kernel", "penalty", { kind: "l2" });
const bias = column("bias", "penalty");
const data = column("block/data", "data");

test("groups are called as the server calls them, and only penalties are grouped", () => {
  const names = (group: string) => [kernel, bias, data].map(groupNamer(group, []));
  assert.deepEqual(names("term"), ["block/dense/kernel", "bias", "block/data"]);
  assert.deepEqual(names("layer:1"), ["block", "bias", "block/data"]);
  assert.deepEqual(names("layer:2"), ["block/dense", "bias", "block/data"]);
  assert.deepEqual(names("kind"), ["l2", "unknown", "block/data"]);
  assert.deepEqual(names("all"), ["penalties", "penalties", "block/data"]);
});

test("names with slashes offer their layers; a group that was chosen stays", () => {
  const offered = (columns: (typeof kernel)[], current: string) =>
    groupings(columns, current).map(([group]) => group);
  assert.deepEqual(offered([kernel], "term"), [
    "auto",
    "term",
    "layer:1",
    "layer:2",
    "kind",
    "all",
    "match:",
  ]);
  assert.deepEqual(offered([bias], "term"), ["auto", "term", "kind", "all", "match:"]);
  assert.deepEqual(offered([bias], "layer:3"), [
    "auto",
    "term",
    "layer:3",
    "kind",
    "all",
    "match:",
  ]);
});

test("groups have colours of their own, the same in every run", () => {
  const other = column("another/kernel", "penalty");
  const runs = [recording("a", "losses", [kernel, data]), recording("b", "losses", [other, bias])];
  const ranks = rankTerms(new Map(), runs, ({ columns }) => groupNamer("layer:1", columns));
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

const penalties = (names: readonly string[]) => names.map((name) => column(name, "penalty"));
const groupsOf = (names: readonly string[], group = "auto") => {
  const columns = penalties(names);
  return [...new Set(columns.map(groupNamer(group, columns)))];
};

test("an expression groups by its capture, and what does not match stays", () => {
  const names = ["a_1/kernel", "a_1/bias", "a_2/kernel", "a_2/bias", "other"];
  assert.deepEqual(groupsOf(names, "match:/(kernel|bias)"), ["kernel", "bias", "other"]);
  assert.deepEqual(groupsOf(names, "match:^a_."), ["a_1", "a_2", "other"]);
  assert.deepEqual(groupsOf(names, "match:("), names);
});

test("the server is told the places of what it sums, never an expression", () => {
  const columns = [data, ...penalties(["a/x", "a/y", "b/x", "c", "b/y"])];
  const parameter = (chosen: string[], isolated: string[] = []) =>
    makeGrouping("match:^(.)/", columns, new Set(chosen), new Set(isolated)).parameter;
  assert.equal(parameter([]), "sets:-.0*2.1.-.1");
  assert.equal(parameter(["a"]), "sets:-*3.0.-.0");
  assert.equal(parameter(["a", "b"]), "term");
  // What is shown alone is shown for itself.
  assert.equal(parameter([], ["penalty:b/y"]), "sets:-.0*2.-*3");
  assert.equal(makeGrouping("layer:1", columns).parameter, "layer:1");
});

test("a sum has the name of its group, whatever the server calls it", () => {
  const { rename } = makeGrouping("match:^(.)/", penalties(["a/x", "a/y"]));
  const sum = { ...column("set 0", "penalty"), terms: 2, members: ["a/x", "a/y"] };
  assert.equal(rename(sum).name, "a");
  assert.equal(rename({ ...sum, name: "2 more terms", isRest: true }).name, "2 more terms");
});

test("groups open one in the other, and know what is in them", () => {
  const terms = penalties(RESNET);
  const kernel = column("conv4_block3_2_conv/kernel", "penalty");
  const opened = (...groups: string[]) => makeGrouping("auto", terms, new Set(groups));
  const sumOf = (grouping: Grouping) =>
    grouping.rename(column("set 0", "penalty", { terms: 2, members: [kernel.name, "…"] })).name;
  assert.equal(sumOf(opened()), "conv4");
  assert.equal(sumOf(opened("conv4")), "conv4_block3");
  const both = opened("conv4", "conv4_block3", "conv2");
  assert.deepEqual(both.openedAround(kernel), ["conv4", "conv4_block3"]);
  // An inner group that is open shows nothing while the outer one is closed.
  assert.deepEqual(opened("conv4_block3").openedAround(kernel), []);
  assert.equal(opened("conv4_block3").parameter, opened().parameter);
  const inside = both.keysIn("conv4");
  assert.equal(inside.length, 6 * 12 + 4);
  assert.deepEqual(inside[0], ["penalty:conv4_block1", "penalty:conv4_block1_0_conv/kernel"]);
});

test("what is shown alone opens the groups around it, and a group is shown alone closed", () => {
  const alone = (key: string) => [
    ...makeGrouping("auto", penalties(RESNET), new Set(), new Set([key])).opened,
  ];
  assert.deepEqual(alone("penalty:conv4_block3_2_conv/kernel"), ["conv4", "conv4_block3"]);
  assert.deepEqual(alone("penalty:conv4_block3"), ["conv4"]);
  assert.deepEqual(alone("penalty:conv4"), []);
});

test("names of any characters are grouped, and a term may be called as a group is", () => {
  const odd = [
    "",
    "/",
    "..",
    "é/ü",
    "a b\n/1",
    "<b>",
    '"',
    "\\",
    "😀",
    "a",
    "a/x",
    "a/y",
    "data:x",
  ];
  const numbered = Array.from({ length: 30 }, (_, i) => [`😀/${i}/σ²`, `😀/${i}/µ`]).flat();
  const terms = penalties([...odd, ...numbered]);
  const groups = terms.map(groupNamer("auto", terms));
  assert.equal(groups[odd.indexOf("é/ü")], "é/ü");
  assert.ok(groups.includes("😀/5–9"), groups.join());
  const byCapture = penalties(["a", "a/x", "a/y"]);
  // The term "a" is in the group "a", and no band of its own beside it.
  assert.equal(makeGrouping("match:^a", byCapture).parameter, "sets:0*3");
});
