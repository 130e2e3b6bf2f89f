/** @file Tiny decoders that differ in nothing but their positions, trained at one length and measured at longer ones. */

import type { Parameters } from "../../src/nn/index.js";
import { causalAlibi } from "../../src/nn/position/alibi.js";
import { describeTraining, estimateMemory } from "../../src/plan/index.js";
import type { Runtime } from "../../src/runtime/index.js";
import { type BenchContext, type Benchmark, compared, type Figure, plain } from "../bench.js";
import { type DecoderOptions, type EncodingName, tinyDecoder } from "./tiny-decoder.js";
import {
  type Corpus,
  common,
  firstWeights,
  hasText,
  openRuntime,
  perplexity,
  pretraining,
  readCorpus,
  rowsOf,
  tinyShape,
  trainTiny,
} from "./tiny-training.js";

const LENGTHS = [256, 512, 1024] as const;
const LONGEST = LENGTHS[2];
const COMPARED = ["rope", "xpos", "alibi", "sinusoidal", "learned"] as const satisfies EncodingName[];
/** Half of the training's length, so that a query sees no further back than it did in training. */
const BLOCK = tinyShape.time / 2;

interface Trained {
  readonly name: EncodingName;
  readonly parameters: Parameters;
}

async function trained(runtime: Runtime, name: EncodingName, { ids }: Corpus, log: BenchContext["log"]) {
  const model = tinyDecoder(name, tinyShape);
  const parameters = firstWeights(model);
  const start = performance.now();
  const loss = await trainTiny(runtime, model, parameters, rowsOf(ids, tinyShape.time), pretraining);
  log(`  ${name}: loss ${loss.toFixed(3)} after ${((performance.now() - start) / 1000).toFixed(0)} s`);
  return { name, parameters };
}

/** Perplexities by length, as far as the model reaches. */
async function perplexities(
  runtime: Runtime,
  { name, parameters }: Trained,
  { heldOut }: Corpus,
  options: DecoderOptions = {},
): Promise<ReadonlyMap<number, number>> {
  const model = tinyDecoder(name, tinyShape, options);
  const lengths = LENGTHS.filter((length) => !model.hasFixedPositions || length <= model.maxPositions);
  const found = new Map<number, number>();
  for (const length of lengths) found.set(length, await perplexity(runtime, model, parameters, heldOut, length));
  return found;
}

/** Memory that ALiBi adds to a step at the longest length, in percent: the plan's estimate, and the bias, which it leaves out. */
function addedMemory(): number {
  const planned = (name: EncodingName): number => {
    const model = tinyDecoder(name, tinyShape);
    const options = { ...common(model, 1), time: LONGEST, packed: true, save: "all" as const, streamGradients: false };
    return estimateMemory(describeTraining(model, { ...options, isTrainable: () => true })).total;
  };
  const { byteLength: bias } = causalAlibi(tinyShape.numHeads, LONGEST).data;
  return 100 * ((planned("alibi") + bias) / planned("none") - 1);
}

export const extrapolation: Benchmark = {
  name: "extrapolation",
  about: `perplexity at ${LENGTHS.join(", ")} tokens of tiny decoders trained at ${tinyShape.time}, by their positions`,
  async run({ log }) {
    if (!hasText) {
      log("  ../shared/data/data-wikitext2 is absent: skipped");
      return [];
    }
    const corpus = readCorpus();
    await using runtime = await openRuntime();
    const figures: Figure[] = [];
    const measured = new Map<string, number>();
    const note = (label: string, found: ReadonlyMap<number, number>): void => {
      for (const [length, value] of found) {
        measured.set(`${label} ${length}`, value);
        figures.push(plain(`${label}, ${length} tokens`, "perplexity", value));
        log(`  ${label}, ${length} tokens: ${value.toFixed(2)}`);
      }
    };
    for (const name of COMPARED) {
      const decoder = await trained(runtime, name, corpus, log);
      note(name, await perplexities(runtime, decoder, corpus));
      if (name === "rope" || name === "xpos") {
        note(`${name} blockwise`, await perplexities(runtime, decoder, corpus, { blockSize: BLOCK }));
      }
    }
    const at = (label: string, length: number): number => measured.get(`${label} ${length}`)!;
    const beside = (ours: string, peer: string, goal?: { readonly atMost: number }): Figure => {
      const label = `${ours} beside ${peer}, ${LONGEST} tokens`;
      return compared(label, "perplexity", at(ours, LONGEST), { value: at(peer, LONGEST), name: peer }, goal);
    };
    return [
      ...figures,
      plain(`alibi, ${LONGEST} over ${LENGTHS[0]} tokens`, "ratio", at("alibi", LONGEST) / at("alibi", LENGTHS[0]), {
        atMost: 1.1,
      }),
      beside("xpos", "rope", { atMost: 1 }),
      beside("xpos blockwise", "rope", { atMost: 1 }),
      beside("xpos blockwise", "rope blockwise"),
      plain("alibi, memory added to a step, predicted", "%", addedMemory(), { atMost: 0.7 }),
    ];
  },
};
