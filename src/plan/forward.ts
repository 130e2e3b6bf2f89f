/** @file A model over whole sequences: logits and, on request, what is inside, layer by layer. */

import { ConfigError } from "../base/errors.js";
import { type HostTensor, hostTensor, zeros } from "../base/host-tensor.js";
import { type LanguageModel, type Parameters, parameterSpecs } from "../nn/index.js";
import type { Feeds, Runtime } from "../runtime/index.js";
import { ATTENTION, layerGraph, REPORT, type SequenceShape } from "./layer-graph.js";
import { logitsGraph } from "./loss-graphs.js";
import { flatRows, lookUp, SequenceFeeds } from "./sequence-feeds.js";
import { localFormats, localParameters } from "./train-plan.js";

export interface ForwardInput {
  /** Token ids of each sequence; all of one length. */
  readonly ids: readonly ArrayLike<number>[];
  /** 1 for tokens and 0 for padding, on either side; positions count tokens only. Default: all tokens. */
  readonly mask?: readonly ArrayLike<number>[];
}

export interface ForwardOptions {
  /** Return hidden states and what layers report. Default false: the memory is that of one layer. */
  readonly inner?: boolean;
  /** Return the probabilities of attention. Default false: they take H · T² numbers a layer. */
  readonly attention?: boolean;
  /** Queries per attention tile. Default 256. */
  readonly attentionTile?: number;
}

export interface ForwardResult {
  /** [B, T, V]. At padding they mean nothing. */
  readonly logits: HostTensor;
  /**
   * On request, [B, T, D] each: what the first layer (after a stem) reads, then what every layer leaves, the last one
   * normalised for the head. (Transformers: hidden_states.)
   */
  readonly hiddenStates?: readonly HostTensor[];
  /** On request: by layer, what it reports by name (`ROUTER_LOGITS`). */
  readonly reports?: readonly Readonly<Record<string, HostTensor>>[];
  /** On request: of each layer that attends, how much each token looks at each, [B, H, T, T]. */
  readonly attention?: readonly HostTensor[];
}

/**
 * Runs a model over a batch, layer by layer.
 * @throws ConfigError when sequences differ in length or hold ids outside the vocabulary; CapacityError when they are
 * longer than learned positions reach.
 */
export async function forward(
  runtime: Runtime,
  model: LanguageModel,
  parameters: Parameters,
  input: ForwardInput,
  { inner = false, attention = false, attentionTile = 256 }: ForwardOptions = {},
): Promise<ForwardResult> {
  const { batchSize, time, ids, mask } = checked(model, parameters, input);
  const shape: SequenceShape = { batchSize, time, attentionTile, packed: mask !== undefined };
  const feeds = new SequenceFeeds(model, shape);
  feeds.set(unlabelled(ids, batchSize, mask));
  let x = zeros("float32", [batchSize, time, model.hiddenSize]);
  lookUp(model, parameters.get(model.embedding.name)!, ids, x);
  const mode = attention ? "inspect" : inner ? "report" : "evaluate";
  const hiddenStates: HostTensor[] = [];
  const reports: Readonly<Record<string, HostTensor>>[] = [];
  const probabilities: HostTensor[] = [];
  for (const [i, layer] of model.layers.entries()) {
    if (layer.kind !== "stem") hiddenStates.push(x);
    const program = await runtime.compile(
      layerGraph(model, layer.kind, shape, mode, localFormats(model, layer, parameters)),
    );
    const all: Feeds = { x, ...feeds.ofLayer(i), ...localParameters(model, layer, parameters) };
    const { y, ...reported } = await program.run(named(all, program.graph.inputs));
    x = y!;
    const { [REPORT + ATTENTION]: attended, ...rest } = reported;
    if (attended) probabilities.push(attended);
    reports.push(Object.fromEntries(Object.entries(rest).map(([name, v]) => [name.slice(REPORT.length), v])));
    if (!inner) hiddenStates.length = 0;
  }
  const { logits, h } = await logitsOf(runtime, model, parameters, x);
  return {
    logits,
    ...(inner && { hiddenStates: [...hiddenStates, h], reports }),
    ...(attention && { attention: probabilities }),
  };
}

async function logitsOf(
  runtime: Runtime,
  model: LanguageModel,
  parameters: Parameters,
  x: HostTensor,
): Promise<{ logits: HostTensor; h: HostTensor }> {
  const [batch, time] = x.shape as [number, number];
  const program = await runtime.compile(logitsGraph(model));
  const all: Feeds = { ...Object.fromEntries(parameters), x: flatRows(x, 0, batch * time) };
  const { logits, h } = await program.run(named(all, program.graph.inputs));
  return {
    logits: hostTensor("float32", [batch, time, model.vocabSize], logits!.data),
    h: hostTensor("float32", x.shape, h!.data),
  };
}

const named = (all: Feeds, names: object): Feeds =>
  Object.fromEntries(Object.keys(names).map((name) => [name, all[name]!]));

/** A batch without labels. Padding is a segment of its own, so that no token sees it. */
function unlabelled(ids: Int32Array, batchSize: number, mask: Int32Array | undefined) {
  const time = ids.length / batchSize;
  const positions = new Int32Array(ids.length);
  for (let row = 0; row < batchSize; row++) {
    let next = 0;
    for (let i = row * time; i < (row + 1) * time; i++) positions[i] = (mask?.[i] ?? 1) === 1 ? next++ : 0;
  }
  const empty = { labels: new Int32Array(ids.length), weights: new Float32Array(ids.length) };
  return { ids, ...empty, positions, ...(mask && { segments: mask.map((kept) => 1 - kept) }) };
}

/** Flat ids and mask; the mask only where it hides something. */
function checked(model: LanguageModel, parameters: Parameters, { ids, mask }: ForwardInput) {
  const [batchSize, time] = [ids.length, ids[0]?.length ?? 0];
  if (time === 0) throw new ConfigError("forward: expected at least one sequence of at least one token");
  const shapes = [...ids, ...(mask ?? ids)];
  if (shapes.some((row) => row.length !== time) || (mask && mask.length !== batchSize)) {
    throw new ConfigError(
      `forward: expected sequences and masks of one length, got ids of lengths [${ids.map(({ length }) => length)}] and masks of [${mask?.map(({ length }) => length) ?? []}]; pad them`,
    );
  }
  const flat = Int32Array.from(ids.flatMap((row) => Array.from(row)));
  const outside = flat.find((id) => !(id >= 0 && id < model.vocabSize));
  if (outside !== undefined)
    throw new ConfigError(`forward: token id ${outside} is outside the vocabulary of ${model.vocabSize}`);
  const missing = parameterSpecs(model).find(({ name }) => !parameters.has(name));
  if (missing) throw new ConfigError(`forward: parameter "${missing.name}" is missing`);
  const flatMask = mask && Int32Array.from(mask.flatMap((row) => Array.from(row)));
  if (flatMask?.some((kept) => kept !== 0 && kept !== 1))
    throw new ConfigError("forward: a mask holds 1 for tokens and 0 for padding");
  return { batchSize, time, ids: flat, mask: flatMask?.includes(0) ? flatMask : undefined };
}
