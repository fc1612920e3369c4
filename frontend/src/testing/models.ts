/** The names of what well-known models train, as their frameworks give them. */

const layers = (count: number) => Array.from({ length: count }, (_, layer) => layer);

/** keras.applications.ResNet50. */
export const RESNET = resnet([3, 4, 6, 3]);
/** keras.applications.ResNet152. */
export const RESNET_152 = resnet([3, 8, 36, 3]);

/** As keras/src/applications/resnet.py names its layers. */
function resnet(stages: readonly number[]): readonly string[] {
  return [
    ...["conv", "bn"].flatMap((part) => resnetLayer(`conv1_${part}`)),
    ...stages.flatMap((blocks, stage) =>
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
}

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

/** GPT2LMHeadModel of transformers/models/gpt2/modeling_gpt2.py: gpt2 has 12 blocks, gpt2-xl 48. */
const gpt2 = (blocks: number): readonly string[] => [
  "transformer.wte.weight",
  "transformer.wpe.weight",
  ...layers(blocks).flatMap((layer) =>
    ["ln_1", ...GPT2_PARTS, "ln_2"].flatMap((part) =>
      ["weight", "bias"].map((what) => `transformer.h.${layer}.${part}.${what}`),
    ),
  ),
  "transformer.ln_f.weight",
  "transformer.ln_f.bias",
];
export const GPT2 = gpt2(12);
export const GPT2_XL = gpt2(48);

const withBias = (part: string) => [`${part}.weight`, `${part}.bias`];

/** bert-large, BertModel of transformers/models/bert/modeling_bert.py within a model with a head. */
export const BERT_LARGE: readonly string[] = [
  ...["word", "position", "token_type"].map((what) => `bert.embeddings.${what}_embeddings.weight`),
  ...withBias("bert.embeddings.LayerNorm"),
  ...layers(24).flatMap((layer) =>
    [
      ...["query", "key", "value"].map((part) => `attention.self.${part}`),
      ...["attention.output.dense", "attention.output.LayerNorm", "intermediate.dense"],
      ...["output.dense", "output.LayerNorm"],
    ].flatMap((part) => withBias(`bert.encoder.layer.${layer}.${part}`)),
  ),
  ...withBias("bert.pooler.dense"),
];

/** Llama 2 70B: LlamaForCausalLM of transformers/models/llama/modeling_llama.py. */
export const LLAMA: readonly string[] = [
  "model.embed_tokens.weight",
  ...layers(80).flatMap((layer) =>
    [
      ...["q", "k", "v", "o"].map((part) => `self_attn.${part}_proj`),
      ...["gate", "up", "down"].map((part) => `mlp.${part}_proj`),
      "input_layernorm",
      "post_attention_layernorm",
    ].map((part) => `model.layers.${layer}.${part}.weight`),
  ),
  "model.norm.weight",
  "lm_head.weight",
];

/** vit-base: ViTForImageClassification of transformers/models/vit/modeling_vit.py. */
export const VIT: readonly string[] = [
  "vit.embeddings.cls_token",
  "vit.embeddings.position_embeddings",
  ...withBias("vit.embeddings.patch_embeddings.projection"),
  ...layers(12).flatMap((layer) =>
    [
      ...["query", "key", "value"].map((part) => `attention.attention.${part}`),
      ...["attention.output.dense", "intermediate.dense", "output.dense"],
      ...["layernorm_before", "layernorm_after"],
    ].flatMap((part) => withBias(`vit.encoder.layer.${layer}.${part}`)),
  ),
  ...withBias("vit.layernorm"),
  ...withBias("classifier"),
];

const EFFICIENTNET_BLOCK = [
  ...["expand_conv/kernel", "expand_bn/gamma", "expand_bn/beta"],
  ...["dwconv/depthwise_kernel", "bn/gamma", "bn/beta"],
  ...["se_reduce/kernel", "se_reduce/bias", "se_expand/kernel", "se_expand/bias"],
  ...["project_conv/kernel", "project_bn/gamma", "project_bn/beta"],
];

/** keras.applications.EfficientNetB7, as keras/src/applications/efficientnet.py names its layers. */
export const EFFICIENTNET_B7: readonly string[] = [
  ...["stem_conv/kernel", "stem_bn/gamma", "stem_bn/beta"],
  ...[4, 7, 7, 10, 10, 13, 4].flatMap((blocks, stage) =>
    layers(blocks).flatMap((block) =>
      // The first stage expands nothing.
      EFFICIENTNET_BLOCK.filter((part) => stage > 0 || !part.startsWith("expand")).map(
        (part) => `block${stage + 1}${String.fromCharCode(97 + block)}_${part}`,
      ),
    ),
  ),
  ...["top_conv/kernel", "top_bn/gamma", "top_bn/beta", "predictions/kernel", "predictions/bias"],
];
