/**
 * @file Prefix tuning (Li and Liang 2021, arXiv:2101.00190, sections 4.2 and 4.3): trained keys and values before every
 * text, in every layer. With a reparametrisation they are the output of a small network, each layer with its own, which is
 * dropped when they are saved.
 */

import { z } from "zod";
import { CheckpointError, ConfigError, UnsupportedError } from "../../base/errors.js";
import { type HostTensor, hostTensor, zeros } from "../../base/host-tensor.js";
import { add, matmul, slice, type Tensor, tanh } from "../../graph/index.js";
import type { CacheSpec, LanguageModel, LayerKind, ParameterSpec, Parameters, Scope } from "../../nn/index.js";
import type { Applied, TuningMethod } from "../method.js";
import { checkPositions, NOT_WEIGHTS, replaceVirtual } from "../virtual-tokens.js";
import { virtualKeys } from "./prompt.js";

const schema = z.object({
  num_virtual_tokens: z.int().positive().default(20),
  /** Train a network that gives the prefix instead of the prefix itself. */
  prefix_projection: z.boolean().default(false),
  /** Width of that network; as wide as a layer's keys without it. */
  encoder_hidden_size: z.int().positive().nullable().default(null),
});

type PrefixConfig = z.output<typeof schema>;

const [KEYS, VALUES] = ["prefix_keys", "prefix_values"];
const EMBEDDING = "prefix_embedding";
const [HIDDEN, OUTPUT] = ["prefix_hidden", "prefix_output"];
const FILE_KEY = "prompt_embeddings";

/** Keys and values that start near zero: attention hardly changes. */
const STD = 0.02;

function prefixSpecs(config: PrefixConfig, { numKvHeads, headDim }: CacheSpec): ParameterSpec[] {
  const [count, width] = [config.num_virtual_tokens, numKvHeads * headDim];
  const plain = (name: string, shape: number[], std: number): ParameterSpec => ({
    name,
    shape,
    init: std === 0 ? { fill: 0 } : { std },
    matrix: "plain",
  });
  if (!config.prefix_projection) return [plain(KEYS!, [count, width], STD), plain(VALUES!, [count, width], STD)];
  const hidden = config.encoder_hidden_size ?? width;
  return [
    plain(EMBEDDING, [count, width], 1),
    plain(`${HIDDEN}.weight`, [hidden, width], 1 / Math.sqrt(width)),
    plain(`${HIDDEN}.bias`, [hidden], 0),
    plain(`${OUTPUT}.weight`, [2 * width, hidden], STD),
    plain(`${OUTPUT}.bias`, [2 * width], 0),
  ];
}

/** Keys and values [n, G·C] of a layer. */
function prefixOf(config: PrefixConfig, scope: Scope): { keys: Tensor; values: Tensor } {
  if (!config.prefix_projection) return { keys: scope.tensor(KEYS!), values: scope.tensor(VALUES!) };
  const affine = (x: Tensor, name: string): Tensor =>
    add(matmul(x, scope.tensor(`${name}.weight`), { transB: true }), scope.tensor(`${name}.bias`));
  const both = affine(tanh(affine(scope.tensor(EMBEDDING), HIDDEN!)), OUTPUT!);
  const width = Number(both.shape[1]) / 2;
  return { keys: slice(both, 1, 0, width), values: slice(both, 1, width, 2 * width) };
}

function attachPrefix({ base, config }: Applied<PrefixConfig>): LanguageModel {
  checkPositions("prefix", base);
  const kinds = Object.entries(base.kinds).map(([name, kind]) => {
    const cache = base.caches[base.layers.findIndex((layer) => layer.kind === name)];
    return [name, cache ? prefixed(kind, config, cache) : kind] as const;
  });
  return { ...base, kinds: Object.fromEntries(kinds) };
}

/** A layer whose keys and values at virtual positions are the prefix; what it computes there nobody reads. */
function prefixed(kind: LayerKind, config: PrefixConfig, cache: CacheSpec): LayerKind {
  return {
    parameters: [...kind.parameters, ...prefixSpecs(config, cache)],
    build: (scope, x, context) => {
      const { keys, values } = prefixOf(config, scope);
      return kind.build(scope, x, {
        ...context,
        attend: (request) =>
          context.attend({
            ...request,
            k: replaceVirtual(request.k, context.positions, keys),
            v: replaceVirtual(request.v, context.positions, values),
          }),
      });
    },
  };
}

const attentionLayers = (base: LanguageModel): { prefix: string; cache: CacheSpec }[] =>
  base.layers.flatMap(({ prefix }, i) => (base.caches[i] ? [{ prefix, cache: base.caches[i] }] : []));

