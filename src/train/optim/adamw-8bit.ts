/** @file AdamW whose two states take a byte each per parameter (Dettmers et al. 2021, arXiv:2110.02861, section 2). */

import { ConfigError } from "../../base/errors.js";
import { sizeOf, zeros } from "../../base/host-tensor.js";
import type { Runtime } from "../../runtime/index.js";
import { type AdamWOptions, adamw } from "./adamw.js";
import { DynamicCode } from "./dynamic-code.js";
import { ElementwiseUpdater, PIECE, type Piece, pieceOf, piecesOf } from "./elementwise.js";
import type { BoundUpdate, OptimizerOptions, Updater, WholeRule } from "./optimizer.js";

export interface AdamW8bitOptions extends AdamWOptions {
  /** Values that share a scale; a power of two up to 65536. Default 256, bitsandbytes' present one; the paper has 2048. */
  readonly blockSize?: number;
}

/** The moments of `adamw`, and whether they can be negative. */
const MOMENTS = { moment1: true, moment2: false } as const;

/**
 * AdamW with states stored as 8-bit codes by blocks: decoded piece by piece into buffers that all parameters share,
 * updated in float32 and encoded again. Parameters of fewer than 4096 elements keep float32 states, as in the paper's
 * code: they weigh nothing, and there norms and biases are among them.
 */
export function adamw8bit({ blockSize = 256, ...options }: AdamW8bitOptions = {}): WholeRule {
  if (!(Number.isInteger(Math.log2(blockSize)) && blockSize >= 1 && blockSize <= PIECE))
    throw new ConfigError(`adamw8bit: blockSize must be a power of two from 1 to ${PIECE}, got ${blockSize}`);
  const plain = adamw(options);
  return {
    name: "adamw8bit",
    statesOf: (shape) => {
      const count = sizeOf(shape);
      if (count < SMALL) return { moment1: { dtype: "float32", shape }, moment2: { dtype: "float32", shape } };
      const scales = [Math.ceil(count / blockSize)];
      return Object.fromEntries(
        Object.keys(MOMENTS).flatMap((name) => [
          [codesOf(name), { dtype: "uint8", shape }],
          [scalesOf(name), { dtype: "float32", shape: scales }],
        ]),
      );
    },
    createUpdater: async (runtime: Runtime, shared: OptimizerOptions) =>
      packedUpdater(await ElementwiseUpdater.create(runtime, plain, shared), blockSize),
  };
}

const SMALL = 4096;

const codesOf = (moment: string): string => `${moment}_codes`;
const scalesOf = (moment: string): string => `${moment}_scales`;

function packedUpdater(updater: ElementwiseUpdater, blockSize: number): Updater {
  const moments = Object.entries(MOMENTS).map(([name, isSigned]) => ({
    name,
    code: new DynamicCode(isSigned, blockSize),
    values: zeros("float32", [PIECE]),
  }));
  return {
    begin: (info) => updater.begin(info),
    bind: (parameter, gradient, states): BoundUpdate => {
      if (parameter.data.length < SMALL) return updater.bind(parameter, gradient, states);
      const pieces = piecesOf(parameter.data.length).map((piece) => {
        const shared: Piece = { start: 0, end: piece.end - piece.start };
        const blocks: Piece = { start: piece.start / blockSize, end: Math.ceil(piece.end / blockSize) };
        const parts = moments.map(({ name, code, values }) => ({
          name,
          code,
          values: pieceOf(values, shared),
          codes: pieceOf(states[codesOf(name)]!, piece).data as Uint8Array,
          scales: pieceOf(states[scalesOf(name)]!, blocks).data as Float32Array,
        }));
        const inFloat = Object.fromEntries(parts.map(({ name, values }) => [name, values]));
        return { parts, binding: updater.bindPiece(parameter, gradient, piece, inFloat) };
      });
      return {
        run: async () => {
          for (const { parts, binding } of pieces) {
            for (const { code, codes, scales, values } of parts)
              code.decode(codes, scales, values.data as Float32Array);
            await binding.run();
            for (const { code, codes, scales, values } of parts)
              code.encode(values.data as Float32Array, codes, scales);
          }
        },
        release: () => {
          for (const { binding } of pieces) binding.release();
        },
      };
    },
  };
}
