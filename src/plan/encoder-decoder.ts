/** @file Encoder-decoders over whole sequences: teacher-forced logits, and the chain of a training step. */

import { DataError } from "../base/errors.js";
import { type HostTensor, hostTensor, zeros } from "../base/host-tensor.js";
import { type Aval, type Dim, type Graph, gather, graph, mulDims, reshape, type Tensor } from "../graph/index.js";
import type { EncoderAttention } from "../nn/encoder.js";
import type { DecoderLayerKind, EncoderDecoder, MemoryAttention } from "../nn/encoder-decoder.js";
import { type Parameters, scopeOf } from "../nn/index.js";
import type { Runtime } from "../runtime/index.js";
import { anyShape, type EncoderBatch, type EncoderShape, encodedName, encoderFeeds, encoderStages } from "./encoder.js";
import { crossEntropyOfLogits } from "./encoder-heads.js";
import { SEED } from "./stage-plan.js";
import { runStages, type Stage } from "./stages.js";
import { attendFully, dropoutContext, prefixed, seedInput, weightInputs } from "./whole-sequence.js";

/** Sizes of the encoder's batch, and the tokens that the decoder reads at once. */
export interface DecoderShape extends EncoderShape {
  readonly targetTime: Dim;
}

/** Names of the decoder's leaves and values. */
export const decoderHidden = (i: number): string => `decoder.hidden.${i}`;
export const DECODER_IDS = "decoder.ids";
const TABLE = "table.";
const SHARED = "shared.";

/** The part of a graph's inputs that every program of a decoder's stem has. */
export function stemInputs(model: EncoderDecoder, batch: Dim, numQueries: Dim, numKeys: Dim): Record<string, Aval> {
  const { stem, tables } = model.decoder;
  return {
    ids: { dtype: "int64", shape: [batch, numQueries] },
    visible: { dtype: "bool", shape: [numQueries, numKeys] },
    ...Object.fromEntries(
      Object.entries(tables).map(([name, table]) => [TABLE + name, table.aval(numQueries, numKeys)]),
    ),
    ...weightInputs(stem.parameters),
  };
}

/** Values of the tables of scores, by the names of `stemInputs`: the last queries of a row against all its keys. */
export function scoreFeeds(model: EncoderDecoder, numQueries: number, numKeys: number): Record<string, HostTensor> {
  const visible = zeros("bool", [numQueries, numKeys]);
  for (let query = 0; query < numQueries; query++) {
    const end = numKeys - numQueries + query + 1;
    for (let key = 0; key < end; key++) visible.data[query * numKeys + key] = 1;
  }
  const tables = Object.entries(model.decoder.tables).map(([name, table]) => [
    TABLE + name,
    table.values(numQueries, numKeys),
  ]);
  return { visible, ...Object.fromEntries(tables) };
}

/** Builds the stem from tensors named as `stemInputs` has them. */
export function buildDecoderStem(
  model: EncoderDecoder,
  tensors: Readonly<Record<string, Tensor>>,
): ReturnType<EncoderDecoder["decoder"]["stem"]["build"]> {
  const tables = Object.keys(model.decoder.tables).map((name) => [name, tensors[TABLE + name]!] as const);
  const given = { ids: tensors.ids!, visible: tensors.visible!, tables: Object.fromEntries(tables) };
  return model.decoder.stem.build(scopeOf(tensors), given, dropoutContext(tensors.seed));
}

/**
 * The chain from the encoder's result to the decoder's last hidden states. Leaves besides the encoder's:
 * `decoder.ids` [B, T], `decoder.visible` and `decoder.table.<name>`.
 */
