/** @file Adapters on models: attach, merge, unmerge, save and load, the same for every method. */

import { CheckpointError, ConfigError, messageOf, UnsupportedError } from "../base/errors.js";
import { asFloat32, type HostTensor, hostTensor } from "../base/host-tensor.js";
import { readAdapter, writeAdapter } from "../checkpoint/index.js";
import type {
  LanguageModel,
  LayerContext,
  LayerKind,
  LinearHandle,
  ParameterSpec,
  Parameters,
  Scope,
} from "../nn/index.js";
import { linearShape, parameterSpecs } from "../nn/index.js";
import type { PeftMethod } from "./method.js";
import { type MethodName, methods } from "./methods/index.js";

/** A method with its configuration and the linear maps it attaches to. */
export interface Adapter {
  readonly method: MethodName;
  /** What the method reads of adapter_config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Last part of the names of the linear maps: `q_proj`. */
  readonly targets: readonly string[];
}

export interface AdapterOptions {
  readonly method?: MethodName;
  /** Default: the model family's own list. */
  readonly targets?: readonly string[];
  /** Options of the method, as adapter_config.json names them. */
  readonly config?: Readonly<Record<string, unknown>>;
}

function methodOf(name: MethodName): PeftMethod<unknown> {
  return methods[name] as PeftMethod<unknown>;
}

/**
 * An adapter for a model.
 * @throws ConfigError when an option is out of range or a target names no linear map of the model.
 */
export function createAdapter(model: LanguageModel, options: AdapterOptions = {}): Adapter {
  const { method = "lora", targets = model.peftTargets, config = {} } = options;
  const parsed = methodOf(method).schema.safeParse(config);
  if (!parsed.success) throw new ConfigError(`adapter "${method}": ${messageOf(parsed.error)}`);
  const linears = new Set(
    Object.values(model.kinds)
      .flatMap(linearsOf)
      .map(({ name }) => lastPart(name)),
  );
  const unknown = targets.filter((target) => !linears.has(target));
  if (unknown.length > 0 || targets.length === 0) {
    throw new ConfigError(
      `adapter "${method}": no linear map is called ${unknown.join(", ") || "nothing"}; this model has: ${[...linears].join(", ")}`,
    );
  }
  return { method, config: parsed.data as Readonly<Record<string, unknown>>, targets };
}

const lastPart = (name: string): string => name.slice(name.lastIndexOf(".") + 1);

interface Linear {
  readonly name: string;
  readonly outFeatures: number;
  readonly inFeatures: number;
  /** The weight is stored [in, out]. */
  readonly isTransposed: boolean;
}

/** Linear maps of a kind of layer: names without `.weight`, with their sizes. */
function linearsOf(kind: LayerKind): Linear[] {
  return kind.parameters.flatMap((spec) => {
    const sizes = linearShape(spec);
    const name = spec.name.slice(0, -".weight".length);
    return sizes ? [{ name, ...sizes, isTransposed: spec.matrix === "transposed" }] : [];
  });
}

/** The model with the adapter's parameters beside the linear maps it targets. */
export function attach(model: LanguageModel, adapter: Adapter): LanguageModel {
  const kinds = Object.entries(model.kinds).map(([name, kind]) => [name, adapted(kind, adapter)] as const);
  return { ...model, kinds: Object.fromEntries(kinds) };
}

