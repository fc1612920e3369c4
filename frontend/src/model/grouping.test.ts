import assert from "node:assert/strict";
import { test } from "node:test";
import { rankTerms } from "../drawing/termNumbers.ts";
import { column, recording } from "../testing/curves.ts";
import { BERT, GPT2, RESNET } from "../testing/models.ts";
import { groupings, groupNamer, makeGrouping } from "./grouping.ts";

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
  const { groupOf } = makeGrouping(group, columns);
  return [...new Set(columns.map(groupOf))];
};

test("many terms are grouped by where in the model they are", () => {
  const stages = ["conv1", "conv2", "conv3", "conv4", "conv5"];
  assert.deepEqual(groupsOf(RESNET), [...stages, "predictions"]);
  const layers = Array.from({ length: 12 }, (_, i) => `bert/encoder/layer_${i}`);
  assert.deepEqual(groupsOf(BERT), ["bert/embeddings", ...layers, "bert/pooler"]);
  const blocks = Array.from({ length: 12 }, (_, i) => `transformer.h.${i}`);
  assert.deepEqual(
    groupsOf(GPT2).filter((name) => name.includes(".h.")),
    blocks,
  );
  const torch = Array.from({ length: 32 }, (_, i) =>
    ["w1", "w2"].map((w) => `model.layers.${i}.mlp.${w}`),
  );
  assert.deepEqual(groupsOf(torch.flat())[11], "model.layers.11");
});

test("names of dimensions are no numbers, and a group of one is that term", () => {
  const convs = Array.from({ length: 20 }, (_, i) =>
    ["kernel", "bias"].map((w) => `conv2d_${i}/${w}`),
  );
  const groups = groupsOf([...convs.flat(), "dense/kernel"]);
  assert.deepEqual([groups[3], groups[20], groups.length], ["conv2d_3", "dense/kernel", 21]);
});

test("few terms, and names without a structure, stay as they are", () => {
  assert.deepEqual(groupsOf(RESNET.slice(0, 24)), RESNET.slice(0, 24));
  const flat = Array.from({ length: 50 }, (_, i) => `w${i}`);
  assert.deepEqual(groupsOf(flat), flat);
});

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
