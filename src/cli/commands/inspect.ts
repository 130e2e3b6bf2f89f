/** @file `tessera inspect <model>`: what a model is, and the memory to load, tune and serve it. */

import { Command } from "commander";
import { resolveModel } from "../../checkpoint/index.js";
import { type Inspection, inspectModel } from "../../presets/index.js";
import { bytes, integer, parameters, rows, table } from "../format.js";
import { parseInteger } from "../options.js";

interface Flags {
  readonly length?: number[];
  readonly json?: boolean;
}

export const inspectCommand = new Command("inspect")
  .description(
    "say what a model is: family, parameters by part, types, tokenizer, and the memory to load, tune and serve it",
  )
  .argument("<model>", "model folder, GGUF or llama2.c file, or a name on the hub")
  .option("--length <tokens...>", "lengths to give memory for (default: 512 and the model's own)", lengths)
  .option("--json", "print as JSON on standard output")
  .action(run);

function lengths(text: string, before: number[] = []): number[] {
  return [...before, parseInteger(1, 2 ** 24)(text)];
}

async function run(name: string, { length, json }: Flags): Promise<void> {
  const inspection = await inspectModel(await resolveModel(name), { ...(length && { lengths: length }) });
  console.log(json ? JSON.stringify(inspection) : inspectionText(inspection));
}

function inspectionText(model: Inspection): string {
  const { memory } = model;
  const facts = rows([
    ["family", `${model.family}, ${model.numLayers} layers of width ${integer(model.hiddenSize)}`],
    ["parameters", parameters(model.numParameters)],
    [
      "stored as",
      `${model.container}: ${model.types.map((t) => `${t.tensors} ${t.type} (${bytes(t.bytes)})`).join(", ")}`,
    ],
    ["context", `${integer(model.contextLength)} tokens`],
    ["vocabulary", `${integer(model.vocabSize)} tokens; tokenizer: ${model.tokenizer}`],
    ["to load", `${bytes(memory.load)} as float32`],
  ]);
  const parts = table(
    ["part", "parameters", "share"],
    model.parts.map(({ name, numParameters }) => [
      name,
      integer(numParameters),
      `${((100 * numParameters) / model.numParameters).toFixed(1)} %`,
    ]),
  );
  const tune = table(
    ["tokens", "full", "full, smallest", "LoRA", "QLoRA"],
    memory.tune.map((m) => [integer(m.length), bytes(m.full), bytes(m.fullSmallest), bytes(m.lora), bytes(m.qlora)]),
  );
  const serve = table(
    ["tokens", "float32", "int8", "int4"],
    memory.serve.map((m) => [integer(m.length), bytes(m.float32), bytes(m.int8), bytes(m.int4)]),
  );
  const byLength = memory.tune.length === 0 ? [] : [`To tune, batch 1\n${tune}`, `To serve, one sequence\n${serve}`];
  return [facts, parts, ...byLength].join("\n\n");
}
