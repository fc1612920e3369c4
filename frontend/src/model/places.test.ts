import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BERT,
  BERT_LARGE,
  EFFICIENTNET_B7,
  GPT2,
  GPT2_XL,
  LLAMA,
  RESNET,
  RESNET_152,
  VIT,
} from "../testing/models.ts";
import { MOST_TERMS, placesOf } from "./places.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** What is seen first: groups, and terms in none. */
const firstSight = (names: readonly string[]) => {
  const places = placesOf(names);
  return [...new Set(names.map((name) => places.get(name)?.[0] ?? name))];
};

/** The same of what is in a group, once it is opened. */
const openedSight = (names: readonly string[], group: string) => {
  const places = placesOf(names);
  const members = names.filter((name) => places.get(name)?.includes(group));
  const within = (name: string) => {
    const around = places.get(name) ?? [];
    return around[around.indexOf(group) + 1] ?? name;
  };
  return [...new Set(members.map(within))];
};

test("many terms are grouped by stage, block or layer, whatever the framework names them", () => {
  const stages = ["conv1", "conv2", "conv3", "conv4", "conv5"];
  assert.deepEqual(firstSight(RESNET), [...stages, "predictions"]);
  assert.deepEqual(firstSight(RESNET_152), [...stages, "predictions"]);
  assert.deepEqual(firstSight(BERT), [
    "bert/embeddings",
    ...range(12).map((layer) => `bert/encoder/layer_${layer}`),
    "bert/pooler",
  ]);
  assert.deepEqual(firstSight(GPT2), [
    "transformer.wte.weight",
    "transformer.wpe.weight",
    ...range(12).map((block) => `transformer.h.${block}`),
    "transformer.ln_f",
  ]);
  assert.deepEqual(firstSight(VIT), [
    "vit.embeddings",
    ...range(12).map((layer) => `vit.encoder.layer.${layer}`),
    "vit.layernorm",
    "classifier",
  ]);
  assert.deepEqual(firstSight(EFFICIENTNET_B7), [
    "stem_conv/kernel",
    "stem_bn",
    ...range(7).map((stage) => `block${stage + 1}`),
    "top_conv/kernel",
    "top_bn",
    "predictions",
  ]);
});

test("more layers than colours are shown as ranges, named by their ends", () => {
  assert.deepEqual(firstSight(LLAMA), [
    "model.embed_tokens.weight",
    ...range(8).map((ten) => `model.layers.${10 * ten}–${10 * ten + 9}`),
    "model.norm.weight",
    "lm_head.weight",
  ]);
  assert.deepEqual(firstSight(GPT2_XL).slice(2, -1), [
    ...range(9).map((five) => `transformer.h.${5 * five}–${5 * five + 4}`),
    "transformer.h.45–47",
  ]);
  assert.deepEqual(firstSight(BERT_LARGE), [
    "bert.embeddings",
    ...["0–4", "5–9", "10–14", "15–19", "20–23"].map((ends) => `bert.encoder.layer.${ends}`),
    "bert.pooler",
  ]);
});

test("a group opens to the next finer part of its names, and at last to its terms", () => {
  assert.deepEqual(
    openedSight(RESNET_152, "conv4"),
    range(36).map((block) => `conv4_block${block + 1}`),
  );
  assert.equal(openedSight(RESNET_152, "conv4_block23")[0], "conv4_block23_1_conv/kernel");
  assert.deepEqual(
    openedSight(EFFICIENTNET_B7, "block2"),
    [..."abcdefg"].map((block) => `block2${block}`),
  );
  assert.deepEqual(
    openedSight(LLAMA, "model.layers.70–79"),
    range(10).map((layer) => `model.layers.${70 + layer}`),
  );
  assert.equal(openedSight(LLAMA, "model.layers.7").length, 9);
});

test("no model has more at first sight than there are colours, nor nearly all in one group", () => {
  const head = [...RESNET.map((name) => `resnet50/${name}`), "dense/kernel", "dense/bias"];
  const experts = range(32).flatMap((layer) =>
    range(8).flatMap((expert) =>
      ["w1", "w2", "w3"].map((w) => `model.layers.${layer}.mlp.experts.${expert}.${w}.weight`),
    ),
  );
  const many = range(10_000).map((i) => `block_${i >> 2}/layer_${i % 4}/kernel`);
  const all = [RESNET, RESNET_152, BERT, BERT_LARGE, GPT2, GPT2_XL, LLAMA, VIT, EFFICIENTNET_B7];
  for (const names of [...all, head, experts, many]) {
    const places = placesOf(names);
    const first = firstSight(names);
    assert.ok(first.length <= MOST_TERMS, `${first.length}: ${first}`);
    for (const group of first) {
      const members = names.filter((name) => (places.get(name)?.[0] ?? name) === group);
      assert.ok(members.length <= 0.9 * names.length, group);
    }
  }
  assert.deepEqual(openedSight(many, "block_200–399").length, 10);
});

test("names of dimensions are no numbers, and a group of one is that term", () => {
  const convs = range(20).flatMap((i) => ["kernel", "bias"].map((w) => `conv2d_${i}/${w}`));
  const groups = firstSight([...convs, "conv2d/kernel", "conv2d/bias", "dense/kernel"]);
  assert.deepEqual([groups[3], groups[20], groups[21]], ["conv2d_3", "conv2d", "dense/kernel"]);
});

test("few terms, and names without a structure, stay as they are", () => {
  assert.deepEqual(firstSight(RESNET.slice(0, 24)), RESNET.slice(0, 24));
  const words = range(50).map((i) => String.fromCodePoint(0x3b1 + i));
  assert.deepEqual(firstSight(words), words);
});
