/** @file The tensors of a model by what they are for and by the layer that they belong to. */

import type { StoredTensor } from "../../checkpoint/index.js";
import {
  type ModelPart,
  type ModelTensor,
  type PartName,
  partNames,
  type TensorGroup,
} from "../../server/studio/wire/index.js";

/** By names as Hugging Face, GGUF and GPT-2 write them; the first that fits decides. */
const patterns: readonly (readonly [PartName, RegExp])[] = [
  ["norm", /norm|ln_/i],
  ["head", /lm_head|embed_out|^output\.|pooler|classifier|^cls\.|qa_outputs|^vocab_/],
  ["embedding", /embed|embd|wte|wpe|token_types|^shared\./],
  ["attention", /attn|attention/i],
  ["mlp", /mlp|ffn|feed_forward|expert|moe|intermediate|output\.dense|dense_|DenseReluDense/],
];

export const partOf = (name: string): PartName => patterns.find(([, pattern]) => pattern.test(name))?.[0] ?? "other";

/** "Layer 3", or the part where a tensor is of no layer. */
function groupOf(name: string, part: PartName): string {
  const layer = /(?:^|\.)(?:layers?|h|blk|block|blocks)\.(\d+)\./.exec(name)?.[1];
  // of T5, which has two stacks of layers
  const stack = /^(?:en|de)coder(?=\.block)/.exec(name)?.[0];
  if (layer !== undefined) return stack ? `${stack} layer ${layer}` : `Layer ${layer}`;
  return part === "norm" ? "head" : part;
}

type Stored = ReadonlyMap<string, StoredTensor>;

/** Groups in the order in which a model computes: what reads tokens, layers, what writes. */
export function groupsOf(tensors: Stored, ofAdapter: Stored = new Map()): TensorGroup[] {
  const groups = new Map<string, ModelTensor[]>();
  const add = (name: string, part: PartName, { shape, type, bytes }: StoredTensor): void => {
    const group = groupOf(name, part);
    const list = groups.get(group) ?? [];
    list.push({ name, part, shape, type, bytes });
    groups.set(group, list);
  };
  for (const [name, stored] of tensors) add(name, partOf(name), stored);
  for (const [name, stored] of ofAdapter) add(name, "adapter", stored);
  return [...groups]
    .map(([name, list]) => ({ name, tensors: list.sort((a, b) => (a.name < b.name ? -1 : 1)) }))
    .sort((a, b) => placeOf(a.name) - placeOf(b.name));
}

/** Place after all layers of an encoder. */
const DECODER = 1e6;

function placeOf(group: string): number {
  const layer = /^(decoder )?.*layer (\d+)$/i.exec(group);
  if (layer) return (layer[1] ? DECODER : 0) + Number(layer[2]);
  return group === "embedding" ? -1 : 2 * DECODER;
}

export const countOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Totals of what parameters are for; parts without any are left out. */
export function partsOf(groups: readonly TensorGroup[]): ModelPart[] {
  const all = groups.flatMap(({ tensors }) => tensors);
  return partNames.flatMap((name) => {
    const own = all.filter(({ part }) => part === name);
    if (own.length === 0) return [];
    const numParameters = own.reduce((sum, { shape }) => sum + countOf(shape), 0);
    return [{ name, numParameters, bytes: own.reduce((sum, { bytes }) => sum + bytes, 0) }];
  });
}
