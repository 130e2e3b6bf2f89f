/** @file Generation with an encoder-decoder: texts encoded once, their keys and values kept, then token after token. */

import { ConfigError } from "../base/errors.js";
import { type HostTensor, rows, zeros } from "../base/host-tensor.js";
import { trimmed } from "../graph/differentiate.js";
import {
  type Aval,
  concat,
  fullAttention,
  type Graph,
  graph,
  reshape,
  type Tensor,
  transpose,
} from "../graph/index.js";
import type { EncoderAttention } from "../nn/encoder.js";
import {
  type DecoderLayerKind,
  decoderParameters,
  type EncoderDecoder,
  type MemoryAttention,
} from "../nn/encoder-decoder.js";
import { type Parameters, scopeOf } from "../nn/index.js";
import type { Program, Runtime } from "../runtime/index.js";
import { anyShape, type EncoderBatch, encode, encoderFeeds, encoderStages } from "./encoder.js";
import { buildDecoderStem, idTensor, scoreFeeds, stemInputs } from "./encoder-decoder.js";
import { parameterNamed, type Stage } from "./stages.js";
import { dropoutContext, joinHeads, splitHeads, weightInputs } from "./whole-sequence.js";

/** Chooses the next token of each row from logits [B, V]. */
export type TokenChoice = (logits: HostTensor) => ArrayLike<number>;

export interface GenerateIdsOptions {
  /** Most tokens to generate for each text. */
  readonly maxTokens: number;
  /** Ids that end a text; they are not given out. Default: the model's. */
  readonly endTokens?: readonly number[];
  /** Default: the likeliest token. */
  readonly choose?: TokenChoice;
  /** Ends the texts before the next token. */
  readonly signal?: AbortSignal;
}

/** The likeliest token of each row; the first of equals. */
export const likeliest: TokenChoice = ({ shape, data }) => {
  const [count, size] = shape as [number, number];
  const logits = data as Float32Array;
  return Int32Array.from({ length: count }, (_, row) => {
    let best = row * size;
    for (let i = best + 1; i < (row + 1) * size; i++) if (logits[i]! > logits[best]!) best = i;
    return best - row * size;
  });
};

/** What a decoder computes of one text, before its first step and between steps. */
interface Decoding {
  /** The encoder's mask, and keys and values of its result for each layer. */
  readonly memory: Readonly<Record<string, HostTensor>>;
  /** `keys.<layer>` and `values.<layer>` of the tokens so far, [maxTokens, B, H · C]: rows are written in place. */
  readonly cache: Readonly<Record<string, HostTensor>>;
  readonly logits: HostTensor;
}

interface Programs {
  readonly encoder: readonly Stage[];
  /** Keys and values of the encoder's result, by kind of layer. */
  readonly memory: ReadonlyMap<string, Program>;
  /** A step without and with tokens before it. */
  readonly first: Program;
  readonly next: Program;
}

/** An encoder-decoder ready to generate. */
export class EncoderDecoderGenerator {
  private constructor(
    readonly runtime: Runtime,
    readonly model: EncoderDecoder,
    readonly parameters: Parameters,
    private readonly programs: Programs,
    /** Parameters that a step reads, by full name. */
    private readonly weights: Readonly<Record<string, HostTensor>>,
  ) {}

  /** @throws ConfigError when a parameter is missing. */
  static async create(
    runtime: Runtime,
    model: EncoderDecoder,
    parameters: Parameters,
  ): Promise<EncoderDecoderGenerator> {
    const memory = new Map<string, Program>();
    for (const [name, kind] of Object.entries(model.decoder.kinds)) {
      memory.set(name, await runtime.compile(memoryGraph(model, name, kind)));
    }
    const [first, next] = [stepGraph(model, false), stepGraph(model, true)];
    const used = decoderParameters(model.decoder).filter(({ name }) => name in first.inputs);
    const weights = Object.fromEntries(used.map(({ name }) => [name, parameterNamed(parameters, name)]));
    const programs: Programs = {
      encoder: encoderStages(model.encoder, anyShape),
      memory,
      first: await runtime.compile(first),
      next: await runtime.compile(next),
    };
    return new EncoderDecoderGenerator(runtime, model, parameters, programs, weights);
  }

