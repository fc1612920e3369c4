import assert from "node:assert/strict";
import { test } from "node:test";
import { column } from "../testing/curves.ts";
import {
  enumerate,
  formatOrigin,
  formatShare,
  formatStep,
  formatStepRange,
  formatTicks,
  formatValue,
  shortenMiddle,
} from "./format.ts";

/** Shares are written with a no-break space. */
const plain = (text: string) => text.replaceAll("\u00a0", " ");

test("values have four significant digits", () => {
  const cases: [number, string][] = [
    [0, "0"],
    [2.31389, "2.314"],
    [0.00012, "0.00012"],
    [0.000001, "1e-6"],
    [1.234567e-6, "1.235e-6"],
    [-0.5, "−0.5"],
    [436.26, "436.3"],
    [123456, "123,500"],
    [2.5e10, "2.5e10"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "∞"],
    [Number.NEGATIVE_INFINITY, "−∞"],
  ];
  for (const [value, text] of cases) {
    assert.equal(formatValue(value), text);
  }
});

test("shares never round a part away or a remainder up to the whole", () => {
  const cases: [number, string][] = [
    [0, "0 %"],
    [1, "100 %"],
    [0.98765, "98.8 %"],
    [0.05, "5 %"],
    [0.0012, "0.12 %"],
    [0.00000001, "<0.01 %"],
    [0.99999, ">99.9 %"],
    [1.2, "120 %"],
    [-123.45, "−12,345 %"],
    [Number.NaN, "–"],
  ];
  for (const [share, text] of cases) {
    assert.equal(plain(formatShare(share)), text);
  }
});

test("steps are written in full", () => {
  assert.equal(formatStep(3999), "3,999");
  assert.equal(formatStepRange(10, 10), "10");
  assert.equal(formatStepRange(1000, 1999), "1,000–1,999");
});

test("ticks share a unit and have the decimals that tell them apart", () => {
  assert.deepEqual(formatTicks([0, 1000, 2000], 1000), ["0", "1k", "2k"]);
  assert.deepEqual(formatTicks([1200, 1250, 1300], 50), ["1,200", "1,250", "1,300"]);
  assert.deepEqual(formatTicks([0, 500, 1000], 500), ["0", "0.5k", "1.0k"]);
  assert.deepEqual(formatTicks([0, 0.5, 1], 0.5), ["0", "0.5", "1.0"]);
  assert.deepEqual(formatTicks([0, 0.25, 0.5], 0.25), ["0", "0.25", "0.50"]);
  assert.deepEqual(formatTicks([0, 2e6, 4e6], 2e6), ["0", "2M", "4M"]);
  assert.deepEqual(formatTicks([0, 5e-5, 1e-4], 5e-5), ["0", "5e-5", "1e-4"]);
  assert.deepEqual(formatTicks([-1, 0, 1], 1), ["−1", "0", "1"]);
});

test("a term's origin is its kind and strength, as far as they are known", () => {
  assert.equal(formatOrigin(column("k", "penalty", { kind: "l2", strength: 0.01 })), "l2 0.01");
  assert.equal(
    formatOrigin(column("k", "penalty", { kind: "l1_l2", strength: [1e-5, 0.1] })),
    "l1_l2 1e-5, 0.1",
  );
  assert.equal(formatOrigin(column("k", "penalty")), "");
  assert.equal(formatOrigin(column("k", "penalty", { kind: "custom" })), "");
});

test("long names keep both ends and whole characters", () => {
  assert.equal(shortenMiddle("abc", 3), "abc");
  assert.equal(shortenMiddle("abcdefghij", 5), "ab…ij");
  assert.equal(shortenMiddle("🎉🎉🎉🎉🎉🎉", 3), "🎉…🎉");
});

test("lists are written as in a sentence", () => {
  assert.equal(enumerate(["a"]), "a");
  assert.equal(enumerate(["a", "b"]), "a and b");
  assert.equal(enumerate(["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
});
