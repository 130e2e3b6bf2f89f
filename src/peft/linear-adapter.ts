/** @file Methods that put a few parameters beside frozen linear maps: what LoRA and its relatives share. */

import type { z } from "zod";
import { ConfigError } from "../base/errors.js";
import { asFloat32, type HostTensor, hostTensor } from "../base/host-tensor.js";
import type { Tensor } from "../graph/index.js";
import type {
  Initializer,
  LanguageModel,
  LayerContext,
  LayerKind,
  LinearHandle,
  Parameters,
  Scope,
} from "../nn/index.js";
import { isStoredTransposed, type Linear, lastPart, linearsOf, targetedLinears } from "./linears.js";
import type { AdapterFormat, Applied, TuningMethod } from "./method.js";
import { modulesToSave } from "./modules-to-save.js";

/** A parameter beside a linear map. */
export interface AdapterParameter {
  /** As PEFT names it within the map: `lora_A.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: Initializer;
  /** Stays as it starts. */
  readonly isFrozen?: boolean;
  /** Its start where that follows from the map's weight, [out, in]. */
  readonly start?: (weight: Float32Array) => Float32Array;
}

/** What a method's forward may use besides x and its own parameters. */
export interface AdapterContext {
  dropout(x: Tensor, rate: number): Tensor;
}

/** The part of a method that knows its formula. */
export interface LinearAdapter<Config> {
  readonly name: string;
  readonly schema: z.ZodObject<z.ZodRawShape> & z.ZodType<Config>;
  readonly marks: Readonly<Record<string, boolean>>;
  /** Keys of the config that are not written. */
  readonly omit?: readonly string[];
  /** Parameters for a linear map of these sizes. At initial values the adapted map equals the base. */
  parameters(config: Config, outFeatures: number, inFeatures: number): readonly AdapterParameter[];
  /** x [..., in] → [..., out]. */
  forward(
    config: Config,
    x: Tensor,
    base: LinearHandle,
    parameters: Readonly<Record<string, Tensor>>,
    context: AdapterContext,
  ): Tensor;
  /** What merging adds to the base's weight [out, in]. */
  delta(config: Config, parameters: Readonly<Record<string, HostTensor>>, weight: Float32Array): Float32Array;
  /** Factor on `lora_B lora_A`, where `delta` is that product. */
  lowRankScale?(config: Config): number;
  /** Why the base cannot be had back from merged weights; absent where `delta` does not depend on the weight. */
  readonly keepsNot?: string;
}

/** A tuning method from its formula. It is stored as PEFT's LORA. */
export function linearAdapter<Config>(method: LinearAdapter<Config>): TuningMethod<Config> {
  const { name, schema, marks, omit } = method;
  const isFrozenPart = (config: Config): ((part: string) => boolean) => {
    const frozen = new Set(method.parameters(config, 1, 1).flatMap((p) => (p.isFrozen ? [p.name] : [])));
    return (part) => [...frozen].some((own) => part.endsWith(`.${own}`));
  };
  const format: AdapterFormat<Config> = {
    peftType: "LORA",
    marks,
    ...(omit && { omit }),
    keys: ({ base, targets }, trained) => ({
      target_modules: [...targets],
      bias: "none",
      fan_in_fan_out: isStoredTransposed(base, targets),
      ...modulesToSave(base, trained, targets),
      ...marks,
    }),
  };
  return {
    name,
    schema,
    targets: (base) => base.peftTargets,
    attach: (applied) => attached(method, applied),
    ...(method.lowRankScale && { lowRankScale: method.lowRankScale }),
    isFrozen: isFrozenPart(schema.parse({}) as Config),
    start: (applied, parameters) => starts(method, applied, parameters),
    merging: {
      merge: (applied, parameters) => addDelta(method, applied, parameters, 1),
      unmerge: method.keepsNot ?? ((applied, parameters) => addDelta(method, applied, parameters, -1)),
    },
    format,
  };
}

