/** @file Serving over HTTP: times of tokens, the event loop's delay, a soak, many connections at once, readers that do not read. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Rng } from "../../src/base/rng.js";
import { type BenchContext, type Benchmark, type Figure, plain } from "../bench.js";
import { benchModel, shape, writeBenchModel } from "../engine/shape.js";
import { type Streamed, stream } from "./client.js";
import { idleProcess } from "./loop-delay.js";
import { BenchServer } from "./server.js";
import { crowd, slowReaders, soak } from "./trouble.js";

const CLIENTS = [1, 8, 32] as const;
/** Requests of each client. */
const REQUESTS = 3;
const PROMPT = 64;
const TEXT = 48;

export const serve: Benchmark = {
  name: "serve",
  about: "the server over HTTP: times per token, event loop, memory, crowds and slow readers (arguments: parts of it)",
  async run(context) {
    const parts = context.args.length > 0 ? context.args : ["times", "soak", "crowd", "slow"];
    const figures: Figure[] = [];
    if (parts.includes("times")) figures.push(...(await times(context)));
    const stories = fileURLToPath(new URL("../../../shared/data/llm-stories260k/stories260K.bin", import.meta.url));
    const small = { path: stories, id: "m", weights: "float32", maxSequences: 8, numThreads: 1 } as const;
    const run: Record<string, (server: BenchServer, context: BenchContext) => Promise<Figure[]>> = {
      soak,
      crowd,
      slow: slowReaders,
    };
    for (const [name, part] of Object.entries(run)) {
      if (!parts.includes(name)) continue;
      await using server = await BenchServer.start({ ...small, maxWaiting: 64 });
      figures.push(...(await part(server, context)));
    }
    return figures;
  },
};

/** The 134 M parameter shape in 4 bits; clients share the machine's cores with the server. */
async function times({ log }: BenchContext): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "tessera-serve-"));
  const path = join(folder, "model.gguf");
  await writeBenchModel(path, benchModel());
  const options = { path, id: "m", weights: "int4", contextLength: 512, maxSequences: 32, maxWaiting: 64 } as const;
  await using server = await BenchServer.start(options);
  await rm(folder, { recursive: true });
  const idle = idleProcess();
  const figures: Figure[] = [];
  for (const clients of CLIENTS) {
    await load(server.port, clients, 1, 7);
    await Promise.all([server.report(), idle.delay()]);
    const streamed = await load(server.port, clients, REQUESTS, clients);
    const [{ delay }, around] = await Promise.all([server.report(), idle.delay()]);
    log(
      `${clients} clients: event loop late by ${JSON.stringify(delay)} ms, of an idle process ${JSON.stringify(around)}`,
    );
    const figure = (title: string, of: (one: Streamed) => number, share: number): Figure =>
      plain(`${clients} clients, ${title} p${share}`, "ms", percentile(streamed.map(of), share));
    figures.push(
      ...[50, 95].map((share) => figure("first token", ({ first }) => first, share)),
      ...[50, 95].map((share) => figure("per token", ({ perToken }) => perToken, share)),
      plain(`${clients} clients, event loop delay p99`, "ms", delay.p99, { atMost: 20 }),
      plain(`${clients} clients, event loop delay max`, "ms", delay.max, { atMost: 20 }),
      plain(`${clients} clients, of an idle process beside it p99`, "ms", around.p99),
      plain(`${clients} clients, of an idle process beside it max`, "ms", around.max),
    );
  }
  idle.end();
  return figures;
}

/** Each client sends its requests one after the other; no two prompts are equal. */
async function load(port: number, clients: number, requests: number, seed: number): Promise<Streamed[]> {
  const rng = new Rng(seed);
  const client = async (index: number): Promise<Streamed[]> => {
    // nobody's clock strikes with everybody's
    await wait(10 * index);
    const seen: Streamed[] = [];
    for (let i = 0; i < requests; i++) {
      const prompt = Array.from({ length: PROMPT }, () => 259 + rng.below(shape.vocab_size - 259));
      // no end, and only tokens that write something
      const body = { model: "m", prompt, max_tokens: TEXT, temperature: 0, logit_bias: { 0: -100, 1: -100, 2: -100 } };
      seen.push(await stream(port, body));
    }
    return seen;
  };
  const all = (await Promise.all(Array.from({ length: clients }, (_, i) => client(i)))).flat();
  for (const { status, numTokens } of all) {
    if (status !== 200 || numTokens < TEXT / 2)
      throw new Error(`a request got status ${status} and ${numTokens} tokens`);
  }
  return all;
}

/** Nearest rank. */
function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((share / 100) * sorted.length) - 1)]!;
}
