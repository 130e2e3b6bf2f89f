/** @file What the Studio draws in the benchmark: a document of 5,000 chunks, a run of 10,000 steps. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Rng } from "../../src/base/rng.js";

const CHUNKS = 5000;
const STEPS = 10_000;

/** How the document is cut: each of its sections is one chunk. */
export const cutting = { maxTokens: 64, overlapTokens: 0, embedder: "none" };

const words = "the tile of a mosaic is cut from stone and set in order by hand until what was in pieces is seen whole";

/** Writes both; the path of the document in the folder. */
export async function writeDrawn(folder: string, workspace: string): Promise<{ document: string }> {
  const rng = new Rng(1);
  const pool = words.split(" ");
  const sections = Array.from({ length: CHUNKS }, (_, i) => {
    const text = Array.from({ length: 24 }, () => pool[rng.below(pool.length)]).join(" ");
    return `## Section ${i + 1}\n\n${text}.\n`;
  });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "long.md"), sections.join("\n"));
  const run = join(workspace, "runs", "long");
  await mkdir(run, { recursive: true });
  const record = { kind: "tune", name: "long", method: "lora", base: "a model", startedAt: Date.now() };
  await writeFile(join(run, "studio.json"), JSON.stringify(record));
  const lines = Array.from({ length: STEPS }, (_, i) => {
    const loss = 2 + 6 * Math.exp(-i / 2000) + 0.3 * rng.uniform();
    const rest = { learningRate: 1e-3 * (1 - i / STEPS), tokens: 512, ms: 80 + 20 * rng.uniform(), rssBytes: 4e8 };
    return JSON.stringify({ type: "step", step: i + 1, loss, ...rest });
  });
  await writeFile(join(run, "metrics.jsonl"), `${lines.join("\n")}\n`);
  return { document: "long.md" };
}
