import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFindings } from "./findings.ts";

test("a finding has steps where it has a place in time", () => {
  const answer = {
    findings: [
      { code: "a", severity: "error", sentence: "A.", fix: "B.", terms: ["k"], first_step: 3 },
      { code: "b", severity: "info", sentence: "C." },
    ],
  };
  const [first, second] = parseFindings(answer);
  assert.deepEqual(first?.steps, [3, 3]);
  assert.deepEqual(first?.terms, ["k"]);
  assert.equal(second?.steps, undefined);
  assert.deepEqual(second?.terms, []);
});

test("a severity of a newer server is told as a note", () => {
  const [only] = parseFindings({ findings: [{ code: "a", severity: "doom", sentence: "A." }] });
  assert.equal(only?.severity, "info");
});

test("an answer without findings is refused", () => {
  assert.throws(() => parseFindings({}));
});