function adapted(kind: LayerKind, adapter: Adapter): LayerKind {
  const method = methodOf(adapter.method);
  const extra = new Map(
    linearsOf(kind)
      .filter(({ name }) => adapter.targets.includes(lastPart(name)))
      .map(({ name, outFeatures, inFeatures }) => [name, method.parameters(adapter.config, outFeatures, inFeatures)]),
  );
  const specs = [...extra].flatMap(([linear, parameters]) =>
    parameters.map((parameter) => ({ ...parameter, name: `${linear}.${parameter.name}` })),
  );
  const linear = (scope: Scope, context: LayerContext, name: string): LinearHandle => {
    const base = scope.linear(name);
    const own = extra.get(name);
    if (!own) return base;
    const tensors = Object.fromEntries(own.map((p) => [p.name, scope.tensor(`${name}.${p.name}`)]));
    return { ...base, forward: (x) => method.forward(adapter.config, x, base, tensors, context) };
  };
  return {
    parameters: [...kind.parameters, ...specs],
    build: (scope, x, context) => kind.build({ ...scope, linear: (name) => linear(scope, context, name) }, x, context),
  };
}

/** The parameters that an attached model has and its base has not. */
export function adapterSpecs(base: LanguageModel, attached: LanguageModel): ParameterSpec[] {
  const known = new Set(parameterSpecs(base).map(({ name }) => name));
  return parameterSpecs(attached).filter(({ name }) => !known.has(name));
}

/** Weights of linear maps with the adapter's parameters for each, by the map's full name. */
function* adaptedLinears(
  model: LanguageModel,
  adapter: Adapter,
  parameters: Parameters,
): Generator<{ weight: HostTensor; isTransposed: boolean; own: Record<string, HostTensor> }> {
  const method = methodOf(adapter.method);
  for (const { kind, prefix } of model.layers) {
    for (const { name, outFeatures, inFeatures, isTransposed } of linearsOf(model.kinds[kind]!)) {
      if (!adapter.targets.includes(lastPart(name))) continue;
      const own = method.parameters(adapter.config, outFeatures, inFeatures).map((p) => {
        const tensor = parameters.get(`${prefix}${name}.${p.name}`);
        if (!tensor) throw new ConfigError(`the adapter has no parameter "${prefix}${name}.${p.name}"`);
        return [p.name, tensor] as const;
      });
      yield { weight: parameters.get(`${prefix}${name}.weight`)!, isTransposed, own: Object.fromEntries(own) };
    }
  }
}

function addDelta(model: LanguageModel, adapter: Adapter, parameters: Parameters, sign: 1 | -1): void {
  const { delta } = methodOf(adapter.method);
  if (!delta) throw new UnsupportedError(`adapters of method "${adapter.method}" cannot be merged into the base`);
  for (const { weight, isTransposed, own } of adaptedLinears(model, adapter, parameters)) {
    const change = delta(adapter.config, own); // [out, in]
    const data = weight.data as Float32Array;
    const [rows, columns] = weight.shape as readonly [number, number];
    for (let i = 0; i < data.length; i++) {
      const at = isTransposed ? (i % columns) * rows + Math.floor(i / columns) : i;
      data[i]! += sign * change[at]!;
    }
  }
}

/** Adds the adapter to the base's weights, in place: the base alone then computes what base and adapter did. */
export function merge(base: LanguageModel, adapter: Adapter, parameters: Parameters): void {
  addDelta(base, adapter, parameters, 1);
}

/** Takes the adapter out again; weights return to within a rounding of what they were. */
export function unmerge(base: LanguageModel, adapter: Adapter, parameters: Parameters): void {
  addDelta(base, adapter, parameters, -1);
}

/** PEFT's `fan_in_fan_out`: the targets' weights are stored [in, out]. */
function isStoredTransposed(base: LanguageModel, { targets }: Adapter): boolean {
  const linears = Object.values(base.kinds).flatMap(linearsOf);
  return linears.some(({ name, isTransposed }) => isTransposed && targets.includes(lastPart(name)));
}

/** How PEFT names an adapter's parameters. */
const PEFT_PREFIX = "base_model.model.";

export interface SaveAdapterOptions {
  /** Path or hub id of the base, for the model card; PEFT reads it to load the base. */
  readonly baseModel?: string;
}

