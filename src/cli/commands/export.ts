/** @file `tessera export <model>`: a model as files for other programs, compared before they are trusted. */

import { resolve } from "node:path";
import { Command, Option } from "commander";
import { resolveModel } from "../../checkpoint/index.js";
import { type ExportFormat, exporters, exportModel } from "../../export/index.js";
import { loadAdapter } from "../../peft/index.js";
import { loadModel } from "../../presets/index.js";
import { Runtime } from "../../runtime/index.js";
import { rows } from "../format.js";
import { parsePositive } from "../options.js";

interface Flags {
  readonly to: ExportFormat;
  readonly out: string;
  readonly dtype?: string;
  readonly adapter?: string;
  readonly limit?: number;
  readonly cache: boolean;
  readonly json?: boolean;
}

const formats = Object.values(exporters)
  .map(({ name, about, dtypes }) => `${name}: ${about} (${Object.keys(dtypes).join(", ")})`)
  .join("; ");

export const exportCommand = new Command("export")
  .description(`write a model for other programs and compare what was written, read back, with it. ${formats}`)
  .argument("<model>", "model folder, GGUF or llama2.c file, or a name on the hub")
  .addOption(new Option("--to <format>", "what to write").choices(Object.keys(exporters)).makeOptionMandatory())
  .requiredOption("--out <path>", "file or folder to write")
  .option("--dtype <type>", "type of the weights (default: the first of the format)")
  .option("--adapter <folder>", "PEFT adapter: merged into the weights, or written alone with --to peft")
  .option("--limit <number>", "largest difference of a logit (default: by the type of the weights)", parsePositive)
  .option("--no-cache", "ONNX: no keys and values of earlier tokens")
  .option("--json", "print the report as JSON on standard output")
  .action(run);

async function run(name: string, { to, out, adapter, json, ...options }: Flags): Promise<void> {
  const folder = await resolveModel(name);
  const loaded = await loadModel(folder);
  const read = adapter === undefined ? undefined : await loadAdapter(adapter, loaded.model);
  const source = {
    ...loaded,
    ...(read && { adapter: { definition: read.adapter, parameters: read.parameters, baseModel: name } }),
  };
  await using runtime = await Runtime.open();
  const report = await exportModel(runtime, source, exporters[to], { target: resolve(out), ...options });
  if (json) {
    console.log(JSON.stringify(report));
    return;
  }
  console.log(
    rows([
      ["wrote", report.files.join(", ")],
      ["weights", report.dtype],
      [
        "logits",
        `largest difference ${report.maxDifference.toExponential(2)} (allowed ${report.limit.toExponential(2)}, spread of the logits ${report.logitSpread.toPrecision(3)})`,
      ],
      [
        "most likely token",
        `the same at ${Math.round(report.sameTop * report.numTokens)} of ${report.numTokens} positions`,
      ],
    ]),
  );
}
