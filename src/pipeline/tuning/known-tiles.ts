/** @file Tiles of attention that were timed on this machine before, remembered in a file of the user's cache. */

import { mkdir, readFile } from "node:fs/promises";
import { cpus, homedir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { replaceFiles } from "../../checkpoint/atomic.js";
import { type AttentionTiles, fastestTiles, type TrainDescription } from "../../plan/index.js";
import { Runtime } from "../../runtime/index.js";
import { sha256 } from "../corpus.js";
import { builds } from "./builds.js";

const fileSchema = z.record(z.string(), z.object({ attentionTile: z.int().positive(), keyTile: z.int().positive() }));
type Known = z.infer<typeof fileSchema>;

/** Positions per row below which tiles make no difference that could be measured. */
export const LONG_ENOUGH = 1024;

/** `$XDG_CACHE_HOME/tessera/attention-tiles.json`, `~/.cache` where that is not set. */
export const tilesFile = (): string =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tessera", "attention-tiles.json");

/**
 * The fastest tiles for a plan's layers with so many threads, timed once per machine, runtime build and layer. A file that
 * cannot be read is made anew; where it cannot be written, the next run times again.
 */
export async function tilesHere(
  description: TrainDescription,
  numThreads: number,
  path = tilesFile(),
): Promise<AttentionTiles> {
  const key = keyOf(description, numThreads);
  const known = await read(path);
  if (known[key]) return known[key];
  // a runtime of its own: what its arena took for the trials goes back to the system
  await using runtime = await Runtime.open({ numThreads });
  const tiles = await fastestTiles(runtime, description);
  await write(path, { ...known, [key]: tiles });
  return tiles;
}

function keyOf({ layers, options }: TrainDescription, numThreads: number): string {
  const last = layers.findLast(({ backward }) => backward !== undefined) ?? layers.at(-1)!;
  const inputs = Object.entries(last.forward.inputs).map(([name, { dtype, shape }]) => `${name} ${dtype}[${shape}]`);
  const layer = sha256(...inputs, options.save, `${options.packed}`).slice(0, 16);
  const { onnxruntime, platform } = builds();
  return `${cpus()[0]?.model ?? "unknown processor"}, ${platform}, ${numThreads} threads, onnxruntime ${onnxruntime}, layer ${layer}`;
}

async function read(path: string): Promise<Known> {
  try {
    return fileSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return {};
  }
}

async function write(path: string, known: Known): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await replaceFiles([[path, [new TextEncoder().encode(`${JSON.stringify(known, undefined, 2)}\n`)]]]);
  } catch {
    // no reason to stop a run: nothing but the seconds of the next trial is lost
  }
}
