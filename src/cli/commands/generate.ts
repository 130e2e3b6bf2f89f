/** @file `tessera generate <model>`: text after a prompt, as it is written. */

import { text as readAll } from "node:stream/consumers";
import { Command } from "commander";
import { integer, rows } from "../format.js";
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
  readonly prompt?: string;
  readonly json?: boolean;
}

export const generateCommand = addSamplingOptions(
  addAdapterOption(
    addModelOptions(
      new Command("generate")
        .description("write text after a prompt, to standard output as it comes")
        .argument("<model>", "model folder, GGUF or llama2.c file, or a name on the hub")
        .option("--prompt <text>", "the beginning (default: standard input)"),
    ),
  ),
)
  .option("--json", "print text, counts and times as JSON on standard output, at the end")
  .action(run);

async function run(name: string, { prompt, json, ...flags }: Flags): Promise<void> {
  const text = prompt ?? (await readAll(process.stdin));
  await using service = await openModel(name, flags, adaptersOf(flags));
  const served = writerOf(service, flags);
  for (const line of aboutDefaults(served)) console.error(line);
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.once("SIGINT", end);
  // a reader that has enough, such as `head`
  process.stdout.once("error", end);
  const { numPromptTokens, pieces } = await service.generate({
    model: served.id,
    prompt: { kind: "plain", text },
    ...samplingOf(flags, served),
    signal: stop.signal,
  });
  const started = performance.now();
  let [written, count, firstAt, reason] = ["", 0, started, "interrupted"];
  for await (const piece of pieces) {
    if (count === 0) firstAt = performance.now();
    count += piece.ids.length;
    written += piece.text;
    reason = piece.finishReason ?? reason;
    if (!json) process.stdout.write(piece.text);
  }
  process.removeListener("SIGINT", end);
  const [first, total] = [(firstAt - started) / 1000, (performance.now() - started) / 1000];
  if (json) {
    console.log(
      JSON.stringify({
        text: written,
        finishReason: reason,
        promptTokens: numPromptTokens,
        tokens: count,
        secondsToFirst: first,
        seconds: total,
      }),
    );
    return;
  }
  const speed = count > 1 ? `, ${integer((count - 1) / (total - first))} tokens/s` : "";
  console.error(
    `\n${rows([
      ["prompt", `${integer(numPromptTokens)} tokens, ${first.toFixed(2)} s to the first new one`],
      ["written", `${integer(count)} tokens${speed}; ended by ${reason}`],
    ])}`,
  );
}
