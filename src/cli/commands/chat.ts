/** @file `tessera chat <model>`: a conversation at the terminal. */

import { Command } from "commander";
import { ChatSession } from "../../pipeline/chat-session.js";
import { chatLoop } from "../chat-loop.js";
import {
  type AdapterFlags,
  aboutDefaults,
  adaptersOf,
  addAdapterOption,
  addModelOptions,
  addSamplingOptions,
  type ModelFlags,
  openModel,
  type SamplingFlags,
  samplingOf,
  writerOf,
} from "../model-options.js";

interface Flags extends ModelFlags, SamplingFlags, AdapterFlags {
  readonly system?: string;
  readonly load?: string;
  readonly summarize?: boolean;
}

export const chatCommand = addSamplingOptions(
  addAdapterOption(
    addModelOptions(
      new Command("chat")
        .description("talk with a model that has a chat template; /help says what else there is")
        .argument("<model>", "model folder, GGUF file, or a name on the hub"),
    ),
  ),
)
  .option("--system <text>", "what the model is told before all else")
  .option("--load <file>", "go on with a conversation of /save")
  .option("--summarize", "sum up what no longer fits the context, instead of leaving it out")
  .action(run);

async function run(name: string, { system, load, summarize = false, ...flags }: Flags): Promise<void> {
  await using service = await openModel(name, flags, adaptersOf(flags));
  const served = writerOf(service, flags);
  const session = new ChatSession(service, {
    model: served.id,
    ...samplingOf(flags, served),
    summarize,
    onNote: (note) => console.error(`(${note})`),
  });
  if (load !== undefined) await session.load(load);
  if (system !== undefined) session.setSystem(system);
  for (const line of aboutDefaults(served)) console.error(line);
  console.error(`${served.id}; /help says what there is`);
  await chatLoop(session, { input: process.stdin, output: process.stdout });
}
