/** @file Sizes of attention's tiles, timed on this machine (Triton's autotuning: every candidate on the real kernel). */

import { type HostTensor, zeros } from "../base/host-tensor.js";
import type { Graph } from "../graph/index.js";
import type { Program, Runtime } from "../runtime/index.js";
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
const MOST_TIME = 2048;
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
  const timed: { tiles: AttentionTiles; passes: readonly Pass[]; ms: number[] }[] = [];
  for (const tiles of candidates) {
    const { layers } = describeTraining(model, { ...options, ...tiles, time, batchSize: 1 });
    const layer = layers.findLast(({ backward }) => backward !== undefined);
    if (!layer) return USUAL;
    timed.push({ tiles, passes: await passesOf(runtime, layer), ms: [] });
    const warm = await msOf(timed.at(-1)!.passes);
    if (warm > MOST_MS) return USUAL;
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const { passes, ms } of timed) ms.push(await msOf(passes));
  }
  const medians = timed.map(({ tiles, ms }) => ({ tiles, ms: ms.sort((a, b) => a - b)[ROUNDS >> 1]! }));
  const best = medians.reduce((a, b) => (b.ms < a.ms ? b : a));
  const usual = medians.find(({ tiles }) => tiles === USUAL);
  return usual && best.ms > CLEARLY * usual.ms ? USUAL : best.tiles;
}

interface Pass {
  readonly program: Program;
  readonly feeds: Readonly<Record<string, HostTensor>>;
}

/** A layer's passes on zeros: no kernel's time depends on the values. */
async function passesOf(runtime: Runtime, { forward, backward }: LayerGraphs): Promise<Pass[]> {
  const passes = [];
  for (const graph of [forward, backward!]) {
    passes.push({ program: await runtime.compile(graph), feeds: zeroFeeds(graph) });
  }
  return passes;
}

function zeroFeeds({ inputs }: Graph): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, shape }]) => [name, zeros(dtype, shape.map(Number))]),
  );
}

async function msOf(passes: readonly Pass[]): Promise<number> {
  const start = performance.now();
  for (const { program, feeds } of passes) await program.run(feeds);
  return performance.now() - start;
}
