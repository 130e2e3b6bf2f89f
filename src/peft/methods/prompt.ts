/** @file Prompt tuning (Lester et al. 2021, arXiv:2104.08691, section 2): trained embeddings before every text. */

import { z } from "zod";
import { ConfigError } from "../../base/errors.js";
import { hostTensor } from "../../base/host-tensor.js";
import { Rng } from "../../base/rng.js";
import type { LanguageModel, LayerKind, ParameterSpec, Parameters } from "../../nn/index.js";
import type { Applied, StartOptions, TuningMethod } from "../method.js";
import { checkPositions, NOT_WEIGHTS, replaceVirtual } from "../virtual-tokens.js";

const schema = z.object({
  num_virtual_tokens: z.int().positive().default(20),
});

type PromptConfig = z.output<typeof schema>;

/** The parameter, and its key in PEFT's file. */
const EMBEDDINGS = "prompt_embeddings";

/** The embeddings enter where tokens' do: before what else a model does ahead of its first attention layer. */
function attachPrompt({ base, config }: Applied<PromptConfig>): LanguageModel {
  checkPositions("prompt", base);
  const spec: ParameterSpec = {
    name: EMBEDDINGS,
    shape: [config.num_virtual_tokens, base.hiddenSize],
    init: base.embedding.init,
    matrix: "plain",
  };
  const before = base.kinds.stem;
  const stem: LayerKind = {
    parameters: [spec, ...(before?.parameters ?? [])],
    build: (scope, x, context) => {
      const prompted = replaceVirtual(x, context.positions, scope.tensor(EMBEDDINGS));
      return before ? before.build(scope, prompted, context) : prompted;
    },
  };
  return {
    ...base,
    kinds: { ...base.kinds, stem },
    layers: before ? base.layers : [{ kind: "stem", prefix: "" }, ...base.layers],
    caches: before ? base.caches : [undefined, ...base.caches],
  };
}

/** Embeddings of a text's tokens, repeated or cut; of random tokens where there is no text (section 3.2). */
function startPrompt(
  { base, config: { num_virtual_tokens: count } }: Applied<PromptConfig>,
  parameters: Parameters,
  { seed = 0, promptIds }: StartOptions,
) {
  const rng = new Rng(seed);
  const ids = promptIds ?? Array.from({ length: count }, () => rng.below(base.vocabSize));
  const wrong = Array.from(ids).find((id) => !(id >= 0 && id < base.vocabSize));
  if (ids.length === 0 || wrong !== undefined) {
    throw new ConfigError(
      `prompt tuning: expected token ids from 0 to ${base.vocabSize - 1} to start from, got ${wrong ?? "none"}`,
    );
  }
  const width = base.hiddenSize;
  const table = parameters.get(base.embedding.name)!.data as Float32Array;
  const rows = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    const id = ids[i % ids.length]!;
    rows.set(table.subarray(id * width, (id + 1) * width), i * width);
  }
  return new Map([[EMBEDDINGS, hostTensor("float32", [count, width], rows)]]);
}

export const prompt: TuningMethod<PromptConfig> = {
  name: "prompt",
  schema,
  attach: attachPrompt,
  start: startPrompt,
  numVirtualTokens: ({ num_virtual_tokens }) => num_virtual_tokens,
  merging: NOT_WEIGHTS,
  format: {
    peftType: "PROMPT_TUNING",
    keyOf: (name) => name,
    keys: ({ base }, trained) => ({
      ...virtualKeys("prompt", base, trained),
      token_dim: base.hiddenSize,
      num_attention_heads: base.caches.find((cache) => cache)!.numKvHeads,
      prompt_tuning_init: "RANDOM",
    }),
  },
};

/**
 * Keys that PEFT has for every method of virtual tokens.
 * @throws ConfigError when parameters of the base are trained as well, which its format does not hold.
 */
export function virtualKeys(name: string, base: LanguageModel, trained: readonly string[]) {
  if (trained.length > 0) {
    throw new ConfigError(
      `PEFT's format of ${name} tuning holds no parameters of the base, but "${trained[0]}" was trained too; write the model for these`,
    );
  }
  return {
    num_layers: base.caches.filter((cache) => cache !== undefined).length,
    num_transformer_submodules: 1,
  };
}
