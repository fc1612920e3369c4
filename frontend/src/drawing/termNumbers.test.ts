import assert from "node:assert/strict";
import { test } from "node:test";
import { column, recording } from "../testing/curves.ts";
import { BERT, GPT2, RESNET } from "../testing/models.ts";
import { columnColour, termVariant } from "./colours.ts";
import { numberTerms, rankTerms, ShownTerms } from "./termNumbers.ts";

const terms = (...names: string[]) => names.map((name) => column(name, "penalty"));
const asNamed =
  () =>
  ({ name }: { name: string }) =>
    name;
const rank = (...runs: string[][]) =>
  rankTerms(
    new Map(),
    runs.map((names, i) => recording(`run_${i}`, "losses", terms(...names))),
    asNamed,
  );

test("a term has one rank in every run, by the first run that has it", () => {
  assert.deepEqual(
    [...rank(["layer10", "layer9"], ["layer9", "layer1"])],
    [
      ["penalty:layer9", 0],
      ["penalty:layer10", 1],
      ["penalty:layer1", 2],
    ],
  );
});

test("a run that is added last changes no rank, before a reload or after it", () => {
  const before = rank(["b", "c"]);
  const runs = [
    ["b", "c"],
    ["a", "c"],
  ].map((names, i) => recording(`run_${i}`, "losses", terms(...names)));
  for (const previous of [before, new Map<string, number>()]) {
    const after = rankTerms(previous, runs, asNamed);
    assert.deepEqual([...after.values()], [0, 1, 2]);
    assert.equal(after.get("penalty:a"), 2);
  }
});

test("the largest variables come first", () => {
  const columns = [
    { ...column("small", "penalty"), shape: [2, 2] },
    { ...column("large", "penalty"), shape: [9, 9] },
  ];
  const ranks = rankTerms(new Map(), [recording("r", "losses", columns)], asNamed);
  assert.deepEqual([...ranks.keys()], ["penalty:large", "penalty:small"]);
});

test("whichever terms of a large model are shown, no two have one colour", () => {
  for (const names of [RESNET, BERT, GPT2]) {
    const ranks = rank([...names]);
    const keys = [...ranks.keys()];
    for (let first = 0; first < 30; first++) {
      // Twelve that lie as far apart as a stride puts them: any may be the largest.
      for (const stride of [1, 7, 8, 12, 16, 24]) {
        const shown = Array.from(
          { length: 12 },
          (_, i) => keys[(first + i * stride) % keys.length] ?? "",
        );
        const numbers = numberTerms(ranks, new Set(shown));
        for (const theme of ["light", "dark"] as const) {
          const colours = new Set(shown.map((key) => columnColour(theme, key, numbers)));
          assert.equal(colours.size, new Set(shown).size);
        }
      }
    }
  }
});

test("beyond the palette, colour and pattern together are one term's", () => {
  const names = Array.from({ length: 90 }, (_, i) => `term_${i}`);
  const ranks = rank(names);
  const numbers = numberTerms(ranks, ranks.keys());
  const looks = [...ranks.keys()].map(
    (key) => `${columnColour("light", key, numbers)} ${termVariant(key, numbers)}`,
  );
  assert.equal(new Set(looks).size, 90);
});

test("what is shown later takes no colour of what was shown before", () => {
  const ranks = rank(Array.from({ length: 60 }, (_, i) => `term_${i}`));
  const runs = ["a", "b"].map((run) => recording(run, "losses", []));
  const shown = new ShownTerms();
  assert.equal(shown.add(runs[0]?.key ?? "", ["penalty:term_1", "penalty:term_25"]), true);
  const before = numberTerms(ranks, shown.inOrder(runs, ranks));
  assert.equal(shown.add(runs[0]?.key ?? "", ["penalty:term_49", "penalty:term_1"]), true);
  assert.equal(shown.add(runs[0]?.key ?? "", ["penalty:term_49"]), false);
  const after = numberTerms(ranks, shown.inOrder(runs, ranks));
  for (const key of ["penalty:term_1", "penalty:term_25"]) {
    assert.equal(after.get(key), before.get(key));
  }
  assert.equal(new Set(["1", "25", "49"].map((i) => after.get(`penalty:term_${i}`))).size, 3);
});

test("colours don't depend on which answer comes first", () => {
  const ranks = rank(Array.from({ length: 60 }, (_, i) => `term_${i}`));
  const runs = ["a", "b"].map((run) => recording(run, "losses", []));
  const [first = "", second = ""] = runs.map(({ key }) => key);
  const orders = [
    [first, second],
    [second, first],
  ].map((order) => {
    const shown = new ShownTerms();
    for (const key of order) {
      shown.add(key, key === first ? ["penalty:term_30"] : ["penalty:term_54"]);
    }
    return [...numberTerms(ranks, shown.inOrder(runs, ranks))];
  });
  assert.deepEqual(orders[0], orders[1]);
});