/** The prefix itself where a network gives it. */
function dropNetwork({ base, config }: Applied<PrefixConfig>, parameters: Parameters) {
  const stored = { ...config, prefix_projection: false };
  if (!config.prefix_projection) return { config: stored, parameters };
  const found = attentionLayers(base).flatMap(({ prefix }) => {
    const named = (name: string): HostTensor => parameters.get(prefix + name)!;
    const hidden = affineRows(named(EMBEDDING), named(`${HIDDEN}.weight`), named(`${HIDDEN}.bias`));
    hidden.data.forEach((value, i) => {
      hidden.data[i] = Math.tanh(Number(value));
    });
    const both = affineRows(hidden, named(`${OUTPUT}.weight`), named(`${OUTPUT}.bias`));
    const width = both.shape[1]! / 2;
    return [
      [prefix + KEYS, columns(both, 0, width)],
      [prefix + VALUES, columns(both, width, 2 * width)],
    ] as const;
  });
  return { config: stored, parameters: new Map(found) };
}

/** x wᵀ + b: x [n, in], w [out, in]. */
function affineRows(x: HostTensor, w: HostTensor, b: HostTensor): HostTensor {
  const [count, inFeatures, outFeatures] = [x.shape[0]!, x.shape[1]!, w.shape[0]!];
  const out = zeros("float32", [count, outFeatures]);
  for (let i = 0; i < count; i++) {
    for (let o = 0; o < outFeatures; o++) {
      let sum = Number(b.data[o]);
      for (let k = 0; k < inFeatures; k++)
        sum += Number(x.data[i * inFeatures + k]) * Number(w.data[o * inFeatures + k]);
      out.data[i * outFeatures + o] = sum;
    }
  }
  return out;
}

function columns({ shape, data }: HostTensor, start: number, end: number): HostTensor {
  const [count, width] = shape as readonly [number, number];
  const rows = Array.from({ length: count }, (_, i) =>
    (data as Float32Array).subarray(i * width + start, i * width + end),
  );
  return hostTensor("float32", [count, end - start], Float32Array.from(rows.flatMap((row) => [...row])));
}

/** The one cache size of all layers, which PEFT's one matrix presumes. */
function commonCache(base: LanguageModel): CacheSpec & { readonly width: number } {
  const [first, ...rest] = attentionLayers(base).map(({ cache }) => cache);
  if (rest.some(({ numKvHeads, headDim }) => numKvHeads !== first!.numKvHeads || headDim !== first!.headDim))
    throw new UnsupportedError("PEFT's format of prefix tuning holds layers of one size, but this model's differ");
  return { ...first!, width: first!.numKvHeads * first!.headDim };
}

/** [n, 2 · L · G·C]: keys and values of each layer in turn. */
function toFile({ base, config }: Applied<PrefixConfig>, parameters: Parameters): Parameters {
  const { width } = commonCache(base);
  const names = attentionLayers(base).flatMap(({ prefix }) => [prefix + KEYS, prefix + VALUES]);
  const all = zeros("float32", [config.num_virtual_tokens, names.length * width]);
  for (const [part, name] of names.entries()) {
    const from = parameters.get(name)!.data as Float32Array;
    for (let row = 0; row < config.num_virtual_tokens; row++) {
      const target = (row * names.length + part) * width;
      (all.data as Float32Array).set(from.subarray(row * width, (row + 1) * width), target);
    }
  }
  return new Map([[FILE_KEY, all]]);
}

function fromFile({ base, config }: Applied<PrefixConfig>, tensors: Parameters): Parameters {
  const { width } = commonCache(base);
  const names = attentionLayers(base).flatMap(({ prefix }) => [prefix + KEYS, prefix + VALUES]);
  if (config.prefix_projection) throw new ConfigError("prefix tuning: a saved prefix has no network any more");
  const all = tensors.get(FILE_KEY);
  const shape = [config.num_virtual_tokens, names.length * width];
  if (!all || `${all.shape}` !== `${shape}`) {
    throw new CheckpointError(
      `the adapter does not fit this base: expected ${FILE_KEY} of shape [${shape}], found ${all ? `[${all.shape}]` : "nothing"}`,
    );
  }
  return new Map(names.map((name, part) => [name, columns(all, part * width, (part + 1) * width)] as const));
}

export const prefix: TuningMethod<PrefixConfig> = {
  name: "prefix",
  schema,
  attach: attachPrefix,
  numVirtualTokens: ({ num_virtual_tokens }) => num_virtual_tokens,
  merging: NOT_WEIGHTS,
  format: {
    peftType: "PREFIX_TUNING",
    keys: ({ base }, trained) => {
      const { width, numKvHeads } = commonCache(base);
      return { ...virtualKeys("prefix", base, trained), token_dim: width, num_attention_heads: numKvHeads };
    },
    toStored: dropNetwork,
    toFile,
    fromFile,
  },
};
