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
  ["norm", /norm|ln_|layernorm/i],
  ["head", /lm_head|embed_out|^output\.|pooler|classifier|^cls\.|qa_outputs/],
  ["embedding", /embed|embd|wte|wpe|token_types/],
  ["attention", /attn|attention/],
  ["mlp", /mlp|ffn|feed_forward|expert|moe|intermediate|output\.dense|dense_/],
];

export const partOf = (name: string): PartName => patterns.find(([, pattern]) => pattern.test(name))?.[0] ?? "other";

/** "Layer 3", or the part where a tensor is of no layer. */
function groupOf(name: string, part: PartName): string {
  const layer = /(?:^|\.)(?:layers?|h|blk|block|blocks)\.(\d+)\./.exec(name)?.[1];
  if (layer !== undefined) return `Layer ${layer}`;
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

function placeOf(group: string): number {
  const layer = /^Layer (\d+)$/.exec(group)?.[1];
  if (layer !== undefined) return Number(layer);
  return group === "embedding" ? -1 : Number.MAX_SAFE_INTEGER;
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
