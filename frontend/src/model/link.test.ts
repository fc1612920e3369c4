import assert from "node:assert/strict";
import { test } from "node:test";
import { X_AXES } from "../data/axis.ts";
import { recordingKey } from "../data/recording.ts";
import { makeRandom } from "../testing/random.ts";
import { decodeLink, encodeLink, type LinkState } from "./link.ts";
import { updateChoice } from "./runs.ts";
import {
  DEFAULT_SETTINGS,
  OVERVIEW_STATES,
  READING_ORDERS,
  SCALES,
  STACK_ORDERS,
  STRENGTH_SOURCES,
  SWEEP_STATES,
  SWEEP_VIEWS,
  TERM_ORDERS,
  VIEWS,
} from "./settings.ts";
import type { View } from "./view.ts";

const NOTHING: LinkState = {
  settings: DEFAULT_SETTINGS,
  filter: "",
  choice: { chosen: new Set(), known: new Set() },
  views: new Map(),
  selected: undefined,
};

const HOSTILE = ["", "a", "a&b=c", "100%", "%zz", "λ/🚀", "<b>", '"],["', "p.regularization.x"];

function randomState(seed: number): { state: LinkState; listed: string[] } {
  const random = makeRandom(seed);
  const pick = <Value>(values: readonly Value[]) =>
    values[Math.floor(random() * values.length)] as Value;
  const some = <Value>(values: readonly Value[]) => values.filter(() => random() < 0.5);
  const listed = some(HOSTILE).flatMap((run) => some(HOSTILE).map((n) => recordingKey(run, n)));
  const view = (): View => ({
    hidden: new Set(some(HOSTILE)),
    isolated: new Set(some(HOSTILE)),
    opened: new Set(some(HOSTILE)),
    ...(random() < 0.3 ? { isPinned: true } : {}),
    ...(random() < 0.3 ? { composition: `{"total": ${JSON.stringify(pick(HOSTILE))}}` } : {}),
    ...(random() < 0.5 ? { range: { min: -random() * 1e6, max: random() * 1e9 } } : {}),
  });
  const settings = {
    view: pick(VIEWS),
    scale: pick(SCALES),
    ignoreOutliers: pick([true, false]),
    sameRange: pick([true, false]),
    yMin: pick([undefined, 0, -1.5e-7]),
    yMax: pick([undefined, 4.25]),
    x: pick(X_AXES),
    smoothing: pick([0, 0.6, 0.999]),
    group: pick([
      "auto",
      "term",
      "kind",
      "all",
      "layer:2",
      ...HOSTILE.map((text) => `match:${text}`),
    ]),
    top: pick([0, 5, 12]),
    terms: pick(HOSTILE),
    order: pick(TERM_ORDERS),
    stackOrder: pick(STACK_ORDERS),
    table: pick([true, false]),
    overview: pick(OVERVIEW_STATES),
    overviewOrder: pick(["", "-validation"]),
    sweep: pick(SWEEP_STATES),
    sweepView: pick(SWEEP_VIEWS),
    sweepMetric: pick(HOSTILE),
    sweepWindow: pick([0.1, 0.25, 1]),
    sweepFrom: pick(STRENGTH_SOURCES),
    readingOrder: pick(READING_ORDERS),
    readingRows: pick([5, 16]),
    compare: pick(HOSTILE),
    seeds: pick(HOSTILE),
    minuend: pick(HOSTILE),
    subtrahend: pick(HOSTILE),
  };
  const choice = { chosen: new Set(some(listed)), known: new Set(listed) };
  const views = new Map(some(listed).map((key) => [key, view()]));
  const selected = pick([undefined, { min: 5, max: 5 }, { min: -0.5, max: 1e9 }]);
  return { state: { settings, filter: pick(HOSTILE), choice, views, selected }, listed };
}

const isTouched = ({ hidden, isolated, range, isPinned }: View) =>
  hidden.size > 0 || isolated.size > 0 || range !== undefined || isPinned === true;

test("any state comes back from its link", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const { state, listed } = randomState(seed);
    const back = decodeLink(encodeLink(state, listed));
    assert.deepEqual(back.settings, state.settings);
    assert.equal(back.filter, state.filter);
    assert.deepEqual(back.selected, state.selected);
    assert.deepEqual(back.views, new Map([...state.views].filter(([, view]) => isTouched(view))));
    const { chosen } = updateChoice(back.choice, listed);
    assert.deepEqual(new Set(chosen), state.choice.chosen, `seed ${seed}`);
  }
});

test("a first visit has an empty link, and an empty link is a first visit", () => {
  const listed = ["a", "b"].map((run) => recordingKey(run, "losses"));
  const choice = updateChoice(NOTHING.choice, listed);
  assert.equal(encodeLink({ ...NOTHING, choice }, listed).size, 0);
  assert.deepEqual(decodeLink(new Map()), NOTHING);
});

test("runs that come later join a choice that left some out, not one that named some", () => {
  const listed = ["a", "b", "c"].map((run) => recordingKey(run, "losses"));
  const later = [...listed, recordingKey("d", "losses")];
  const [a, b, c, d] = later;
  const chosenLater = (...keys: (string | undefined)[]) => {
    const chosen = new Set(keys.filter((key) => key !== undefined));
    const link = encodeLink({ ...NOTHING, choice: { chosen, known: new Set(listed) } }, listed);
    return updateChoice(updateChoice(decodeLink(link).choice, listed), later).chosen;
  };
  assert.deepEqual(chosenLater(a, b), new Set([a, b, d]));
  assert.deepEqual(chosenLater(c), new Set([c]));
});

test("what cannot be read is left as it is at first", () => {
  const nonsense = decodeLink(
    new Map([
      ["view", "pie"],
      ["smoothing", "2"],
      ["top", "-1"],
      ["yMin", ""],
      ["yMax", "Infinity"],
      ["group", "layer:0"],
      ["table", "maybe"],
      ["zoom", '[["a","losses",5,1],["a"],7,["a","losses","x",{}]]'],
      ["selected", "[7,5]"],
      ["hidden", "{"],
      ["isolated", '{"a": 1}'],
      ["runs.from.the.future", "1"],
    ]),
  );
  assert.deepEqual(nonsense, NOTHING);
});
