/** @file What a server must stand: hours of mixed requests, thousands of connections at once, readers that do not read. */

import { setTimeout as wait } from "node:timers/promises";
import { Rng } from "../../src/base/rng.js";
import { type BenchContext, type Figure, plain } from "../bench.js";
import { answerOf, silentReader, stream } from "./client.js";
import type { BenchServer } from "./server.js";

/** Two hours of four requests per second. */
const SOAK = 28_800;
const CONNECTIONS = 10_000;
const SLOW = 8;

const prompt = "Once upon a time there was";

/** Sends what a user might; gives the status, which must be the expected one. */
async function anyRequest(port: number, rng: Rng): Promise<void> {
  const body = { model: "m", prompt, temperature: 1, seed: rng.below(2 ** 20), max_tokens: 1 + rng.below(48) };
  const kinds: (() => Promise<[number, number]>)[] = [
    async () => [200, (await answerOf(port, "/v1/completions", body)).status],
    async () => [200, (await stream(port, body)).status],
    async () => [200, (await stream(port, { ...body, max_tokens: 400 }, 1 + rng.below(8))).status],
    async () => [200, (await answerOf(port, "/v1/completions", { ...body, n: 3, logprobs: 5, stop: ["."] })).status],
    async () => [404, (await answerOf(port, "/v1/completions", { ...body, model: "other" })).status],
    async () => [400, (await answerOf(port, "/v1/completions", '{"model":"m",')).status],
    async () => [400, (await answerOf(port, "/v1/completions", { ...body, prompt: prompt.repeat(200) })).status],
    async () => [400, (await answerOf(port, "/v1/completions", { ...body, temperature: -1 })).status],
  ];
  const [expected, status] = await kinds[rng.below(kinds.length)]!();
  if (status !== expected) throw new Error(`soak: a request got status ${status}, expected ${expected}`);
}

/** Eight clients; memory after a tenth of the requests, in the middle and at the end. */
export async function soak(server: BenchServer, { log }: BenchContext): Promise<Figure[]> {
  const marks = [0.1, 0.55, 1].map((share) => Math.round(SOAK * share));
  const start = performance.now();
  const memory: Awaited<ReturnType<BenchServer["report"]>>["memory"][] = [];
  let sent = 0;
  for (const mark of marks) {
    const client = async (index: number): Promise<void> => {
      const rng = new Rng(1000 * mark + index);
      while (sent++ < mark) await anyRequest(server.port, rng);
      sent--;
    };
    await Promise.all(Array.from({ length: 8 }, (_, i) => client(i)));
    const { memory: seen, delay, inEngine } = await server.report();
    if (inEngine !== 0) throw new Error(`soak: ${inEngine} requests are still in the engine`);
    memory.push(seen);
    const seconds = Math.round((performance.now() - start) / 1000);
    log(`${mark} requests in ${seconds} s: ${JSON.stringify(seen)} MB, event loop late by ${JSON.stringify(delay)} ms`);
  }
  const [first, middle, last] = memory as [(typeof memory)[0], (typeof memory)[0], (typeof memory)[0]];
  const titles = { heap: "server's live heap", server: "server's memory", engine: "engine's memory" };
  const of = (name: "server" | "engine" | "heap"): Figure[] => [
    plain(`soak, ${titles[name]} at the start`, "MB", first[name]),
    plain(`soak, ${titles[name]} in the middle`, "MB", middle[name]),
    plain(`soak, ${titles[name]} at the end`, "MB", last[name]),
    plain(`soak, ${titles[name]}, end over middle`, "ratio", last[name] / middle[name], { atMost: 1.1 }),
  ];
  const rate = SOAK / ((performance.now() - start) / 1000);
  return [plain("soak, requests", "requests/s", rate), ...of("heap"), ...of("server"), ...of("engine")];
}

/** Everyone asks at once: each is answered, or refused in OpenAI's shape. */
export async function crowd(server: BenchServer, { log }: BenchContext): Promise<Figure[]> {
  const counts: Record<string, number> = {};
  const body = { model: "m", prompt, max_tokens: 2 };
  const one = async (): Promise<void> => {
    let outcome: string;
    try {
      const { status, text } = await answerOf(server.port, "/v1/completions", body);
      const answer = JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4)) as {
        error?: { code: string };
        object?: string;
      };
      outcome = `${status} ${answer.error?.code ?? answer.object}`;
    } catch (thrown) {
      outcome = `connection failed: ${String(thrown instanceof Error && "code" in thrown ? thrown.code : thrown)}`;
    }
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, one));
  log(`${CONNECTIONS} connections at once: ${JSON.stringify(counts)}`);
  const { status } = await answerOf(server.port, "/v1/completions", body);
  const told = (counts["200 text_completion"] ?? 0) + (counts["429 queue_full"] ?? 0);
  return [
    plain("crowd, connections answered or refused in OpenAI's shape", "of 10,000", told, { atLeast: CONNECTIONS }),
    plain("crowd, of them answered", "of 10,000", counts["200 text_completion"] ?? 0),
    plain("crowd, server alive and well after", "1 = yes", Number(server.isAlive && status === 200), { atLeast: 1 }),
  ];
}

/** Clients that ask for much and read nothing, and one that reads. */
export async function slowReaders(server: BenchServer, { log }: BenchContext): Promise<Figure[]> {
  const short = { model: "m", prompt, max_tokens: 64, temperature: 0 };
  await stream(server.port, short);
  const { memory: before } = await server.report();
  const long = {
    model: "m",
    prompt,
    max_tokens: 400,
    n: 4,
    logprobs: 5,
    logit_bias: { 1: -100, 2: -100 },
    stream: true,
  };
  const silent = await Promise.all(Array.from({ length: SLOW }, () => silentReader(server.port, long)));
  const start = performance.now();
  let inEngine = 1;
  while (inEngine > 0 && performance.now() - start < 120_000) {
    await wait(200);
    ({ inEngine } = await server.report());
  }
  const { memory: after } = await server.report();
  const { status, numTokens } = await stream(server.port, short);
  log(
    `slow readers: engine free after ${Math.round(performance.now() - start)} ms, then status ${status}, ${numTokens} tokens`,
  );
  for (const socket of silent) socket.destroy();
  return [
    plain(`${SLOW} slow readers, requests left in the engine`, "requests", inEngine, { atMost: 0 }),
    plain(`${SLOW} slow readers, memory of the server for each`, "MB", (after.server - before.server) / SLOW, {
      atMost: 8,
    }),
  ];
}
