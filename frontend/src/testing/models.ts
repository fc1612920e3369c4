/** The names of what well-known models train, as their frameworks give them. */

const layers = (count: number) => Array.from({ length: count }, (_, layer) => layer);

const RESNET_STAGES = [3, 4, 6, 3];

/** keras.applications.ResNet50. */
export const RESNET: readonly string[] = [
  ...["conv", "bn"].flatMap((part) => resnetLayer(`conv1_${part}`)),
  ...RESNET_STAGES.flatMap((blocks, stage) =>
    layers(blocks).flatMap((block) =>
      layers(4)
        .filter((layer) => layer > 0 || block === 0)
        .flatMap((layer) =>
          ["conv", "bn"].flatMap((part) =>
            resnetLayer(`conv${stage + 2}_block${block + 1}_${layer}_${part}`),
          ),
        ),
    ),
  ),
  "predictions/kernel",
  "predictions/bias",
];

function resnetLayer(layer: string): readonly string[] {
  return (layer.endsWith("bn") ? ["gamma", "beta"] : ["kernel", "bias"]).map(
    (part) => `${layer}/${part}`,
  );
}

const BERT_PARTS = [
  ...["query", "key", "value"].map((part) => `attention/self/${part}`),
  "attention/output/dense",
  "intermediate/dense",
  "output/dense",
].flatMap((part) => [`${part}/kernel`, `${part}/bias`]);

export const BERT: readonly string[] = [
  ...["word", "position", "token_type"].map((what) => `bert/embeddings/${what}_embeddings`),
  ...layers(12).flatMap((layer) => BERT_PARTS.map((part) => `bert/encoder/layer_${layer}/${part}`)),
  "bert/pooler/dense/kernel",
  "bert/pooler/dense/bias",
];

const GPT2_PARTS = ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"];

export const GPT2: readonly string[] = [
  "transformer.wte.weight",
  "transformer.wpe.weight",
  ...layers(12).flatMap((layer) =>
    ["ln_1", ...GPT2_PARTS, "ln_2"].flatMap((part) =>
      ["weight", "bias"].map((what) => `transformer.h.${layer}.${part}.${what}`),
    ),
  ),
  "transformer.ln_f.weight",
  "transformer.ln_f.bias",
];
