/** @file A second question over the same passages, and an edit of one character: what is computed again. */

import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { answerPrompt } from "../../src/answer/index.js";
import { cachePolicies, Engine } from "../../src/engine/index.js";
import { KnowledgeBase } from "../../src/pipeline/knowledge-base/knowledge-base.js";
import { Runtime } from "../../src/runtime/index.js";
import { type BenchContext, compared, type Figure, median, plain } from "../bench.js";
import { benchModel, shape, threads } from "../engine/shape.js";

const docs = fileURLToPath(new URL("../../docs", import.meta.url));
const questions = ["What happens when two processes write an index?", "How are vectors scanned in the index?"];
const edited = "guides/retrieval.md";
const rounds = 5;
/** Tokens of an answer. */
const answerTokens = 16;

export async function reuseFigures({ log }: BenchContext): Promise<Figure[]> {
  const root = await mkdtemp(join(tmpdir(), "tessera-reuse-"));
  try {
    const folder = join(root, "docs");
    await cp(docs, folder, { recursive: true });
    const { figures, prompts } = await indexFigures(folder, join(root, "workspace"));
    log("index done; answering");
    return [...figures, ...(await answerFigures(prompts))];
  } finally {
    await rm(root, { recursive: true });
  }
}

async function indexFigures(folder: string, workspace: string) {
  const open = () => KnowledgeBase.open(folder, { workspace });
  const first = await open();
  const { numChunks } = await first.sync();
  const { retrieved } = await first.ask(questions[0]!);
  await first.close();
  const passages = retrieved.passages.map(({ chunk }, i) => `[${i + 1}] ${chunk.text}`).join("\n\n");
  // each as a process of its own would do it
  const second = await open();
  const again = await second.sync();
  await second.close();
  const path = join(folder, edited);
  const text = await readFile(path, "utf8");
  const middle = text.indexOf(" ", text.length >> 1);
  await writeFile(path, `${text.slice(0, middle)}x${text.slice(middle)}`);
  const third = await open();
  const after = await third.sync();
  await third.close();
  const figures = [
    plain("chunks of the index", "chunks", numChunks),
    plain("second question: chunks cut again", "chunks", again.chunks, { atMost: 0 }),
    plain("second question: embedded again", "chunks", again.embeddings!.misses, { atMost: 0 }),
    plain("one character more in a document: embedded again", "chunks", after.embeddings!.misses, { atMost: 2 }),
  ];
  return { figures, prompts: questions.map((question) => answerPrompt(question, passages)) };
}

/** Times of answers to a second question by an engine that has read the passages for the first, and by one that has not. */
async function answerFigures(prompts: readonly string[]): Promise<Figure[]> {
  const { model, weights } = benchModel();
  await using runtime = await Runtime.open({ numThreads: threads });
  const [first, second] = prompts.map(idsOf) as [number[], number[]];
  const [known, anew]: [number[], number[]] = [[], []];
  let numCached = 0;
  for (let round = 0; round <= rounds; round++) {
    const open = () =>
      Engine.create(runtime, model, weights, { contextLength: 4096, maxSequences: 1, cache: cachePolicies.paged });
    await using warm = await open();
    await using cold = await open();
    await answer(warm, first);
    const [withPassages, without] = [await answer(warm, second), await answer(cold, second)];
    if (`${withPassages.ids}` !== `${without.ids}`) throw new Error("reuse: the answers differ");
    numCached = warm.statistics.cachedTokens;
    // the first round prepares memory and code
    if (round > 0) known.push(withPassages.milliseconds);
    if (round > 0) anew.push(without.milliseconds);
  }
  const peer = { value: median(known), name: "passages known" };
  return [
    plain("prompt of the second question", "tokens", second.length),
    plain("of it taken from the first's", "tokens", numCached),
    compared("second answer, 16 tokens, passages read anew", "ms", median(anew), peer, { atLeast: 3 }),
  ];
}

/** As many tokens as English has, without a vocabulary: four characters each. */
function idsOf(text: string): number[] {
  const ids: number[] = [];
  for (let at = 0; at < text.length; at += 4) {
    let hash = 0;
    for (const character of text.slice(at, at + 4)) hash = (hash * 31 + character.codePointAt(0)!) % shape.vocab_size;
    ids.push(hash);
  }
  return ids;
}

async function answer(engine: Engine, prompt: readonly number[]) {
  const start = performance.now();
  const ids: number[] = [];
  for await (const { id } of engine.generate(prompt, { temperature: 0, maxTokens: answerTokens })) ids.push(id);
  return { ids, milliseconds: performance.now() - start };
}