  /**
   * Continuations of the texts of a batch, as token ids without start and end tokens. The decoder reads one token per row
   * and step; keys and values of earlier tokens and of the encoder's result are kept.
   * @throws ConfigError for no token to generate; DataError for a batch that does not fit the encoder.
   */
  async generate(
    batch: EncoderBatch,
    { maxTokens, endTokens = this.model.endTokens, choose = likeliest, signal }: GenerateIdsOptions,
  ): Promise<number[][]> {
    if (!Number.isInteger(maxTokens) || maxTokens < 1) {
      throw new ConfigError(`generation: maxTokens must be a whole number from 1 on, got ${maxTokens}`);
    }
    const decoding = await this.#begin(batch, maxTokens);
    const texts = Array.from({ length: batch.batchSize }, (): number[] => []);
    const isDone = texts.map(() => false);
    let ids: ArrayLike<number> = texts.map(() => this.model.startToken);
    for (let step = 0; step < maxTokens && !signal?.aborted; step++) {
      const chosen = choose(await this.#step(decoding, ids, step));
      for (const [row, text] of texts.entries()) {
        isDone[row] ||= endTokens.includes(chosen[row]!);
        if (!isDone[row]) text.push(chosen[row]!);
      }
      if (isDone.every(Boolean)) break;
      // what a text that has ended reads no longer matters
      ids = texts.map((_, row) => (isDone[row] ? this.model.padToken : chosen[row]!));
    }
    return texts;
  }

  async #begin(batch: EncoderBatch, maxTokens: number): Promise<Decoding> {
    const { encoder, decoder, vocabSize } = this.model;
    const { hidden } = await encode(this.runtime, encoder, this.parameters, batch, { stages: this.programs.encoder });
    const { mask } = encoderFeeds(encoder, batch);
    const memory: Record<string, HostTensor> = { mask: mask! };
    const cache: Record<string, HostTensor> = {};
    for (const [i, { kind, prefix }] of decoder.layers.entries()) {
      const { numHeads, headDim } = decoder.kinds[kind]!;
      const program = this.programs.memory.get(kind)!;
      const locals = Object.keys(program.graph.inputs).filter((name) => name !== "encoded");
      const weights = locals.map((name) => [name, parameterNamed(this.parameters, prefix + name)] as const);
      const made = await program.run({ encoded: hidden, ...Object.fromEntries(weights) });
      for (const name of ["keys", "values"]) {
        memory[`memory.${name}.${i}`] = made[name]!;
        cache[`${name}.${i}`] = zeros("float32", [maxTokens, batch.batchSize, numHeads * headDim]);
      }
    }
    return { memory, cache, logits: zeros("float32", [batch.batchSize, vocabSize]) };
  }

  /** Logits [B, V] after one more token per row, the `position`th. The buffer is used again by the next step. */
  async #step({ memory, cache, logits }: Decoding, ids: ArrayLike<number>, position: number): Promise<HostTensor> {
    const entries = Object.entries(cache);
    const past = entries.map(([name, tensor]) => [name, rows(tensor, 0, position)] as const);
    const made = entries.map(([name, tensor]) => [`new.${name}`, rows(tensor, position, position + 1)] as const);
    const feeds = {
      ...this.weights,
      ...memory,
      ids: idTensor(this.model, ids, [ids.length, 1]),
      ...scoreFeeds(this.model, 1, position + 1),
      ...(position > 0 && Object.fromEntries(past)),
    };
    const program = position > 0 ? this.programs.next : this.programs.first;
    await program.run(feeds, { ...Object.fromEntries(made), logits });
    return logits;
  }
}

