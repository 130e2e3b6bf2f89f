/** @file Adapters on disk: folders that Hugging Face PEFT reads and writes, and folders of methods that PEFT has not. */

import { CheckpointError, ConfigError, UnsupportedError } from "../base/errors.js";
import { asFloat32, type HostTensor, hostTensor } from "../base/host-tensor.js";
import { type JsonValue, readAdapter, writeAdapter } from "../checkpoint/index.js";
import { type LanguageModel, type Parameters, parameterSpecs } from "../nn/index.js";
import { type Adapter, adapterSpecs, appliedTo, attach, createAdapter, methodOf } from "./adapter.js";
import type { AdapterFormat } from "./method.js";
import { type MethodName, methods } from "./methods/index.js";
import { tiedHead } from "./modules-to-save.js";

/** How PEFT names parameters within its wrapper. */
const PEFT_PREFIX = "base_model.model.";

/** Key of our own in adapter_config.json, which PEFT passes over: `Adapter.baseConfig`. */
const BASE_CONFIG = "base_config";

export interface SaveAdapterOptions {
  /** Path or hub id of the base, for the model card; PEFT reads it to load the base. */
  readonly baseModel?: string;
}

const keyOf = ({ keyOf: own }: AdapterFormat<unknown>, name: string): string => own?.(name) ?? PEFT_PREFIX + name;

/** Names and shapes of an adapter's values, in the order of the model. */
function valueSpecs(base: LanguageModel, adapter: Adapter): { name: string; shape: readonly number[] }[] {
  const trained = parameterSpecs(base).filter(({ name }) => adapter.trained.includes(name));
  return [...adapterSpecs(base, attach(base, adapter)), ...trained];
}

/**
 * Writes the adapter as a folder that Hugging Face PEFT loads, where it has the method (LoRA and its relatives, LN tuning,
 * prompt and prefix tuning). Other methods' folders are read by `loadAdapter` alone; merge, and write the model, for others.
 * @throws UnsupportedError when PEFT's format has no place for what is trained.
 */
export async function saveAdapter(
  folder: string,
  base: LanguageModel,
  adapter: Adapter,
  parameters: Parameters,
  { baseModel }: SaveAdapterOptions = {},
): Promise<void> {
  const { format, targets } = methodOf(adapter.method);
  const stored = format.toStored?.(appliedTo(base, adapter), parameters);
  const written = stored ? { ...adapter, config: stored.config as Adapter["config"] } : adapter;
  const values = stored ? new Map([...parameters, ...stored.parameters]) : parameters;
  const applied = appliedTo(base, written);
  const kept = Object.entries(written.config).filter(([key]) => !format.omit?.includes(key));
  const config = {
    peft_type: format.peftType,
    task_type: "CAUSAL_LM",
    base_model_name_or_path: baseModel ?? null,
    inference_mode: true,
    ...(adapter.baseConfig && { [BASE_CONFIG]: adapter.baseConfig }),
    ...Object.fromEntries(kept),
    ...format.keys?.(applied, written.trained),
  };
  const own = new Map(valueSpecs(base, written).map(({ name }) => [name, trainedValue(values, name)]));
  const tensors = new Map(
    format.toFile?.(applied, own) ?? [...own].map(([name, tensor]) => [keyOf(format, name), tensor] as const),
  );
  if (targets)
    for (const name of tiedHead(base, adapter.trained)) tensors.set(PEFT_PREFIX + name, own.get(base.embedding.name)!);
  await writeAdapter(folder, { config: config as Readonly<Record<string, JsonValue>> & typeof config, tensors });
}

function trainedValue(parameters: Parameters, name: string): HostTensor {
  const tensor = parameters.get(name);
  if (!tensor)
    throw new ConfigError(`the adapter has no parameter "${name}"; give what was trained, as the map holds it`);
  return tensor;
}

export interface LoadAdapterOptions {
  /** Read it as this method, where several are stored alike (LoRA-FA and LongLoRA are LoRA once trained). */
  readonly method?: MethodName;
}

/**
 * Reads an adapter folder written by Tessera or PEFT. `parameters` holds the adapter's own values, and those of the base's
 * parameters that were trained with it under their own names: laid over the base's, they make the tuned model.
 * @throws CheckpointError when it does not fit the base, naming the first tensor that differs, or the key of its config.json
 * (an adapter of a longer context than the base has).
 */