export function decoderStages(model: EncoderDecoder, shape: DecoderShape): Stage[] {
  const { stem, layers, kinds } = model.decoder;
  const { batch, targetTime, mode } = shape;
  const inputs = { ...stemInputs(model, batch, targetTime, targetTime), ...seedInput(mode) };
  const built = graph("decoder.stem", inputs, (tensors) => {
    const { x, ...shared } = buildDecoderStem(model, tensors);
    return { y: x, ...Object.fromEntries(Object.entries(shared).map(([name, value]) => [SHARED + name, value])) };
  });
  const isWeight = (name: string): boolean => stem.parameters.some((spec) => spec.name === name);
  const start: Stage = {
    graph: built,
    parameters: prefixed(stem.parameters),
    inputs: Object.fromEntries(
      Object.keys(inputs)
        .filter((name) => !isWeight(name))
        .map((name) => [name, name === "seed" ? `${SEED}decoder.stem` : `decoder.${name}`]),
    ),
    outputs: Object.fromEntries(
      Object.keys(built.outputs).map((name) => [name, name === "y" ? decoderHidden(0) : `decoder.${name}`]),
    ),
  };
  const shared = Object.keys(start.outputs).filter((name) => name !== "y");
  const graphs = new Map(
    Object.entries(kinds).map(([kind, of]) => [kind, decoderLayerGraph(model, kind, of, shape, built)] as const),
  );
  const ofLayers = layers.map(
    ({ kind, prefix }, i): Stage => ({
      graph: graphs.get(kind)!,
      parameters: prefixed(kinds[kind]!.parameters, prefix),
      inputs: {
        x: decoderHidden(i),
        encoded: encodedName(model.encoder),
        mask: "mask",
        ...(mode === "train" && { seed: SEED + decoderHidden(i) }),
        ...Object.fromEntries(shared.map((name) => [name, start.outputs[name]!])),
      },
      outputs: { y: decoderHidden(i + 1) },
    }),
  );
  return [start, ...ofLayers];
}

function decoderLayerGraph(
  model: EncoderDecoder,
  kind: string,
  { parameters, memory, build }: DecoderLayerKind,
  { batch, time, targetTime, attentionTile, mode }: DecoderShape,
  stem: Graph,
): Graph {
  const shared = Object.entries(stem.outputs).filter(([key]) => key.startsWith(SHARED));
  const inputs: Record<string, Aval> = {
    x: { dtype: "float32", shape: [batch, targetTime, model.hiddenSize] },
    encoded: { dtype: "float32", shape: [batch, time, model.hiddenSize] },
    mask: { dtype: "bool", shape: [batch, time] },
    ...seedInput(mode),
    ...Object.fromEntries(shared.map(([key, { dtype, shape }]) => [key, { dtype, shape }])),
    ...weightInputs(parameters),
  };
  return graph(`decoder.${kind}`, inputs, (tensors) => {
    const { dropout, nextSalt } = dropoutContext(tensors.seed);
    const { encoded, mask, seed } = tensors as Record<string, Tensor>;
    const scope = scopeOf(tensors);
    const context = {
      shared: Object.fromEntries(shared.map(([key]) => [key.slice(SHARED.length), tensors[key]!])),
      dropout,
      attend: (request: EncoderAttention) => attendFully(request, undefined, seed, nextSalt(), attentionTile),
      attendMemory: (request: MemoryAttention) =>
        attendFully({ ...request, ...memory(scope, encoded!) }, mask, seed, nextSalt(), attentionTile),
    };
    return { y: build(scope, tensors.x!, context) };
  });
}

const headInputs = ({ decoder, hiddenSize }: EncoderDecoder, shape: DecoderShape): Record<string, Aval> => ({
  x: { dtype: "float32", shape: [shape.batch, shape.targetTime, hiddenSize] },
  ...seedInput(shape.mode),
  ...weightInputs(decoder.head.parameters),
});

const headWiring = ({ decoder }: EncoderDecoder, { mode }: DecoderShape): Pick<Stage, "parameters" | "inputs"> => ({
  parameters: prefixed(decoder.head.parameters),
  inputs: { x: decoderHidden(decoder.layers.length), ...(mode === "train" && { seed: `${SEED}head` }) },
});

/** All of the model, ending in `logits` [B, T, V]. */
export function logitsChain(model: EncoderDecoder, shape: DecoderShape): Stage[] {
  const end: Stage = {
    graph: graph("decoder.head", headInputs(model, shape), (tensors) => ({
      y: model.decoder.head.build(scopeOf(tensors), tensors.x!, dropoutContext(tensors.seed)),
    })),
    ...headWiring(model, shape),
    outputs: { y: "logits" },
  };
  return [...encoderStages(model.encoder, shape), ...decoderStages(model, shape), end];
}

