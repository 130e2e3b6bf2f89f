/** @file `tessera tune --task embedding`: flags to a configuration, events to lines. */

import {
  type EmbeddingConfig,
  type EmbeddingEvent,
  type EmbeddingReport,
  tuneEmbedding,
} from "../pipeline/embedding/index.js";
import { integer, rows, seconds } from "./format.js";
import { readJsonObject } from "./options.js";
import { bar, StatusLine } from "./status-line.js";
import { stopSignal } from "./stop-signal.js";
import type { TuneFlags } from "./tune-flags.js";

/** Flags that say how the command itself behaves. */
const OWN = ["config", "json", "printSchema"];

/** The configuration file's keys under the flags'. What a run of this kind does not know is refused by its schema. */
export function embeddingConfig(flags: TuneFlags): EmbeddingConfig {
  const file = flags.config === undefined ? {} : readJsonObject(flags.config);
  const given = Object.entries(flags).filter(
    // commander says packing: true where nobody said --no-packing
    ([key, value]) => value !== undefined && !OWN.includes(key) && !(key === "packing" && value === true),
  );
  return { ...file, ...Object.fromEntries(given) } as EmbeddingConfig;
}

/** Runs it, with its progress on standard error. */
export async function runEmbeddingTuning(flags: TuneFlags): Promise<EmbeddingReport> {
  const status = new StatusLine();
  using stop = stopSignal(status);
  status.update("reading");
  const report = await tuneEmbedding(embeddingConfig(flags), { signal: stop.signal }, reporter(status));
  status.print(`\nReport\n${reportText(report)}`);
  return report;
}

function reporter(status: StatusLine): (event: EmbeddingEvent) => void {
  return (event) => {
    if (event.type === "data") status.print(`Data\n${dataText(event)}\n`);
    else if (event.type === "search") {
      const { recallAt10, mrr } = event.search;
      status.print(
        `  step ${integer(event.step)}: recall@10 ${recallAt10.toFixed(3)}, MRR ${mrr.toFixed(3)} on held-out queries`,
      );
    } else if (event.event.type === "step") {
      const { step, loss, learningRate } = event.event;
      const done = `${integer(step)}/${integer(event.steps)}`;
      status.update(
        [bar(step / event.steps), done, `loss ${loss.toFixed(3)}`, `lr ${learningRate.toExponential(1)}`].join("  "),
      );
    }
  };
}

function dataText({ pairs, steps }: Extract<EmbeddingEvent, { type: "data" }>): string {
  return rows([
    ["pairs", `${integer(pairs.train)} to learn from, ${integer(pairs.heldOut)} held out with their passages`],
    [
      "negatives",
      `${pairs.batch - 1} of the batch${pairs.negatives > 0 ? ` and ${pairs.negatives} per pair of its own` : ""}`,
    ],
    ...(pairs.cut > 0 ? [["cut", `${integer(pairs.cut)} texts to their beginnings`] as const] : []),
    ["steps", `${integer(steps)} of ${integer(pairs.batch)} pairs`],
  ]);
}

function reportText({ steps, loss, before, after, seconds: time, model }: EmbeddingReport): string {
  const shown = (score: "recallAt10" | "mrr"): string =>
    before && after
      ? `${before[score].toFixed(3)} before, ${after[score].toFixed(3)} after`
      : "not measured: nothing is held out";
  return rows([
    ["steps", integer(steps)],
    ["loss", `${loss.first.toFixed(3)} at first, ${loss.last.toFixed(3)} at last`],
    ["recall@10", shown("recallAt10")],
    ["MRR", shown("mrr")],
    ...(after ? [["searched", `${after.numQueries} queries among ${after.numPassages} passages`] as const] : []),
    ["time", seconds(time)],
    ["written", `${model} (sentence-transformers)`],
  ]);
}
