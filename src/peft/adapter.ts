/** @file What is tuned of a model: made, attached, started, merged and taken out, the same for every method. */

import { ConfigError, messageOf, UnsupportedError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { initialize, type LanguageModel, type ParameterSpec, type Parameters, parameterSpecs } from "../nn/index.js";
import { parametersNamed } from "./groups.js";
import { linearNames } from "./linears.js";
import type { Applied, StartOptions, TuningMethod } from "./method.js";
import { type MethodName, methods } from "./methods/index.js";

/** A method with its configuration and what it applies to, as plain data. */
export interface Adapter {
  readonly method: MethodName;
  /** What the method reads of adapter_config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Last part of the names of the linear maps: `q_proj`. Empty for methods that attach to none. */
  readonly targets: readonly string[];
  /** Parameters of the base that are trained, by full name: the method's own choice and what is trained beside it. */
  readonly trained: readonly string[];
  /** Keys of the base's config.json that it was trained with, where they are not those of the base's own file. */
  readonly baseConfig?: Readonly<Record<string, unknown>>;
}

export interface AdapterOptions {
  /** Default "lora". */
  readonly method?: MethodName;
  /** Default: the model family's own list. */
  readonly targets?: readonly string[];
  /** Options of the method, as adapter_config.json names them. */
  readonly config?: Readonly<Record<string, unknown>>;
  /**
   * Parameters of the base to train as well: groups ("embedding", "head", "norms", "biases") or modules by name. PEFT's
   * `modules_to_save`.
   */
  readonly alsoTrain?: readonly string[];
  /** Keys of the base's config.json that were changed for it: `loadAdapter` refuses bases that differ in them. */
  readonly baseConfig?: Readonly<Record<string, unknown>>;
}

/** A model as an adapter makes it: what plans, loops and engines need to know of a method. */
export interface Tuning {
  /** The model that is trained and run. */
  readonly model: LanguageModel;
  /** Its parameters that the base has not. */
  readonly added: readonly ParameterSpec[];
  /** Whether a parameter of the model is trained, by full name. */
  readonly isTrainable: (name: string) => boolean;
  /** Placeholders that every text must begin with. */
  readonly numVirtualTokens: number;
  /** Values of `added` before training. */
  start(parameters: Parameters, options?: StartOptions): Map<string, HostTensor>;
}

/** A method by name, for any config: configs are parsed by the method's own schema before they reach it. */
export function methodOf(name: MethodName): TuningMethod<unknown> {
  return methods[name] as TuningMethod<unknown>;
}

export const appliedTo = (base: LanguageModel, { config, targets }: Adapter): Applied<unknown> => ({
  base,
  config,
  targets,
});

/**
 * An adapter for a model.
 * @throws ConfigError when an option is unknown or out of range, a name stands for nothing in the model, or the model has
 * nothing that the method trains.
 */
export function createAdapter(model: LanguageModel, options: AdapterOptions = {}): Adapter {
  const { method: name = "lora", config = {}, alsoTrain = [] } = options;
  const method = methodOf(name);
  const known = Object.keys(method.schema.shape);
  const unknown = Object.keys(config).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new ConfigError(`"${name}" has no option "${unknown}"; it has: ${known.join(", ") || "none"}`);
  }
  const parsed = method.schema.safeParse(config);
  if (!parsed.success) throw new ConfigError(`adapter "${name}": ${messageOf(parsed.error)}`);
  const targets = options.targets ?? method.targets?.(model) ?? [];
  checkTargets(model, name, method, targets);
  const chosen = new Set([...(method.select?.(model, parsed.data) ?? []), ...parametersNamed(model, alsoTrain)]);
  return {
    method: name,
    config: parsed.data as Readonly<Record<string, unknown>>,
    targets,
    trained: parameterSpecs(model).flatMap((spec) => (chosen.has(spec.name) ? [spec.name] : [])),
    ...(options.baseConfig && { baseConfig: options.baseConfig }),
  };
}

function checkTargets(
  model: LanguageModel,
  name: string,
  { targets: attaches }: TuningMethod<unknown>,
  targets: readonly string[],
): void {
  if (!attaches) {
    if (targets.length === 0) return;
    throw new ConfigError(`"${name}" attaches to no linear map, so it has no targets; leave out ${targets.join(", ")}`);
  }
  const linears = linearNames(model);
  const unknown = targets.filter((target) => !linears.includes(target));
  if (unknown.length > 0 || targets.length === 0) {
    throw new ConfigError(
      `adapter "${name}": no linear map is called ${unknown.join(", ") || "nothing"}; this model has: ${linears.join(", ")}`,
    );
  }
}

/** The model with the adapter's parameters in their places. */
export function attach(base: LanguageModel, adapter: Adapter): LanguageModel {
  return methodOf(adapter.method).attach?.(appliedTo(base, adapter)) ?? base;
}

/** The parameters that an attached model has and its base has not. */
export function adapterSpecs(base: LanguageModel, attached: LanguageModel): ParameterSpec[] {
  const known = new Set(parameterSpecs(base).map(({ name }) => name));
  return parameterSpecs(attached).filter(({ name }) => !known.has(name));
}

/**
 * What an adapter makes of a model.
 * @throws ConfigError when the model has parameters of the same names already: one adapter of a kind at a time.
 */
export function tuningOf(base: LanguageModel, adapter: Adapter): Tuning {
  const method = methodOf(adapter.method);
  const model = attach(base, adapter);
  const names = parameterSpecs(model).map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new ConfigError(`the model has a parameter "${twice}" already; merge its adapter before attaching another`);
  }
  const added = adapterSpecs(base, model);
  const own = new Set(added.map(({ name }) => name));
  const trained = new Set(adapter.trained);
  return {
    model,
    added,
    isTrainable: (name) => trained.has(name) || (own.has(name) && !method.isFrozen?.(name)),
    numVirtualTokens: method.numVirtualTokens?.(adapter.config) ?? 0,
    start: (parameters, options = {}) =>
      new Map([
        ...initialize(added, options.seed ?? 0),
        ...(method.start?.(appliedTo(base, adapter), parameters, options) ?? []),
      ]),
  };
}

/**
 * Puts the adapter into the base's weights, in place: the base alone then computes what base and adapter did.
 * @throws UnsupportedError for methods whose parameters are no weights.
 */
export function merge(base: LanguageModel, adapter: Adapter, parameters: Parameters): void {
  const { merging } = methodOf(adapter.method);
  if (typeof merging === "string")
    throw new UnsupportedError(`adapters of method "${adapter.method}" cannot be merged into the base: ${merging}`);
  merging.merge(appliedTo(base, adapter), parameters);
}

/**
 * Takes the adapter out again; weights return to within a rounding of what they were.
 * @throws UnsupportedError where merged weights do not say what the base's were.
 */
export function unmerge(base: LanguageModel, adapter: Adapter, parameters: Parameters): void {
  const { merging } = methodOf(adapter.method);
  const unmerging = typeof merging === "string" ? merging : merging.unmerge;
  const why =
    typeof unmerging === "string"
      ? unmerging
      : adapter.trained.length > 0
        ? "the base's values were trained in place"
        : "";
  if (typeof unmerging === "string" || why)
    throw new UnsupportedError(
      `adapters of method "${adapter.method}" cannot be taken out of merged weights: ${why}; keep the base's files`,
    );
  unmerging(appliedTo(base, adapter), parameters);
}
