/** @file `tessera training-step <model>`: forward, backward and optimiser as one ONNX file, run once against our own. */

import { Command, Option } from "commander";
import { resolveModel } from "../../checkpoint/index.js";
import { checkTrainingStep, writeTrainingStep } from "../../export/index.js";
import { createAdapter, type MethodName, methods, tuningOf } from "../../peft/index.js";
import { loadModel } from "../../presets/index.js";
import { Runtime } from "../../runtime/index.js";
import { type OptimizerName, optimizers } from "../../train/index.js";
import { integer, parameters as millions, rows } from "../format.js";
import { parseInteger, parsePositive } from "../options.js";
import { assignment } from "../tune-flags.js";

interface Flags {
  readonly out: string;
  readonly method: MethodName;
  readonly option?: Readonly<Record<string, unknown>>;
  readonly targets?: readonly string[];
  readonly alsoTrain?: readonly string[];
  readonly optimizer: OptimizerName;
  readonly weightDecay: number;
  readonly clipNorm?: number;
  readonly batchSize: number;
  readonly length: number;
  readonly packed?: boolean;
  readonly save: "all" | "selective" | "inputs";
  readonly attentionTile: number;
  readonly lossRows: number;
  readonly seed: number;
  readonly json?: boolean;
}

const count = parseInteger(1, 2 ** 31 - 1);

export const trainingStepCommand = new Command("training-step")
  .description(
    "write a training step as an ONNX file that ONNX Runtime runs from any language, and compare it with ours",
  )
  .argument("<model>", "model folder, GGUF or llama2.c file, or a name on the hub")
  .requiredOption("--out <file>", "<name>.onnx; <name>.safetensors and <name>.json go beside it")
  .addOption(new Option("--method <method>", "what is trained").choices(Object.keys(methods)).default("lora"))
  .option("--option <name=value>", "option of the method, such as r=16; may be repeated", assignment)
  .option("--targets <names...>", "linear maps to adapt (default: the family's own list)")
  .option("--also-train <names...>", "parameters of the base to train too: embedding, head, norms, biases, or modules")
  .addOption(new Option("--optimizer <name>", "an elementwise one").choices(Object.keys(optimizers)).default("adamw"))
  .option("--weight-decay <rate>", "of matrices", Number, 0)
  .option("--clip-norm <length>", "longest gradient (default: any)", parsePositive)
  .option("--batch-size <rows>", "rows per step", count, 1)
  .option("--length <tokens>", "positions per row", count, 512)
  .option("--packed", "rows hold several documents, kept apart by segments")
  .addOption(
    new Option("--save <policy>", "what is kept for the backward pass")
      .choices(["all", "selective", "inputs"])
      .default("selective"),
  )
  .option("--attention-tile <queries>", "queries per tile of attention", count, 256)
  .option("--loss-rows <positions>", "positions whose logits exist at once", count, 256)
  .option("--seed <number>", "of the adapter's start", parseInteger(0, 2 ** 31 - 1), 1)
  .option("--json", "print the report as JSON on standard output")
  .action(run);

async function run(name: string, flags: Flags): Promise<void> {
  const { method, option: config = {}, targets, alsoTrain = [], seed, json, clipNorm = null } = flags;
  const loaded = await loadModel(await resolveModel(name));
  const adapter = createAdapter(loaded.model, { method, config, alsoTrain, ...(targets && { targets }) });
  const { model, isTrainable, start } = tuningOf(loaded.model, adapter);
  const parameters = new Map([...loaded.parameters, ...start(loaded.parameters, { seed })]);
  const { length: time, packed = false, optimizer, ...rest } = flags;
  const options = { ...rest, time, packed, clipNorm, isTrainable, optimizer: optimizers[optimizer]() };
  const { step, files } = await writeTrainingStep(flags.out, model, parameters, options);
  await using runtime = await Runtime.open();
  const compared = await checkTrainingStep(runtime, flags.out, step, { model, parameters }, options);
  if (json) {
    console.log(JSON.stringify({ files, ...compared }));
    return;
  }
  const trained = [...parameters].filter(([key]) => isTrainable(key)).reduce((sum, [, t]) => sum + t.data.length, 0);
  console.log(
    rows([
      ["wrote", files.join(", ")],
      [
        "trains",
        `${millions(trained)} parameters by ${method} with ${optimizer}, ${flags.batchSize} x ${integer(time)} tokens`,
      ],
      [
        "compared",
        `${compared.steps} steps with those of this process: largest difference ${compared.maxDifference.toExponential(2)} of a tensor's largest value (${compared.worst}); ${integer(compared.numLeftOut)} weights whose gradient is rounding left out`,
      ],
    ]),
  );
}
