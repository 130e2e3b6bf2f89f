/** @file Encoders over whole sequences: layer by layer, as a chain of stages that inference and training share. */

import { DataError } from "../base/errors.js";
import { type HostTensor, hostTensor, zeros } from "../base/host-tensor.js";
import { type Aval, type Dim, type Graph, graph } from "../graph/index.js";
import type { Encoder, EncoderAttention } from "../nn/encoder.js";
import { type Parameters, scopeOf } from "../nn/index.js";
import type { Feeds, Runtime } from "../runtime/index.js";
import { SEED } from "./stage-plan.js";
import { runStages, type Stage } from "./stages.js";
import { attendFully, dropoutContext, prefixed, type StageMode, seedInput, weightInputs } from "./whole-sequence.js";

/** Sizes of a batch, known or named. */
export interface EncoderShape {
  readonly batch: Dim;
  readonly time: Dim;
  /** Queries per attention tile; only with a known time. Without it all queries are one tile. */
  readonly attentionTile?: number;
  readonly mode: StageMode;
}

/** Sizes that each run brings along. */
export const anyShape: EncoderShape = { batch: "batch", time: "time", mode: "evaluate" };

/** Token ids [B · T] row by row, with what belongs to them. */
export interface EncoderBatch {
  readonly ids: ArrayLike<number>;
  readonly batchSize: number;
  /** 1 where there is a token, 0 for padding. Default: all are tokens. */
  readonly mask?: ArrayLike<number>;
  /** Which text of a pair a token belongs to. Default: all to the first. */
  readonly tokenTypes?: ArrayLike<number>;
}

/** Name of the hidden states before layer i, and after the last. */
export const hiddenName = (encoder: Encoder, i: number): string => `${encoder.family}.hidden.${i}`;
/** Name of the encoder's result. */
export const encodedName = (encoder: Encoder): string =>
  encoder.final ? `${encoder.family}.encoded` : hiddenName(encoder, encoder.layers.length);

const TABLE = "table.";
const SHARED = "shared.";

/** The chain from token ids to hidden states. Leaves: `ids`, `mask`, `positions`, `tokenTypes`, tables and seeds. */
export function encoderStages(encoder: Encoder, shape: EncoderShape): Stage[] {
  const stem = stemStage(encoder, shape);
  const shared = Object.keys(stem.outputs).filter((name) => name !== "y");
  const graphs = new Map<string, Graph>();
  const layer = (kind: string): Graph => {
    const known =
      graphs.get(kind) ?? layerGraph(encoder, encoder.kinds[kind]!, shape, stem.graph, `${encoder.family}.${kind}`);
    graphs.set(kind, known);
    return known;
  };
  const around = (name: string): Record<string, string> => ({
    mask: "mask",
    ...(shape.mode === "train" && { seed: `${SEED}${name}` }),
    ...Object.fromEntries(shared.map((key) => [key, stem.outputs[key]!])),
  });
  const layers = encoder.layers.map(({ kind, prefix }, i): Stage => {
    const { parameters } = encoder.kinds[kind]!;
    return {
      graph: layer(kind),
      parameters: prefixed(parameters, prefix),
      inputs: { x: hiddenName(encoder, i), ...around(hiddenName(encoder, i)) },
      outputs: { y: hiddenName(encoder, i + 1) },
    };
  });
  const { final } = encoder;
  if (!final) return [stem, ...layers];
  const last = hiddenName(encoder, encoder.layers.length);
  const end: Stage = {
    graph: layerGraph(encoder, final, shape, stem.graph, `${encoder.family}.final`),
    parameters: prefixed(final.parameters),
    inputs: { x: last, ...around(last) },
    outputs: { y: encodedName(encoder) },
  };
  return [stem, ...layers, end];
}

function stemStage(encoder: Encoder, { batch, time, mode }: EncoderShape): Stage {
  const ids: Aval = { dtype: "int64", shape: [batch, time] };
  const { parameters, build } = encoder.stem;
  const tables = Object.keys(encoder.tables);
  const inputs: Record<string, Aval> = {
    ids,
    ...(encoder.positions && { positions: ids }),
    ...(encoder.numTokenTypes > 0 && { tokenTypes: ids }),
    ...seedInput(mode),
    ...Object.fromEntries(tables.map((name) => [TABLE + name, encoder.tables[name]!.aval(time)])),
    ...weightInputs(parameters),
  };
  const built = graph(`${encoder.family}.stem`, inputs, (tensors) => {
    const given = {
      ids: tensors.ids!,
      ...(tensors.positions && { positions: tensors.positions }),
      ...(tensors.tokenTypes && { tokenTypes: tensors.tokenTypes }),
      tables: Object.fromEntries(tables.map((name) => [name, tensors[TABLE + name]!])),
    };
    const { x, ...shared } = build(scopeOf(tensors), given, dropoutContext(tensors.seed));
    return { y: x, ...Object.fromEntries(Object.entries(shared).map(([name, value]) => [SHARED + name, value])) };
  });
  const names = Object.keys(inputs).filter((name) => !parameters.some((spec) => spec.name === name));
  return {
    graph: built,
    parameters: prefixed(parameters),
    inputs: Object.fromEntries(names.map((name) => [name, name === "seed" ? `${SEED}${encoder.family}.stem` : name])),
    outputs: Object.fromEntries(
      Object.keys(built.outputs).map((name) => [
        name,
        name === "y" ? hiddenName(encoder, 0) : `${encoder.family}.${name}`,
      ]),
    ),
  };
}

