/** @file What an embedder finds next to BM25, alone and fused with it, and how fast it is. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { builtinFolder, openEmbedder, readStaticModel } from "../../src/embed/index.js";
import { type Benchmark, compared, type Figure, median, plain } from "../bench.js";
import { chunkingEval, heldOutTitles, type RetrievalSet, xquadSet } from "./retrieval-sets.js";
import { fused, scoresOf, search } from "./search-scores.js";

const shared = fileURLToPath(new URL("../../../shared/data", import.meta.url));

/** Weight of the vectors beside BM25's 1. Tried were 0.1 to 1 on all five sets; 0.3 helps or does no harm in most. */
const WEIGHT = 0.3;
const PASSES = 5;
const CHUNKS = 1000;

/** Figures of one set: BM25 is the peer of each. */
async function figuresOf(set: RetrievalSet, source: string): Promise<Figure[]> {
  const embedder = await openEmbedder(source);
  const found = await search(set, embedder);
  await embedder.close?.();
  const bm25 = scoresOf(set, found.text);
  const rows = {
    embedder: scoresOf(set, found.vector),
    "min-max": scoresOf(set, fused(found, "min-max", WEIGHT)),
    rrf: scoresOf(set, fused(found, "rrf", 1)),
  };
  return Object.entries(rows).flatMap(([name, scores]) =>
    (["recall1", "recall5", "mrr"] as const).map((score) => {
      const peer = { value: bm25[score], name: "BM25" };
      const isGoal = set.name === "xquad-en" && name === "min-max" && score === "recall5";
      return compared(
        `${set.name} ${name} ${score}`,
        "share",
        scores[score],
        peer,
        isGoal ? { atLeast: 1 } : undefined,
      );
    }),
  );
}

/** Passages that an embedder takes in a second, as an index has them. */
async function speedOf(passages: readonly string[], source: string): Promise<Figure[]> {
  const embedder = await openEmbedder(source);
  const texts = Array.from({ length: CHUNKS }, (_, i) => passages[i % passages.length]!);
  const [speeds, ofCpu]: [number[], number[]] = [[], []];
  for (let pass = 0; pass < PASSES; pass++) {
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    await embedder.embed(texts, "passage");
    speeds.push((1000 * CHUNKS) / (performance.now() - start));
    const { user, system } = process.cpuUsage(cpu);
    ofCpu.push((1e6 * CHUNKS) / (user + system));
  }
  await embedder.close?.();
  const what = `passages of ${Math.round(texts.reduce((sum, { length }) => sum + length, 0) / CHUNKS)} characters`;
  return [plain(what, "per second", median(speeds)), plain(what, "per second of CPU time", median(ofCpu))];
}

export const embedder: Benchmark = {
  name: "embedder",
  about:
    "recall and speed of an embedder next to BM25; an argument names it: builtin (default), a folder or an address",
  async run({ log, args: [source = "builtin"] }) {
    if (!existsSync(shared)) {
      log(`${shared} is not there: nothing to search`);
      return [];
    }
    // cut by one tokenizer whatever the embedder, so that all search the same passages
    const counter = (await readStaticModel(builtinFolder())).model.tokenizer;
    const sets = [
      xquadSet("en"),
      xquadSet("zh"),
      xquadSet("es"),
      heldOutTitles(counter),
      await chunkingEval(shared, counter),
    ];
    const figures: Figure[] = [];
    for (const set of sets) {
      log(`${set.name}: ${set.queries.length} queries among ${set.passages.length} passages`);
      figures.push(...(await figuresOf(set, source)));
    }
    return [...figures, ...(await speedOf(sets.at(-1)!.passages, source))];
  },
};
