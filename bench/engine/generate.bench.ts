/** @file Generation: tokens per second alone at several contexts, of a prompt, and of eight requests together. */

import { Rng } from "../../src/base/rng.js";
import { Engine, pagedPolicy } from "../../src/engine/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { type BenchContext, type Benchmark, compared, type Figure, median, plain } from "../bench.js";
import { openLlamaCpp, type Request, type Timed } from "./llama-cpp.js";
import { benchModel, shape, threads } from "./shape.js";

/** Rounds that count, unless another number is given after the name. */
const ROUNDS = 3;
const CONTEXTS = [16, 512, 2048] as const;
/** Tokens that a decode figure is the mean of. */
const DECODED = 48;
const LONGEST = 2048 + 256;
/** Lengths of prompts and texts of the requests that run together, in tokens. */
const UNEQUAL = [16, 40, 64, 100, 130, 190, 256, 400].map((prompt, i) => ({ prompt, text: 24 + 24 * ((i * 3) % 8) }));
const TEXT = UNEQUAL.reduce((sum, { text }) => sum + text, 0);

/** No two rounds have a prompt in common, so that nothing is known before. */
const requestOf = (length: number, text: number, seed: number): Request => {
  const rng = new Rng(seed);
  return { prompt: Array.from({ length }, () => rng.below(shape.vocab_size)), text };
};
const unequal = (seed: number): Request[] =>
  UNEQUAL.map(({ prompt, text }, i) => requestOf(prompt, text, 1000 * seed + i));

/** Runs requests together. */
type Runner = (requests: readonly Request[]) => Promise<readonly Timed[]>;

const runnerOf =
  (engine: Engine): Runner =>
  (requests) =>
    Promise.all(requests.map(({ prompt, text }) => timed(engine, prompt, text)));

async function timed(engine: Engine, ids: readonly number[], maxTokens: number): Promise<Timed> {
  const start = performance.now();
  let first = 0;
  for await (const _ of engine.generate(ids, { maxTokens })) if (first === 0) first = performance.now() - start;
  return { first, rest: performance.now() - start - first };
}

/** Tokens per second after a prompt of `length`. */
const decoding = (run: Runner, length: number) => async (round: number) => {
  const [result] = await run([requestOf(length, DECODED, 100 * round + length)]);
  return ((DECODED - 1) * 1000) / result!.rest;
};

const prefill = (run: Runner) => async (round: number) => {
  const [result] = await run([requestOf(512, 1, 7 * round + 1)]);
  return 512_000 / result!.first;
};

const together = (run: Runner) => async (round: number) => {
  const start = performance.now();
  await run(unequal(round));
  return (TEXT * 1000) / (performance.now() - start);
};

const oneByOne = (run: Runner) => async (round: number) => {
  const start = performance.now();
  for (const request of unequal(50 + round)) await run([request]);
  return (TEXT * 1000) / (performance.now() - start);
};

type Measures = Readonly<Record<string, (round: number) => Promise<number>>>;

/** Medians over rounds; the measures of a round run one after the other, so that a noisy minute falls on all. */
async function medians(measures: Measures, { log, args }: BenchContext): Promise<Record<string, number>> {
  const seen: Record<string, number[]> = {};
  const rounds = Number(args[0] ?? ROUNDS);
  for (let round = 0; round <= rounds; round++) {
    for (const [name, measure] of Object.entries(measures)) {
      const value = await measure(round);
      log(`  ${name}: ${value.toFixed(1)} tokens/s`);
      // the first round prepares memory and code
      if (round > 0) seen[name] = [...(seen[name] ?? []), value];
    }
    log(`round ${round} of ${rounds}`);
  }
  return Object.fromEntries(Object.entries(seen).map(([name, values]) => [name, median(values)]));
}

function measuresOf(name: string, run: Runner): Measures {
  const ofContexts = CONTEXTS.map((length) => [`${name} decode ${length}`, decoding(run, length)] as const);
  return {
    ...Object.fromEntries(ofContexts),
    [`${name} prefill`]: prefill(run),
    [`${name} together`]: together(run),
  };
}

/** Folder whose node_modules have node-llama-cpp 3. */
const library = process.env.TESSERA_PEER_LLAMA_CPP;

export const generate: Benchmark = {
  name: "generate",
  about: "decoding, prefill and continuous batching of a 134 M parameter Llama shape in 4 bits",
  async run(context) {
    const bench = benchModel();
    const { model, weights } = bench;
    await using runtime = await Runtime.open({ numThreads: threads });
    const options = { contextLength: LONGEST, maxSequences: UNEQUAL.length };
    await using slots = await Engine.create(runtime, model, weights, options);
    const cache = pagedPolicy({ blockTokens: 32 });
    await using blocks = await Engine.create(runtime, model, weights, { ...options, cache });
    if (library === undefined) context.log("TESSERA_PEER_LLAMA_CPP is not set: node-llama-cpp is skipped");
    const sequences = UNEQUAL.length;
    const peer =
      library === undefined ? undefined : await openLlamaCpp(library, bench, { contextLength: LONGEST, sequences });
    try {
      const measured = await medians(
        {
          ...measuresOf("ours", runnerOf(slots)),
          ...(peer && measuresOf("peer", (requests) => peer.run(requests))),
          "paged decode 512": decoding(runnerOf(blocks), 512),
          "one by one": oneByOne(runnerOf(slots)),
        },
        context,
      );
      return figuresOf(measured);
    } finally {
      await peer?.close();
    }
  },
};

function figuresOf(measured: Readonly<Record<string, number>>): Figure[] {
  const figure = (title: string, key: string, atLeast: number): Figure => {
    const [ours, value] = [measured[`ours ${key}`]!, measured[`peer ${key}`]];
    if (value === undefined) return plain(title, "tokens/s", ours);
    return compared(title, "tokens/s", ours, { value, name: "node-llama-cpp" }, { atLeast });
  };
  const against = (
    title: string,
    ours: number,
    key: string,
    name: string,
    goal?: { readonly atLeast: number },
  ): Figure => compared(title, "tokens/s", ours, { value: measured[key]!, name }, goal);
  return [
    ...CONTEXTS.map((length) => figure(`decode, batch 1, context ${length}`, `decode ${length}`, 1.15)),
    figure("prefill 512", "prefill", 1.05),
    figure("8 requests together", "together", 2),
    against("8 requests together", measured["ours together"]!, "one by one", "ours, one by one", { atLeast: 1.5 }),
    against("decode, paged, context 512", measured["paged decode 512"]!, "ours decode 512", "ours, contiguous"),
  ];
}
