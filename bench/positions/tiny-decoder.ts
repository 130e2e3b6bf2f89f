/** @file One tiny decoder with any encoding of positions: everything else about it is the same, down to the first weights. */

import {
  add,
  broadcastTo,
  constant,
  gather,
  greater,
  mul,
  reshape,
  rope,
  scalar,
  sub,
  type Tensor,
  where,
} from "../../src/graph/index.js";
import { llamaLine } from "../../src/models/decoder.js";
import { llamaLayer } from "../../src/models/llama-layer.js";
import {
  type AttentionRequest,
  type HeadShape,
  type LanguageModel,
  type LayerContext,
  type LayerKind,
  learnedPositions,
  ropeTables,
  sinusoidalTable,
  xposTables,
} from "../../src/nn/index.js";
import { causalAlibi } from "../../src/nn/position/alibi.js";

export interface TinyShape {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  /** Length of training; there are as many learned positions. */
  readonly time: number;
}

/** Where an encoding acts: before the first layer, or on what attention gets. */
interface Encoding {
  readonly stem?: LayerKind;
  readonly hasFixedPositions?: boolean;
  tables?(length: number): ReturnType<LanguageModel["tables"]>;
  /** Turns queries and keys, or adds to their scores. */
  prepare?(request: AttentionRequest, context: LayerContext): AttentionRequest;
}

const headDimOf = ({ hiddenSize, numHeads }: TinyShape): number => hiddenSize / numHeads;

/** Queries and keys turned by tables of these names. */
const turned =
  (query: readonly [string, string], key: readonly [string, string]) =>
  (request: AttentionRequest, { positions, tables }: LayerContext): AttentionRequest => {
    const turn = (x: Tensor, [cos, sin]: readonly [string, string]): Tensor =>
      rope(x, positions, tables[cos]!, tables[sin]!, { interleaved: false });
    return { ...request, q: turn(request.q, query), k: turn(request.k, key) };
  };

const encodings = {
  none: () => ({}),
  rope: (shape) => ({
    tables: (length) => ({ ...ropeTables(length, headDimOf(shape), 10_000) }),
    prepare: turned(["cos", "sin"], ["cos", "sin"]),
  }),
  xpos: (shape) => ({
    tables: (length) => ({ ...xposTables(length, headDimOf(shape)) }),
    prepare: turned(["queryCos", "querySin"], ["keyCos", "keySin"]),
  }),
  alibi: () => ({
    prepare: (request) => ({ ...request, bias: constant(causalAlibi(request.numHeads, timeOf(request))) }),
  }),
  sinusoidal: ({ hiddenSize }) => ({
    tables: (length) => ({ sinusoids: sinusoidalTable(length, hiddenSize) }),
    stem: {
      parameters: [],
      // embeddings are brought to the size of the sinusoids (Vaswani et al. 2017, section 3.4)
      build: (_scope, x, { positions, tables }) =>
        add(mul(x, Math.sqrt(hiddenSize)), gather(tables.sinusoids!, positions)),
    },
  }),
  learned: ({ hiddenSize, time }) => {
    const { parameter, embed } = learnedPositions("positions.weight", time, hiddenSize, 0.02);
    return {
      hasFixedPositions: true,
      stem: {
        parameters: [parameter],
        build: (scope, x, { positions }) => add(x, embed(scope, positions)),
      },
    };
  },
} as const satisfies Readonly<Record<string, (shape: TinyShape) => Encoding>>;

export type EncodingName = keyof typeof encodings;
export const encodingNames = Object.keys(encodings) as EncodingName[];

const timeOf = ({ q }: AttentionRequest): number => Number(q.shape[1]);

/**
 * Bias by which a query sees the keys of its own block and of the one before (blockwise causal attention, Sun et al. 2022,
 * arXiv:2212.10554, section 3.3), [1, H, T, T].
 */
function blockwise(numHeads: number, time: number, size: number): Tensor {
  const data = Float32Array.from({ length: time }, (_, position) => Math.floor(position / size));
  const block = constant({ dtype: "float32", shape: [time], data });
  const distance = sub(reshape(block, [1, 1, time, 1]), reshape(block, [1, 1, 1, time]));
  const hidden = where(greater(distance, scalar(1)), scalar(-1e30), scalar(0));
  return broadcastTo(hidden, [1, numHeads, time, time]);
}

export interface DecoderOptions {
  /** Tokens of a block where attention is blockwise. Without it, a query sees all that comes before it. */
  readonly blockSize?: number;
}

/** A Llama (RMSNorm, SwiGLU, tied embeddings) of multi-head attention with the positions that `name` says. */
export function tinyDecoder(name: EncodingName, shape: TinyShape, { blockSize }: DecoderOptions = {}): LanguageModel {
  const { hiddenSize, numHeads } = shape;
  const heads: HeadShape = { numHeads, numKvHeads: numHeads, headDim: headDimOf(shape) };
  const config = {
    vocab_size: shape.vocabSize,
    hidden_size: hiddenSize,
    intermediate_size: 8 * Math.round(hiddenSize / 3),
    num_hidden_layers: shape.numLayers,
    max_position_embeddings: shape.time,
    initializer_range: 0.02,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
  };
  const encoding: Encoding = encodings[name](shape);
  const layer = llamaLayer(config, heads, { rotation: null });
  const attended = (request: AttentionRequest, context: LayerContext): Tensor => {
    const prepared = encoding.prepare?.(request, context) ?? request;
    if (blockSize === undefined) return context.attend(prepared);
    const blocks = blockwise(numHeads, timeOf(request), blockSize);
    return context.attend({ ...prepared, bias: prepared.bias ? add(prepared.bias, blocks) : blocks });
  };
  const model = llamaLine({
    family: `tiny ${name}`,
    architecture: "Tiny",
    config,
    heads,
    layers: new Array<string>(shape.numLayers).fill("decoder"),
    kinds: {
      decoder: {
        ...layer,
        build: (scope, x, context) =>
          layer.build(scope, x, { ...context, attend: (request) => attended(request, context) }),
      },
    },
    ...(encoding.stem && { stem: encoding.stem }),
    tables: encoding.tables ?? (() => ({})),
  });
  return { ...model, hasFixedPositions: encoding.hasFixedPositions ?? false };
}
