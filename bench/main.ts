/** @file `npm run -s bench -- <name> [--json]`: runs one benchmark and prints its figures. */

import { type Benchmark, machine, table } from "./bench.js";

const benchmarks: Record<string, () => Promise<Benchmark>> = {
  adapters: async () => (await import("./engine/adapters.bench.js")).adapters,
  algorithms: async () => (await import("./train/algorithms.bench.js")).algorithmsMemory,
  chunk: async () => (await import("./chunk/chunk.bench.js")).chunk,
  "chunk-eval": async () => (await import("./chunk/chunk-eval.bench.js")).chunkEval,
  "chunk-auto": async () => (await import("./chunk/chunk-auto.bench.js")).chunkAuto,
  context: async () => (await import("./long/context.bench.js")).context,
  curriculum: async () => (await import("./train/curriculum.bench.js")).curriculum,
  embedder: async () => (await import("./embed/embedder.bench.js")).embedder,
  extrapolation: async () => (await import("./positions/extrapolation.bench.js")).extrapolation,
  generate: async () => (await import("./engine/generate.bench.js")).generate,
  "grouped-queries": async () => (await import("./positions/grouped-queries.bench.js")).groupedQueries,
  lengths: async () => (await import("./train/lengths.bench.js")).lengths,
  load: async () => (await import("./load/load.bench.js")).load,
  methods: async () => (await import("./train/methods.bench.js")).methodsSideBySide,
  "memory-plan": async () => (await import("./train/memory-plan.bench.js")).memoryPlan,
  passkey: async () => (await import("./positions/passkey.bench.js")).passkey,
  "paged-memory": async () => (await import("./engine/paged-memory.bench.js")).pagedMemory,
  precision: async () => (await import("./train/precision.bench.js")).precision,
  qat: async () => (await import("./train/qat.bench.js")).qat,
  qlora: async () => (await import("./train/qlora.bench.js")).qlora,
  retrieve: async () => (await import("./retrieve/retrieve.bench.js")).retrieveBench,
  answers: async () => (await import("./retrieve/answers.bench.js")).answersBench,
  presets: async () => (await import("./retrieve/presets.bench.js")).presetsBench,
  serve: async () => (await import("./serve/serve.bench.js")).serve,
  speculative: async () => (await import("./engine/speculative.bench.js")).speculative,
  stream: async () => (await import("./engine/stream.bench.js")).stream100k,
  studio: async () => (await import("./studio/studio.bench.js")).studio,
  tokenizer: async () => (await import("./tokenizers/tokenizer.bench.js")).tokenizer,
  tune: async () => (await import("./train/tune.bench.js")).tune,
  "train-step": async () => (await import("./train/train-step.bench.js")).trainStep,
  webgpu: async () => (await import("./train/webgpu.bench.js")).webgpu,
  weights: async () => (await import("./engine/weights.bench.js")).weightFormats,
};

const isJson = process.argv.includes("--json");
const [name = "", ...args] = process.argv.slice(2).filter((arg) => arg !== "--json");
const load = benchmarks[name];
if (!load) {
  console.error(`no benchmark is called "${name}"; there are: ${Object.keys(benchmarks).join(", ")}`);
  process.exit(2);
}
const log = (message: string): void => console.error(message);
const peerPython = process.env.TESSERA_PEER_PYTHON;
if (!peerPython) log("TESSERA_PEER_PYTHON is not set: peers in Python are skipped");
const benchmark = await load();
const figures = await benchmark.run({ log, peerPython, args });
console.log(isJson ? JSON.stringify({ bench: name, machine: machine(), figures }) : table(figures));
