/** @file Fewer key/value heads for a model that has more: multi-head attention to grouped or multi-query attention. */

import { ConfigError, UnsupportedError } from "../base/errors.js";
import { type HostTensor, zeros } from "../base/host-tensor.js";
import type { LanguageModel, Parameters } from "../nn/index.js";

/** Parameters whose rows are key or value heads, under Llama's names. */
const KEY_OR_VALUE = /\.self_attn\.[kv]_proj\.(weight|bias)$/;

export interface GroupedCheckpoint {
  /** Contents of config.json, for `modelFromConfig`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly parameters: Map<string, HostTensor>;
}

/**
 * A checkpoint with `numKvHeads` key/value heads, each the mean of those it replaces; train it on for a while (GQA, Ainslie
 * et al. 2023, arXiv:2305.13245, section 2.1: 5% of the original steps). Other parameters are shared, not copied.
 * With as many heads as before nothing changes; with 1 it is multi-query attention. The cache shrinks in proportion.
 * @throws ConfigError when the heads do not divide into whole groups; UnsupportedError when the model's keys and values
 * are not linear maps of their own.
 */
export function groupKvHeads(model: LanguageModel, parameters: Parameters, numKvHeads: number): GroupedCheckpoint {
  const spec = model.caches.find((cache) => cache !== undefined);
  const names = [...parameters.keys()].filter((name) => KEY_OR_VALUE.test(name));
  if (!spec || names.length === 0) {
    throw new UnsupportedError(
      `key/value heads of ${model.family} models cannot be grouped: this takes parameters named self_attn.k_proj and self_attn.v_proj`,
    );
  }
  if (!(Number.isInteger(numKvHeads) && numKvHeads >= 1) || spec.numKvHeads % numKvHeads !== 0) {
    throw new ConfigError(
      `${spec.numKvHeads} key/value heads do not divide into ${numKvHeads}; take a divisor of ${spec.numKvHeads}`,
    );
  }
  const pooled = names.map((name) => [name, meanOfGroups(parameters.get(name)!, spec.numKvHeads, numKvHeads)] as const);
  return {
    config: { ...model.config, num_key_value_heads: numKvHeads },
    parameters: new Map([...parameters, ...pooled]),
  };
}

/** [from · C, ...] → [to · C, ...]: neighbouring heads averaged. */
function meanOfGroups({ shape, data }: HostTensor, from: number, to: number): HostTensor {
  const [rows = 0, ...rest] = shape;
  const size = from / to;
  const out = zeros("float32", [(rows / from) * to, ...rest]);
  const headLength = data.length / from;
  for (let i = 0; i < out.data.length; i++) {
    const [head, within] = [Math.floor(i / headLength), i % headLength];
    let sum = 0;
    for (let member = 0; member < size; member++) sum += Number(data[(head * size + member) * headLength + within]);
    out.data[i] = sum / size;
  }
  return out;
}
