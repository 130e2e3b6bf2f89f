/** @file A layer over whole sequences as a graph: what training and evaluation run once per layer. */

import { UnsupportedError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { deriveSeed } from "../base/rng.js";
import { type FrozenFormatName, frozenFormats, mapParts } from "../compress/index.js";
import { cappedAttention } from "../graph/functional/capped-attention.js";
import {
  type Aval,
  causalAttention,
  dropout,
  type Graph,
  graph,
  reshape,
  shiftedAttention,
  type Tensor,
  transpose,
} from "../graph/index.js";
import { type AttentionRequest, type LanguageModel, scopeOf } from "../nn/index.js";

/** Sizes of the batches that a plan is made for. */
export interface SequenceShape {
  /** Sequences per micro-batch. */
  readonly batchSize: number;
  /** Tokens per sequence. */
  readonly time: number;
  /** Sequences hold several documents, kept apart by segment ids. */
  readonly packed: boolean;
  /** Queries per attention tile. */
  readonly attentionTile: number;
}

const TABLE = "table.";

/** Inputs of a layer's graph that are the same for all layers: positions, segments where packed, and tables. */
export function sharedInputs(model: LanguageModel, { batchSize, time, packed }: SequenceShape): Record<string, Aval> {
  const ids: Aval = { dtype: "int64", shape: [batchSize, time] };
  const tables = Object.entries(model.tables(1)).map(([name, { dtype, shape }]) => [
    TABLE + name,
    { dtype, shape: [time, ...shape.slice(1)] },
  ]);
  return { positions: ids, ...(packed && { segments: ids }), ...Object.fromEntries(tables) };
}

/** Feeds for the tables among the shared inputs. */
export function tableFeeds(model: LanguageModel, time: number): Record<string, HostTensor> {
  return Object.fromEntries(Object.entries(model.tables(time)).map(([name, table]) => [TABLE + name, table]));
}

/**
 * What a layer's graph is built for: "train" reads a scalar `seed` for dropout masks, "evaluate" has no dropout,
 * "report" has none either and hands out what the layer reports as `report.<name>`.
 */
export type LayerMode = "train" | "evaluate" | "report";

export const REPORT = "report.";

/** Forms of a layer's packed weights by local name. */
export type FrozenLocals = Readonly<Record<string, FrozenFormatName>>;

/** `x` and a layer's parameters by local name → `y`, both [B, T, D]. Packed weights are unpacked where they are used. */
export function layerGraph(
  model: LanguageModel,
  kind: string,
  shape: SequenceShape,
  mode: LayerMode,
  frozen: FrozenLocals = {},
): Graph {
  const { parameters, build } = model.kinds[kind]!;
  const weights: Record<string, Aval> = {};
  for (const spec of parameters) {
    const format = frozen[spec.name];
    if (!format) weights[spec.name] = { dtype: "float32", shape: spec.shape };
    else
      for (const [suffix, part] of Object.entries(frozenFormats[format].parts(spec.shape)))
        weights[spec.name + suffix] = part;
  }
  const x: Aval = { dtype: "float32", shape: [shape.batchSize, shape.time, model.hiddenSize] };
  const seed: Aval = { dtype: "int32", shape: [] };
  const all: Record<string, Aval> = { x, ...(mode === "train" && { seed }), ...sharedInputs(model, shape), ...weights };
  let numMasks = 0;
  const reports: Record<string, Tensor> = {};
  return graph(`layer.${kind}`, all, (inputs) => {
    const tables = Object.entries(inputs).flatMap(([name, tensor]) =>
      name.startsWith(TABLE) ? [[name.slice(TABLE.length), tensor] as const] : [],
    );
    const context = {
      positions: inputs.positions!,
      tables: Object.fromEntries(tables),
      attend: (request: AttentionRequest) => attendWhole(request, shape, inputs.segments, mode),
      dropout: (h: Tensor, rate: number) =>
        mode === "train" ? dropout(h, inputs.seed!, { rate, salt: deriveSeed(numMasks++, "dropout") }) : h,
      report: (name: string, value: Tensor) => {
        if (mode === "report") reports[REPORT + name] = value;
      },
    };
    const tensors = { ...inputs };
    for (const [name, format] of Object.entries(frozen)) {
      const { parts, read } = frozenFormats[format];
      const { shape: weightShape } = parameters.find((spec) => spec.name === name)!;
      tensors[name] = read(
        mapParts(parts(weightShape), (_, suffix) => inputs[name + suffix]!),
        weightShape,
      );
    }
    return { y: build(scopeOf(tensors, parameters), inputs.x!, context), ...reports };
  });
}

/** Attention over whole sequences: heads apart, causal tiles, heads together again. */
function attendWhole(
  request: AttentionRequest,
  shape: SequenceShape,
  segments: Tensor | undefined,
  mode: LayerMode,
): Tensor {
  const { q, k, v, numHeads, numKvHeads, headDim, scale, window, softcap, bias } = request;
  const share = mode === "train" ? request.trainingGroup : undefined;
  if (bias && softcap !== undefined)
    throw new UnsupportedError("attention: a bias on the scores and a softcap do not go together");
  const { batchSize, time, attentionTile } = shape;
  const heads = (x: Tensor, count: number): Tensor =>
    transpose(reshape(x, [batchSize, time, count, headDim]), [0, 2, 1, 3]);
  const parts = [heads(q, numHeads), heads(k, numKvHeads), heads(v, numKvHeads)] as const;
  const visible = { scale, ...(window !== undefined && { window }), ...(segments && { segments }) };
  if (share !== undefined && (bias || softcap !== undefined))
    throw new UnsupportedError("attention in shifted groups does not go with a bias on the scores or a softcap");
  const tile = Math.min(attentionTile, time);
  const attended =
    share !== undefined
      ? shiftedAttention(...parts, { ...visible, group: share * time, tile })
      : softcap === undefined
        ? causalAttention(...parts, { ...visible, ...(bias && { bias }), tile })
        : cappedAttention(...parts, { ...visible, softcap });
  return reshape(transpose(attended, [0, 2, 1, 3]), [batchSize, time, numHeads * headDim]);
}
