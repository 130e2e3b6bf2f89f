/** @file `tessera verify <run>`: does a tuning run come out the same again? */

import { Command } from "commander";
import { verifyTuning } from "../../pipeline/tuning/index.js";
import { rows } from "../format.js";
import { StatusLine } from "../status-line.js";
import { TrainingStatus } from "../training-status.js";

export const verifyCommand = new Command("verify")
  .description("run a finished tuning again from its manifest and compare losses and weights bit by bit")
  .argument("<run>", "the --out folder of tessera tune")
  .option("--json", "print the result as JSON on standard output")
  .action(run);

async function run(folder: string, { json }: { readonly json?: boolean }): Promise<void> {
  const status = new StatusLine();
  let training: TrainingStatus | undefined;
  const result = await verifyTuning(folder, (event) => {
    if (event.type === "plan") training = new TrainingStatus(status, event.plan.steps);
    if (event.type === "train") training?.show(event.event);
  });
  status.clear();
  if (!result.isEqual) process.exitCode = 1;
  if (json) {
    console.log(JSON.stringify(result));
    return;
  }
  const { firstDifferentStep, files, changedBuilds } = result;
  console.log(
    rows([
      [
        "losses",
        firstDifferentStep === undefined ? "equal at every step" : `differ from step ${firstDifferentStep} on`,
      ],
      ...files.map(({ path, isEqual }) => [path, isEqual ? "equal" : "differs"] as const),
      ["builds", changedBuilds.length === 0 ? "the same" : changedBuilds.join("; ")],
    ]),
  );
}
