import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeComposition, encodeComposition, parseScalars } from "./composition.ts";

const SCALARS = {
  total: "loss",
  parts: [
    { tag: "nll_loss", weight: 1, role: "data" },
    { tag: "g_loss", weight: ["d_weight", "ramp"], role: "penalty" },
  ],
  offered: true,
  steps: "From scalars: all 200 logged steps.",
  sentence: "Adds up.",
  command: "tb-regplugin compose logs",
};

test("weights are text, whether they are numbers or logged", () => {
  const { parts, isOffered } = parseScalars(SCALARS);
  assert.deepEqual(
    parts.map(({ weight }) => weight),
    ["1", "d_weight*ramp"],
  );
  assert.equal(isOffered, true);
});

test("a composition survives a link, and what is none is passed over", () => {
  const scalars = parseScalars({ ...SCALARS, total: null });
  const decoded = decodeComposition(encodeComposition(scalars));
  assert.deepEqual(decoded, { total: null, parts: scalars.parts });
  assert.equal(decodeComposition("{"), undefined);
  assert.equal(decodeComposition('{"total": 1}'), undefined);
});
