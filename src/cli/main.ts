#!/usr/bin/env node
/** @file The `tessera` command. */

import { readFileSync } from "node:fs";
import { Command } from "commander";
import { TesseraError } from "../base/errors.js";
import { askCommand } from "./commands/ask.js";
import { chatCommand } from "./commands/chat.js";
import { chunkCommand } from "./commands/chunk.js";
import { datasetCommand } from "./commands/dataset.js";
import { digestCommand } from "./commands/digest.js";
import { embedCommand } from "./commands/embed.js";
import { evalCommand } from "./commands/eval.js";
import { exportCommand } from "./commands/export.js";
import { generateCommand } from "./commands/generate.js";
import { indexCommand } from "./commands/index.js";
import { inspectCommand } from "./commands/inspect.js";
import { planCommand } from "./commands/plan.js";
import { pullCommand } from "./commands/pull.js";
import { serveCommand } from "./commands/serve.js";
import { studioCommand } from "./commands/studio.js";
import { trainingStepCommand } from "./commands/training-step.js";
import { tuneCommand } from "./commands/tune.js";
import { upCommand } from "./commands/up.js";
import { verifyCommand } from "./commands/verify.js";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const program = new Command("tessera")
  .description("chunk, fine-tune, extend, compress, serve and ground language models")
  .version(version)
  .showSuggestionAfterError()
  .showHelpAfterError("(--help lists the options)");
const commands = [
  upCommand,
  studioCommand,
  indexCommand,
  askCommand,
  datasetCommand,
  tuneCommand,
  planCommand,
  verifyCommand,
  pullCommand,
  inspectCommand,
  exportCommand,
  embedCommand,
  trainingStepCommand,
  generateCommand,
  digestCommand,
  chunkCommand,
  evalCommand,
  chatCommand,
  serveCommand,
];
for (const command of commands) program.addCommand(command.copyInheritedSettings(program));

try {
  await program.parseAsync();
} catch (error) {
  // errors for users are sentences; anything else is a bug and needs its stack
  console.error(error instanceof TesseraError ? `tessera: ${error.message}` : error);
  process.exitCode = 1;
}