/** Writes the adapter as a folder that Hugging Face PEFT loads. */
export async function saveAdapter(
  folder: string,
  base: LanguageModel,
  adapter: Adapter,
  parameters: Parameters,
  { baseModel }: SaveAdapterOptions = {},
): Promise<void> {
  const specs = adapterSpecs(base, attach(base, adapter));
  const config = {
    peft_type: methodOf(adapter.method).peftType,
    task_type: "CAUSAL_LM",
    base_model_name_or_path: baseModel ?? null,
    target_modules: [...adapter.targets],
    bias: "none",
    fan_in_fan_out: isStoredTransposed(base, adapter),
    inference_mode: true,
    ...adapter.config,
  };
  const tensors = new Map(specs.map(({ name }) => [PEFT_PREFIX + name, parameters.get(name)!]));
  await writeAdapter(folder, { config, tensors });
}

/**
 * Reads an adapter folder written by Tessera or PEFT.
 * @throws CheckpointError when it does not fit the base, naming the first tensor that differs.
 */
export async function loadAdapter(
  folder: string,
  base: LanguageModel,
): Promise<{ adapter: Adapter; parameters: Map<string, HostTensor> }> {
  const { config, tensors } = await readAdapter(folder);
  const name = (Object.keys(methods) as MethodName[]).find((key) => methods[key].peftType === config.peft_type);
  if (!name) {
    throw new UnsupportedError(
      `${folder}: peft_type ${JSON.stringify(config.peft_type)} is not supported; supported are: ${Object.keys(methods).join(", ")}`,
    );
  }
  const targets = config.target_modules;
  if (!Array.isArray(targets)) {
    throw new UnsupportedError(`${folder}: target_modules must be a list of names, got ${JSON.stringify(targets)}`);
  }
  refuseUnread(folder, config, Object.keys(methods[name].schema.shape));
  const adapter = createAdapter(base, { method: name, targets: targets.map(String), config });
  const parameters = new Map<string, HostTensor>();
  const specs = adapterSpecs(base, attach(base, adapter));
  for (const { name: local, shape } of specs) {
    const tensor = tensors.get(PEFT_PREFIX + local);
    if (!tensor || `${tensor.shape}` !== `${shape}`) {
      const found = tensor ? `[${tensor.shape}]` : "nothing";
      throw new CheckpointError(
        `${folder}: the adapter does not fit this base: expected ${PEFT_PREFIX}${local} of shape [${shape}], found ${found}`,
      );
    }
    parameters.set(local, hostTensor("float32", tensor.shape, asFloat32(tensor)));
  }
  if (tensors.size !== specs.length) {
    const known = new Set(specs.map((spec) => PEFT_PREFIX + spec.name));
    const extra = [...tensors.keys()].find((key) => !known.has(key));
    throw new CheckpointError(`${folder}: tensor "${extra}" belongs to nothing in this base`);
  }
  return { adapter, parameters };
}

/** Keys of adapter_config.json that change nothing in what an adapter computes, whatever their value. */
const INERT = new Set([
  "peft_type",
  "peft_version",
  "task_type",
  "base_model_name_or_path",
  "revision",
  "target_modules",
  "inference_mode",
  // how the base stores its weights, which the base itself says
  "fan_in_fan_out",
  "auto_mapping",
  "init_lora_weights",
]);

/** @throws UnsupportedError for a key that would change the result and that nothing here reads. */
function refuseUnread(folder: string, config: Readonly<Record<string, unknown>>, read: readonly string[]): void {
  const isOff = (value: unknown): boolean =>
    value === null ||
    value === false ||
    value === "none" ||
    (typeof value === "object" && Object.keys(value).length === 0);
  const unread = Object.entries(config).find(([key, value]) => !INERT.has(key) && !read.includes(key) && !isOff(value));
  if (unread) {
    throw new UnsupportedError(
      `${folder}: "${unread[0]}": ${JSON.stringify(unread[1])} in adapter_config.json is not supported; leaving it out would change the result`,
    );
  }
}
