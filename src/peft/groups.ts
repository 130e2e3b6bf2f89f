/** @file Groups of a model's own parameters that methods train: biases, norms, embedding, head. */

import { ConfigError } from "../base/errors.js";
import { type LanguageModel, type ParameterSpec, parameterSpecs } from "../nn/index.js";

/** `a.b.weight` → `a.b`. */
export const moduleOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf(".")));

/** A norm is a module whose weight is a vector; its bias belongs to it. */
function norms(specs: readonly ParameterSpec[]): string[] {
  const modules = new Set(
    specs.filter(({ name, shape }) => name.endsWith(".weight") && shape.length === 1).map(({ name }) => moduleOf(name)),
  );
  return specs.map(({ name }) => name).filter((name) => modules.has(moduleOf(name)));
}

/** Names of parameters by group. A tied embedding is also the head. */
export const parameterGroups = {
  embedding: (model: LanguageModel): string[] => [model.embedding.name],
  head: (model: LanguageModel): string[] => [model.head.weight.name],
  norms: (model: LanguageModel): string[] => norms(parameterSpecs(model)),
  biases: (model: LanguageModel): string[] =>
    parameterSpecs(model)
      .map(({ name }) => name)
      .filter((name) => name.endsWith(".bias")),
} as const;

export type ParameterGroup = keyof typeof parameterGroups;

const isGroup = (word: string): word is ParameterGroup => word in parameterGroups;

/**
 * Full names of parameters: `words` are groups, or modules by their full name or by its last parts (`lm_head`).
 * @throws ConfigError for a word that stands for nothing in this model, saying what there is.
 */
export function parametersNamed(model: LanguageModel, words: readonly string[]): string[] {
  const all = parameterSpecs(model).map(({ name }) => name);
  const found = words.flatMap((word) => {
    const names = isGroup(word)
      ? parameterGroups[word](model)
      : all.filter((name) => moduleOf(name) === word || moduleOf(name).endsWith(`.${word}`));
    if (names.length === 0) throw new ConfigError(`"${word}" is nothing in this ${model.family} model; ${has(model)}`);
    return names;
  });
  const chosen = new Set(found);
  return all.filter((name) => chosen.has(name));
}

/** What a model has to train, in words, for errors. */
export function has(model: LanguageModel): string {
  const groups = Object.entries(parameterGroups).filter(([, of]) => of(model).length > 0);
  const parts = new Set(parameterSpecs(model).map(({ name }) => moduleOf(name).split(".").at(-1)!));
  return `it has the groups ${groups.map(([name]) => name).join(", ")} and the modules ${[...parts].join(", ")}`;
}
