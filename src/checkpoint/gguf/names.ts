/** @file Names of tensors in GGUF and in Hugging Face's models, both ways. */

import type { Architecture, NameRule } from "./architectures/architecture.js";

/** A tensor's other name and the rule that gave it. */
export interface Translation {
  readonly name: string;
  readonly rule: NameRule;
}

/** Hugging Face's name of a GGUF tensor; `undefined` when the architecture has none. */
export function hfNameOf(architecture: Architecture, name: string): Translation | undefined {
  return translate(architecture, name, "gguf", "hf");
}

/** The GGUF name of a tensor, with or without the family's prefix; `undefined` when the architecture has none. */
export function ggufNameOf(architecture: Architecture, name: string): Translation | undefined {
  for (const spelling of spellings(architecture, name)) {
    const found = translate(architecture, spelling, "hf", "gguf");
    if (found) return found;
  }
  return undefined;
}

/** Whether GGUF has no place for a tensor and the model is whole without it. */
export function isOmitted(architecture: Architecture, name: string): boolean {
  return spellings(architecture, name).some((spelling) => architecture.omitted?.test(spelling));
}

function spellings({ prefix }: Architecture, name: string): readonly string[] {
  if (prefix === undefined) return [name];
  return [name, name.startsWith(prefix) ? name.slice(prefix.length) : prefix + name];
}

function translate(
  { rules }: Architecture,
  name: string,
  from: "gguf" | "hf",
  to: "gguf" | "hf",
): Translation | undefined {
  const [, base, end] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
  if (base === undefined || end === undefined) return undefined;
  const layer = /\.(\d+)\./.exec(base)?.[1];
  const pattern = layer === undefined ? base : base.replace(`.${layer}.`, ".{}.");
  const rule = rules.find((candidate) => candidate[from] === pattern);
  return rule && { name: `${layer === undefined ? rule[to] : rule[to].replace("{}", layer)}.${end}`, rule };
}