export async function loadAdapter(
  folder: string,
  base: LanguageModel,
  { method }: LoadAdapterOptions = {},
): Promise<{ adapter: Adapter; parameters: Map<string, HostTensor> }> {
  const { config: written, tensors } = await readAdapter(folder);
  const { [BASE_CONFIG]: baseConfig, ...config } = written;
  const ofBase = isObject(baseConfig) ? baseConfig : undefined;
  if (ofBase) checkBaseConfig(folder, ofBase, base.config);
  const name = methodIn(folder, config, method);
  const { schema, format, targets: attaches } = methodOf(name);
  const targets = attaches ? targetsIn(folder, config) : [];
  const read = Object.keys(schema.shape);
  refuseUnread(folder, config, [...read, ...Object.keys(format.marks ?? {})]);
  const adapter: Adapter = {
    ...createAdapter(base, {
      method: name,
      ...(attaches && { targets }),
      config: Object.fromEntries(Object.entries(config).filter(([key]) => read.includes(key))),
      ...(ofBase && { baseConfig: ofBase }),
    }),
    // what was trained is what is there
    trained: parameterSpecs(base).flatMap((spec) => (tensors.has(keyOf(format, spec.name)) ? [spec.name] : [])),
  };
  const heads = attaches ? tiedHead(base, adapter.trained) : [];
  for (const head of heads) checkTied(folder, tensors, base.embedding.name, head);
  const specs = valueSpecs(base, adapter);
  const fromFile = format.fromFile?.(appliedTo(base, adapter), tensors);
  const parameters = new Map<string, HostTensor>();
  for (const { name: local, shape } of specs) {
    const key = keyOf(format, local);
    const tensor = fromFile ? fromFile.get(local) : tensors.get(key);
    if (!tensor || `${tensor.shape}` !== `${shape}`) {
      const found = tensor ? `[${tensor.shape}]` : "nothing";
      throw new CheckpointError(
        `${folder}: the adapter does not fit this base: expected ${key} of shape [${shape}], found ${found}`,
      );
    }
    parameters.set(local, hostTensor("float32", tensor.shape, asFloat32(tensor)));
  }
  const known = [...specs.map((spec) => keyOf(format, spec.name)), ...heads.map((head) => PEFT_PREFIX + head)];
  if (!fromFile) refuseForeign(folder, tensors, new Set(known));
  return { adapter, parameters };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** @throws CheckpointError naming a key of the base's config.json that is not as the adapter was trained with. */
function checkBaseConfig(
  folder: string,
  expected: Readonly<Record<string, unknown>>,
  actual: Readonly<Record<string, unknown>>,
): void {
  const agrees = (ours: unknown, theirs: unknown): boolean =>
    isObject(ours)
      ? isObject(theirs) && Object.entries(ours).every(([key, value]) => agrees(value, theirs[key]))
      : JSON.stringify(ours) === JSON.stringify(theirs);
  const wrong = Object.keys(expected).find((key) => !agrees(expected[key], actual[key]));
  if (wrong === undefined) return;
  throw new CheckpointError(
    `${folder}: the adapter was trained on a base whose config.json says "${wrong}": ${JSON.stringify(expected[wrong])}, this one has ${JSON.stringify(actual[wrong] ?? null)}; take the merged model that was written beside the adapter, or a base with ${JSON.stringify(expected)}`,
  );
}

function refuseForeign(folder: string, tensors: Parameters, known: ReadonlySet<string>): void {
  const extra = [...tensors.keys()].find((key) => !known.has(key));
  if (extra === undefined) return;
  throw new CheckpointError(
    `${folder}: the adapter does not fit this base: tensor "${extra}" belongs to nothing in it`,
  );
}

/** The method that a folder is of. */
function methodIn(
  folder: string,
  config: Readonly<Record<string, unknown>>,
  wanted: MethodName | undefined,
): MethodName {
  const ofType = (Object.keys(methods) as MethodName[]).filter(
    (key) => methodOf(key).format.peftType === config.peft_type,
  );
  const fits = (key: MethodName): boolean =>
    Object.entries(methodOf(key).format.marks ?? {}).every(([mark, value]) => (config[mark] ?? false) === value);
  const found = ofType.filter(fits);
  if (!found[0]) {
    const types = [...new Set(Object.values(methods).map(({ format }) => format.peftType))];
    throw new UnsupportedError(
      `${folder}: peft_type ${JSON.stringify(config.peft_type)} is not supported; supported are: ${types.join(", ")}`,
    );
  }
  if (wanted === undefined) return found[0];
  if (found.includes(wanted)) return wanted;
  throw new ConfigError(`${folder}: the adapter is no "${wanted}"; it can be read as: ${found.join(", ")}`);
}

function targetsIn(folder: string, { target_modules: targets }: Readonly<Record<string, unknown>>): string[] {
  if (Array.isArray(targets)) return targets.map(String);
  throw new UnsupportedError(`${folder}: target_modules must be a list of names, got ${JSON.stringify(targets)}`);
}

/** PEFT keeps a tied pair as two tensors, and parts them when one is trained alone; here they are one. */
function checkTied(folder: string, tensors: Parameters, embedding: string, head: string): void {
  const [a, b] = [embedding, head].map((name) => tensors.get(PEFT_PREFIX + name));
  if (a && b && a.data.length === b.data.length && a.data.every((value, i) => value === b.data[i])) return;
  throw new UnsupportedError(
    `${folder}: "${embedding}" and "${head}" are tied in this base, but the adapter ${b ? "has two values for them" : "trained the one and not the other"}, which this base cannot hold`,
  );
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
  // what was trained beside the adapter shows in the tensors
  "modules_to_save",
  "ensure_weight_tying",
  // read by PEFT only where use_qalora or megatron_config are set
  "qalora_group_size",
  "megatron_core",
  // sizes of the base, checked by the tensors' shapes, and how the start was made
  "num_layers",
  "num_attention_heads",
  "token_dim",
  "num_transformer_submodules",
  "prompt_tuning_init",
  "prompt_tuning_init_text",
  "tokenizer_name_or_path",
  "tokenizer_kwargs",
  "init_weights",
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