/**
 * All of the model, ending in `loss`, Σ weights · cross entropy over `numLabelled` positions of the decoder: leaves `rows`
 * (row · T + column), `labels` and `weights`. For a `StagePlan`.
 */
export function lossChain(model: EncoderDecoder, shape: DecoderShape, numLabelled: Dim): Stage[] {
  const inputs: Record<string, Aval> = {
    ...headInputs(model, shape),
    rows: { dtype: "int64", shape: [numLabelled] },
    labels: { dtype: "int64", shape: [numLabelled] },
    weights: { dtype: "float32", shape: [numLabelled] },
  };
  const built = graph("decoder.loss", inputs, (tensors) => {
    const flat = reshape(tensors.x!, [mulDims(shape.batch, shape.targetTime), model.hiddenSize]);
    const picked = gather(flat, tensors.rows!);
    const logits = model.decoder.head.build(scopeOf(tensors), picked, dropoutContext(tensors.seed));
    return { loss: crossEntropyOfLogits(logits, tensors.labels!, tensors.weights!) };
  });
  const { parameters, inputs: wired } = headWiring(model, shape);
  const end: Stage = {
    graph: built,
    parameters,
    inputs: { ...wired, rows: "rows", labels: "labels", weights: "weights" },
    outputs: { loss: "loss" },
  };
  return [...encoderStages(model.encoder, shape), ...decoderStages(model, shape), end];
}

/**
 * What the decoder reads to predict `labels` [B · T]: the start token, then all labels but the last; negative ones (which
 * are not predicted) become padding.
 */
export function shiftRight(model: EncoderDecoder, labels: ArrayLike<number>, time: number): Int32Array {
  return Int32Array.from({ length: labels.length }, (_, i) => {
    if (i % time === 0) return model.startToken;
    const label = labels[i - 1]!;
    return label < 0 ? model.padToken : label;
  });
}

/**
 * Values of the leaves of both chains, labels aside, for a batch and the decoder's ids [B · T].
 * @throws DataError when sizes do not fit or an id is not in the vocabulary.
 */
export function encoderDecoderFeeds(
  model: EncoderDecoder,
  batch: EncoderBatch,
  decoderIds: ArrayLike<number>,
): Record<string, HostTensor> {
  const time = decoderIds.length / batch.batchSize;
  if (!Number.isInteger(time) || time === 0) {
    throw new DataError(`${model.family}: ${decoderIds.length} decoder ids do not make ${batch.batchSize} rows`);
  }
  const scores = Object.entries(scoreFeeds(model, time, time)).map(([name, value]) => [`decoder.${name}`, value]);
  return {
    ...encoderFeeds(model.encoder, batch),
    [DECODER_IDS]: idTensor(model, decoderIds, [batch.batchSize, time]),
    ...Object.fromEntries(scores),
  };
}

/** Ids as a tensor. @throws DataError when one is not in the vocabulary. */
export function idTensor(model: EncoderDecoder, ids: ArrayLike<number>, shape: readonly number[]): HostTensor {
  const wrong = Array.from(ids).find((id) => !Number.isInteger(id) || id < 0 || id >= model.vocabSize);
  if (wrong !== undefined) {
    throw new DataError(`${model.family}: decoder ids must be from 0 to ${model.vocabSize - 1}, got ${wrong}`);
  }
  return hostTensor("int64", shape, BigInt64Array.from(Array.from(ids, BigInt)));
}

/** Logits [B, T, V] of the decoder after each of its ids, in one run. */
export async function teacherForcedLogits(
  runtime: Runtime,
  model: EncoderDecoder,
  parameters: Parameters,
  batch: EncoderBatch,
  decoderIds: ArrayLike<number>,
): Promise<HostTensor> {
  const stages = logitsChain(model, { ...anyShape, targetTime: "target" });
  const feeds = encoderDecoderFeeds(model, batch, decoderIds);
  return (await runStages(runtime, stages, parameters, feeds, ["logits"])).logits!;
}
