/** @file Parameters of the base that are trained beside an adapter, as PEFT's `modules_to_save`. */

import { UnsupportedError } from "../base/errors.js";
import { type LanguageModel, parameterSpecs } from "../nn/index.js";
import { moduleOf } from "./groups.js";
import { lastPart } from "./linears.js";

/**
 * Keys of adapter_config.json that make PEFT keep these parameters.
 * @throws UnsupportedError for parts of modules, and for modules that the adapter is attached to: PEFT keeps neither.
 */
export function modulesToSave(
  base: LanguageModel,
  trained: readonly string[],
  targets: readonly string[],
): Readonly<Record<string, unknown>> {
  if (trained.length === 0) return { modules_to_save: null };
  const modules = [...new Set(trained.map(moduleOf))];
  const partial = parameterSpecs(base).find(({ name }) => modules.includes(moduleOf(name)) && !trained.includes(name));
  const adapted = modules.find((name) => targets.includes(lastPart(name)));
  if (partial || adapted !== undefined) {
    const [module, why] = partial
      ? [moduleOf(partial.name), `"${partial.name}" is not trained`]
      : [adapted, "the adapter is attached to it"];
    throw new UnsupportedError(
      `an adapter folder keeps whole modules beside the adapter, but of "${module}" ${why}; merge the adapter and write the model instead`,
    );
  }
  return { modules_to_save: [...modules, ...tiedHead(base, trained).map(moduleOf)] };
}

/**
 * Name under which PEFT wants a trained embedding once more where the head is tied to it: it would leave the head as the
 * base has it.
 */
export function tiedHead({ head, embedding }: LanguageModel, trained: readonly string[]): string[] {
  if (head.weight.name !== embedding.name || !trained.includes(embedding.name)) return [];
  if (head.tiedName === undefined) {
    throw new UnsupportedError(
      `the trained embedding is also the head, but the model does not say what adapter folders call that (head.tiedName); merge the adapter and write the model instead`,
    );
  }
  return [head.tiedName];
}
