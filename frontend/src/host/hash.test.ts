import assert from "node:assert/strict";
import { test } from "node:test";
import { readHash, writeHash } from "./hash.ts";

test("entries come back from the address, whatever is in them", () => {
  const entries = new Map([
    ["terms", "a&b=c%/λ🚀#"],
    ["view", "lines"],
    ["empty", ""],
  ]);
  assert.deepEqual(readHash(writeHash("#regularization", entries)), entries);
});

test("what others put into the address stays", () => {
  const hash = writeHash("#regularization&p.other.x=1&tag=a%20b", new Map([["view", "lines"]]));
  assert.equal(hash, "#regularization&p.other.x=1&tag=a%20b&p.regularization.view=lines");
  assert.equal(writeHash(hash, new Map()), "#regularization&p.other.x=1&tag=a%20b");
});

test("another tab's address is none of ours", () => {
  assert.equal(readHash("#timeseries&p.regularization.view=lines"), undefined);
  assert.equal(readHash(""), undefined);
  assert.deepEqual(readHash("#regularization"), new Map());
});

test("an address that somebody broke is read as far as it can be", () => {
  const entries = readHash("#regularization&p.regularization.terms=100%&%zz=1&p.regularization.x");
  assert.deepEqual(
    entries,
    new Map([
      ["terms", "100%"],
      ["x", ""],
    ]),
  );
});