function attached<Config>(method: LinearAdapter<Config>, applied: Applied<Config>): LanguageModel {
  const { base } = applied;
  const kinds = Object.entries(base.kinds).map(([name, kind]) => [name, adapted(kind, method, applied)] as const);
  return { ...base, kinds: Object.fromEntries(kinds) };
}

function adapted<Config>(
  kind: LayerKind,
  method: LinearAdapter<Config>,
  { config, targets }: Applied<Config>,
): LayerKind {
  const extra = new Map(
    linearsOf(kind)
      .filter(({ name }) => targets.includes(lastPart(name)))
      .map(({ name, outFeatures, inFeatures }) => [name, method.parameters(config, outFeatures, inFeatures)]),
  );
  if (extra.size === 0) return kind;
  const specs = [...extra].flatMap(([linear, parameters]) =>
    // "plain": adapters of adapters and packing leave them alone
    parameters.map(({ name, shape, init }) => ({ name: `${linear}.${name}`, shape, init, matrix: "plain" as const })),
  );
  const linear = (scope: Scope, context: LayerContext, name: string): LinearHandle => {
    const base = scope.linear(name);
    const own = extra.get(name);
    if (!own) return base;
    const tensors = Object.fromEntries(own.map((p) => [p.name, scope.tensor(`${name}.${p.name}`)]));
    const { inFeatures, outFeatures } = base;
    return { inFeatures, outFeatures, forward: (x) => method.forward(config, x, base, tensors, context) };
  };
  return {
    parameters: [...kind.parameters, ...specs],
    build: (scope, x, context) => kind.build({ ...scope, linear: (name) => linear(scope, context, name) }, x, context),
  };
}

/** A weight as [out, in]; the very array where it is stored so. */
function rowsOfWeight({ outFeatures, inFeatures, isTransposed }: Linear, weight: HostTensor): Float32Array {
  const data = asFloat32(weight);
  if (!isTransposed) return data;
  const out = new Float32Array(data.length);
  for (let i = 0; i < inFeatures; i++) {
    for (let o = 0; o < outFeatures; o++) out[o * inFeatures + i] = data[i * outFeatures + o]!;
  }
  return out;
}

function starts<Config>(
  method: LinearAdapter<Config>,
  { base, config, targets }: Applied<Config>,
  parameters: Parameters,
): Map<string, HostTensor> {
  const values = new Map<string, HostTensor>();
  for (const linear of targetedLinears(base, targets)) {
    for (const { name, shape, start } of method.parameters(config, linear.outFeatures, linear.inFeatures)) {
      if (!start) continue;
      const weight = rowsOfWeight(linear, parameters.get(`${linear.name}.weight`)!);
      values.set(`${linear.name}.${name}`, hostTensor("float32", shape, start(weight)));
    }
  }
  return values;
}

function addDelta<Config>(
  method: LinearAdapter<Config>,
  { base, config, targets }: Applied<Config>,
  parameters: Parameters,
  sign: 1 | -1,
): void {
  for (const linear of targetedLinears(base, targets)) {
    const { name, outFeatures, inFeatures, isTransposed } = linear;
    const own = method
      .parameters(config, outFeatures, inFeatures)
      .map((p) => [p.name, parameters.get(`${name}.${p.name}`)!] as const);
    const weight = parameters.get(`${name}.weight`)!;
    if (weight.dtype !== "float32") {
      throw new ConfigError(
        `merging: "${name}.weight" is packed (${weight.dtype}); merge into the base's own weights, or into what unpackFrozen gives`,
      );
    }
    const change = method.delta(config, Object.fromEntries(own), rowsOfWeight(linear, weight));
    const data = weight.data as Float32Array;
    for (let i = 0; i < data.length; i++) {
      const at = isTransposed ? (i % outFeatures) * inFeatures + Math.floor(i / outFeatures) : i;
      data[i]! += sign * change[at]!;
    }
  }
}