/** `x`, the mask, what the stem shares and a layer's parameters by local name → `y`. */
function layerGraph(
  encoder: Encoder,
  { parameters, build }: Encoder["kinds"][string],
  { batch, time, attentionTile, mode }: EncoderShape,
  stem: Graph,
  name: string,
): Graph {
  const shared = Object.entries(stem.outputs).filter(([key]) => key.startsWith(SHARED));
  const inputs: Record<string, Aval> = {
    x: { dtype: "float32", shape: [batch, time, encoder.hiddenSize] },
    mask: { dtype: "bool", shape: [batch, time] },
    ...seedInput(mode),
    ...Object.fromEntries(shared.map(([key, { dtype, shape }]) => [key, { dtype, shape }])),
    ...weightInputs(parameters),
  };
  return graph(name, inputs, (tensors) => {
    const { dropout: drop, nextSalt } = dropoutContext(tensors.seed);
    const context = {
      shared: Object.fromEntries(shared.map(([key]) => [key.slice(SHARED.length), tensors[key]!])),
      dropout: drop,
      attend: (request: EncoderAttention) =>
        attendFully(request, tensors.mask!, tensors.seed, nextSalt(), attentionTile),
    };
    return { y: build(scopeOf(tensors), tensors.x!, context) };
  });
}

/**
 * Values of the chain's leaves for a batch.
 * @throws DataError when sizes do not fit, an id is not in the vocabulary, or a sequence is longer than the encoder takes.
 */
export function encoderFeeds(encoder: Encoder, batch: EncoderBatch): Record<string, HostTensor> {
  const { ids, batchSize, mask, tokenTypes } = batch;
  const time = ids.length / batchSize;
  const what = `encoding with ${encoder.family}`;
  if (!Number.isInteger(time) || time === 0) {
    throw new DataError(`${what}: ${ids.length} ids do not make ${batchSize} sequences of one length; pad them`);
  }
  if (time > encoder.maxPositions) {
    throw new DataError(
      `${what}: sequences have ${time} tokens, but the model takes at most ${encoder.maxPositions}; cut them or chunk the text`,
    );
  }
  const ofBatch = (name: string, values: ArrayLike<number>, below: number): HostTensor => {
    if (values.length !== ids.length) throw new DataError(`${what}: ${values.length} ${name} for ${ids.length} ids`);
    const data = new BigInt64Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (!Number.isInteger(value) || value < 0 || value >= below) {
        throw new DataError(`${what}: ${name} must be whole numbers from 0 to ${below - 1}, got ${value} at ${i}`);
      }
      data[i] = BigInt(value);
    }
    return hostTensor("int64", [batchSize, time], data);
  };
  const seen = zeros("bool", [batchSize, time]);
  for (let i = 0; i < ids.length; i++) seen.data[i] = mask ? Number(mask[i] !== 0) : 1;
  if (mask && mask.length !== ids.length)
    throw new DataError(`${what}: a mask of ${mask.length} for ${ids.length} ids`);
  if (tokenTypes && encoder.numTokenTypes === 0) throw new DataError(`${what}: this model has no token types`);
  const none = new Int32Array(ids.length);
  const positions = encoder.positions?.(ids, time);
  return {
    ids: ofBatch("ids", ids, encoder.vocabSize),
    mask: seen,
    ...(positions && { positions: ofBatch("positions", positions, Number.MAX_SAFE_INTEGER) }),
    ...(encoder.numTokenTypes > 0 && { tokenTypes: ofBatch("token types", tokenTypes ?? none, encoder.numTokenTypes) }),
    ...Object.fromEntries(Object.entries(encoder.tables).map(([name, table]) => [TABLE + name, table.values(time)])),
  };
}

export interface Encoded {
  /** The encoder's result [B, T, D]. */
  readonly hidden: HostTensor;
  /** Hidden states before each layer and after the last, where asked for. */
  readonly layers: readonly HostTensor[];
}

export interface EncodeOptions {
  /** Give hidden states before each layer and after the last too. Default false. */
  readonly withLayers?: boolean;
  /** `encoderStages(encoder, anyShape)`, where many batches are encoded: graphs are then lowered once. */
  readonly stages?: readonly Stage[];
}

/** Hidden states of a batch, layer by layer: one program per kind of layer, for batches of every size. */
export async function encode(
  runtime: Runtime,
  encoder: Encoder,
  parameters: Parameters,
  batch: EncoderBatch,
  { withLayers = false, stages = encoderStages(encoder, anyShape) }: EncodeOptions = {},
): Promise<Encoded> {
  const feeds: Feeds = encoderFeeds(encoder, batch);
  const names = withLayers ? Array.from({ length: encoder.layers.length + 1 }, (_, i) => hiddenName(encoder, i)) : [];
  const result = encodedName(encoder);
  const values = await runStages(runtime, stages, parameters, feeds, [result, ...names]);
  return { hidden: values[result]!, layers: names.map((name) => values[name]!) };
}
