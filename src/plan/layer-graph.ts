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
  shiftedAttention,
  shownAttention,
  type Tensor,
} from "../graph/index.js";
import {
  type AttentionRequest,
  type LanguageModel,
  type LayerContext,
  type LayerKind,
  type Scope,
  scopeOf,
} from "../nn/index.js";
import { joinHeads, splitHeads } from "./whole-sequence.js";

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
  /** Keys per attention tile. Default that of `causalAttention`. */
  readonly keyTile?: number | undefined;
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
 * "report" has none either and hands out what the layer reports as `report.<name>`; "inspect" does so with the
 * probabilities of its attention too, [B, H, T, T], as `report.attention`.
 */
export type LayerMode = "train" | "evaluate" | "report" | "inspect";

export const REPORT = "report.";
export const ATTENTION = "attention";

type Tensors = Readonly<Record<string, Tensor>>;

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
  const layer = model.kinds[kind]!;
  const reports: Record<string, Tensor> = {};
  return graph(`layer.${kind}`, layerInputs(model, layer, shape, mode, frozen), (inputs) => {
    const report = (name: string, value: Tensor): void => {
      if (mode === "report" || mode === "inspect") reports[REPORT + name] = value;
    };
    const shown = mode === "inspect" && {
      attend: (request: AttentionRequest) => attendShown(request, inputs.segments, report),
    };
    const context = { ...wholeContext(inputs, shape, mode), report, ...shown };
    return { y: layer.build(layerScope(layer, inputs, frozen), inputs.x!, context), ...reports };
  });
}

/** What a layer's graph reads: hidden states `x` [B, T, D], what all layers share, and its parameters by local name. */
export function layerInputs(
  model: LanguageModel,
  { parameters }: LayerKind,
  shape: SequenceShape,
  mode: LayerMode,
  frozen: FrozenLocals,
): Record<string, Aval> {
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
  return { x, ...(mode === "train" && { seed }), ...sharedInputs(model, shape), ...weights };
}

/** A layer's parameters among the inputs of its graph, packed ones unpacked. */
export function layerScope({ parameters }: LayerKind, inputs: Tensors, frozen: FrozenLocals): Scope {
  const tensors = { ...inputs };
  for (const [name, format] of Object.entries(frozen)) {
    const { parts, read } = frozenFormats[format];
    const { shape } = parameters.find((spec) => spec.name === name)!;
    tensors[name] = read(
      mapParts(parts(shape), (_, suffix) => inputs[name + suffix]!),
      shape,
    );
  }
  return scopeOf(tensors, parameters);
}

/** What surrounds a layer over whole sequences. */
export function wholeContext(inputs: Tensors, shape: SequenceShape, mode: LayerMode): LayerContext {
  const tables = Object.entries(inputs).flatMap(([name, tensor]) =>
    name.startsWith(TABLE) ? [[name.slice(TABLE.length), tensor] as const] : [],
  );
  let numMasks = 0;
  return {
    positions: inputs.positions!,
    tables: Object.fromEntries(tables),
    attend: (request) => attendWhole(request, shape, inputs.segments, mode),
    dropout: (h, rate) =>
      mode === "train" ? dropout(h, inputs.seed!, { rate, salt: deriveSeed(numMasks++, "dropout") }) : h,
  };
}

/** Attention over whole sequences: heads apart, causal tiles, heads together again. */
function attendWhole(
  request: AttentionRequest,
  shape: SequenceShape,
  segments: Tensor | undefined,
  mode: LayerMode,
): Tensor {
  const { q, k, v, numHeads, numKvHeads, scale, window, softcap, bias } = request;
  const share = mode === "train" ? request.trainingGroup : undefined;
  if (bias && softcap !== undefined)
    throw new UnsupportedError("attention: a bias on the scores and a softcap do not go together");
  const { time, attentionTile, keyTile } = shape;
  const parts = [splitHeads(q, numHeads), splitHeads(k, numKvHeads), splitHeads(v, numKvHeads)] as const;
  const visible = {
    scale,
    ...(window !== undefined && { window }),
    ...(segments && { segments }),
    ...(keyTile !== undefined && { keyTile }),
  };
  if (share !== undefined && (bias || softcap !== undefined))
    throw new UnsupportedError("attention in shifted groups does not go with a bias on the scores or a softcap");
  const tile = Math.min(attentionTile, time);
  const attended =
    share !== undefined
      ? shiftedAttention(...parts, { ...visible, group: share * time, tile })
      : softcap === undefined
        ? causalAttention(...parts, { ...visible, ...(bias && { bias }), tile })
        : cappedAttention(...parts, { ...visible, softcap });
  return joinHeads(attended);
}

/** The same without tiles, which would never have the probabilities as a whole. */
function attendShown(
  { q, k, v, numHeads, numKvHeads, scale, window, softcap, bias }: AttentionRequest,
  segments: Tensor | undefined,
  report: NonNullable<LayerContext["report"]>,
): Tensor {
  const { out, probabilities } = shownAttention(
    splitHeads(q, numHeads),
    splitHeads(k, numKvHeads),
    splitHeads(v, numKvHeads),
    {
      scale,
      ...(window !== undefined && { window }),
      ...(softcap !== undefined && { softcap }),
      ...(segments && { segments }),
      ...(bias && { bias }),
    },
  );
  report(ATTENTION, probabilities);
  return joinHeads(out);
}