/** `encoded` → keys and values [B, H, S, C] of a layer. */
function memoryGraph(model: EncoderDecoder, kind: string, { parameters, memory, numHeads }: DecoderLayerKind): Graph {
  const inputs = {
    encoded: { dtype: "float32", shape: ["batch", "time", model.hiddenSize] } satisfies Aval,
    ...weightInputs(parameters),
  };
  const built = graph(`decoder.${kind}.memory`, inputs, (tensors) => {
    const { k, v } = memory(scopeOf(tensors), tensors.encoded!);
    return { keys: splitHeads(k, numHeads), values: splitHeads(v, numHeads) };
  });
  return trimmed(built);
}

/**
 * One token per row through the whole decoder: `ids` [B, 1], tables of scores, `memory.*`, weights under their full names
 * and, where there is a past, `keys.<layer>` and `values.<layer>` [P, B, H·C] → `logits` [B, V] and `new.*` [1, B, H·C].
 */
function stepGraph(model: EncoderDecoder, hasPast: boolean): Graph {
  const { stem, layers, kinds, head } = model.decoder;
  const memory: Record<string, Aval> = { mask: { dtype: "bool", shape: ["batch", "time"] } };
  const past: Record<string, Aval> = {};
  for (const [i, { kind }] of layers.entries()) {
    const { numHeads, headDim } = kinds[kind]!;
    for (const name of ["keys", "values"]) {
      memory[`memory.${name}.${i}`] = { dtype: "float32", shape: ["batch", numHeads, "time", headDim] };
      past[`${name}.${i}`] = { dtype: "float32", shape: ["past", "batch", numHeads * headDim] };
    }
  }
  const ofLayers = layers.flatMap(({ kind, prefix }) =>
    kinds[kind]!.parameters.map((spec) => ({ ...spec, name: prefix + spec.name })),
  );
  const inputs = {
    ...stemInputs(model, "batch", 1, hasPast ? "past+1" : 1),
    ...memory,
    ...(hasPast && past),
    ...weightInputs([...stem.parameters, ...ofLayers, ...head.parameters]),
  };
  const built = graph(`decoder.step${hasPast ? "" : ".first"}`, inputs, (tensors) => {
    const rowsMade: Record<string, Tensor> = {};
    const { x: embedded, ...shared } = buildDecoderStem(model, tensors);
    let x = embedded;
    for (const [i, { kind, prefix }] of layers.entries()) {
      const { parameters, build } = kinds[kind]!;
      const local = Object.fromEntries(parameters.map(({ name }) => [name, tensors[prefix + name]!]));
      x = build(scopeOf(local), x, {
        shared,
        ...dropoutContext(undefined),
        attend: (request) => attendPast(request, i, tensors, rowsMade),
        attendMemory: ({ q, numHeads, scale }: MemoryAttention) =>
          joinHeads(
            fullAttention(splitHeads(q, numHeads), tensors[`memory.keys.${i}`]!, tensors[`memory.values.${i}`]!, {
              scale,
              mask: tensors.mask!,
            }),
          ),
      });
    }
    const logits = head.build(scopeOf(tensors), x, dropoutContext(undefined));
    return { logits: reshape(logits, ["batch", model.vocabSize]), ...rowsMade };
  });
  return trimmed(built);
}

/** Attention of the new token to all so far; its own key and value are added to `made`. */
function attendPast(
  { q, k, v, numHeads, scale, bias }: EncoderAttention,
  layer: number,
  tensors: Readonly<Record<string, Tensor>>,
  made: Record<string, Tensor>,
): Tensor {
  const all = (name: string, x: Tensor): Tensor => {
    const row = transpose(x, [1, 0, 2]); // [1, B, H·C]
    made[`new.${name}.${layer}`] = row;
    const past = tensors[`${name}.${layer}`];
    const joined = past ? concat([past, row], 0) : row;
    const [time, batch, width] = joined.shape;
    const apart = reshape(joined, [time!, batch!, numHeads, Number(width) / numHeads]);
    return transpose(apart, [1, 2, 0, 3]); // [B, H, P + 1, C]
  };
  const options = { scale, ...(bias && { bias }) };
  return joinHeads(fullAttention(splitHeads(q, numHeads), all("keys", k), all("values", v), options));
}
