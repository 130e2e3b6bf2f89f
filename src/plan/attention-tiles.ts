/** @file Sizes of attention's tiles, timed on this machine (Triton's autotuning: every candidate on the real kernel). */

import { type HostTensor, zeros } from "../base/host-tensor.js";
import type { Tensor } from "../graph/index.js";
import type { Binding, Runtime } from "../runtime/index.js";
import { describeTraining, type LayerGraphs, type TrainDescription } from "./describe.js";

/** Queries and keys per tile of attention. */
export interface AttentionTiles {
  readonly attentionTile: number;
  readonly keyTile: number;
}

/** What is used unless another is clearly faster. */
const USUAL: AttentionTiles = { attentionTile: 256, keyTile: 512 };

/** Tiles with as many scores or fewer, so that none needs more memory than the usual one. */
export const attentionTileCandidates: readonly AttentionTiles[] = [
  USUAL,
  { attentionTile: 128, keyTile: 1024 },
  { attentionTile: 128, keyTile: 512 },
  { attentionTile: 256, keyTile: 256 },
  { attentionTile: 512, keyTile: 256 },
  { attentionTile: 64, keyTile: 1024 },
];

/** Positions of the rows that are timed: the caches decide, and they do not know how many tiles a row has. */
const MOST_TIME = 1024;
/** Milliseconds of a layer from which tiles are not worth the timing: its matrix products take nearly all of it. */
const MOST_MS = 2000;
const ROUNDS = 5;
/** Share of the usual tiles' time below which others are taken: less is noise. */
const CLEARLY = 0.95;

/**
 * The tiles with which a layer's forward and backward pass takes the least time: medians of rounds in which each candidate
 * runs once. The usual ones, 256 x 512, where no other is clearly faster (by 5 %), where a layer takes more than two
 * seconds, or where nothing is trained.
 */
export async function fastestTiles(
  runtime: Runtime,
  { model, options }: TrainDescription,
  candidates: readonly AttentionTiles[] = attentionTileCandidates,
): Promise<AttentionTiles> {
  const time = Math.min(options.time, MOST_TIME);
  const buffers = new SharedZeros();
  const timed: { tiles: AttentionTiles; passes: readonly Binding[]; ms: number[] }[] = [];
  try {
    for (const tiles of candidates) {
      // nothing kept from forward to backward: the tiles are the same, and trials need little memory
      const { layers } = describeTraining(model, { ...options, ...tiles, time, batchSize: 1, save: "inputs" });
      const layer = layers.findLast(({ backward }) => backward !== undefined);
      if (!layer) return USUAL;
      const passes = await passesOf(runtime, layer, buffers);
      timed.push({ tiles, passes, ms: [] });
      if ((await msOf(passes)) > MOST_MS) return USUAL;
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const { passes, ms } of timed) ms.push(await msOf(passes));
    }
  } finally {
    for (const { passes } of timed) for (const pass of passes) pass.release();
  }
  const medians = timed.map(({ tiles, ms }) => ({ tiles, ms: ms.sort((a, b) => a - b)[ROUNDS >> 1]! }));
  const best = medians.reduce((a, b) => (b.ms < a.ms ? b : a));
  const usual = medians.find(({ tiles }) => tiles === USUAL);
  return usual && best.ms > CLEARLY * usual.ms ? USUAL : best.tiles;
}

/** One tensor for each name and shape: candidates run one after the other, and need no more memory than one of them. */
class SharedZeros {
  readonly #tensors = new Map<string, HostTensor>();

  of(tensors: Readonly<Record<string, Tensor>>): Record<string, HostTensor> {
    return Object.fromEntries(
      Object.entries(tensors).map(([name, { dtype, shape }]) => {
        const key = `${name} ${dtype}[${shape}]`;
        const known = this.#tensors.get(key) ?? zeros(dtype, shape.map(Number));
        this.#tensors.set(key, known);
        return [name, known];
      }),
    );
  }
}

/** A layer's passes over whatever is there: no kernel's time depends on the values. */
async function passesOf(
  runtime: Runtime,
  { forward, backward }: LayerGraphs,
  buffers: SharedZeros,
): Promise<Binding[]> {
  const passes = [];
  for (const graph of [forward, backward!]) {
    const program = await runtime.compile(graph);
    passes.push(program.bind(buffers.of(graph.inputs), buffers.of(graph.outputs)));
  }
  return passes;
}

async function msOf(passes: readonly Binding[]): Promise<number> {
  const start = performance.now();
  for (const pass of passes) await pass.run();
  return performance.now() - start;
}
