/** @file `tessera pull org/name`: a model of the Hugging Face hub into the local cache. */

import { Command } from "commander";
import { type PullProgress, pull } from "../../checkpoint/index.js";
import { bytes, plural, seconds } from "../format.js";
import { bar, StatusLine } from "../status-line.js";

interface Flags {
  readonly revision?: string;
  readonly cache?: string;
  readonly files?: string[];
  readonly offline?: boolean;
  readonly json?: boolean;
}

export const pullCommand = new Command("pull")
  .description("download a model of the Hugging Face hub; prints the folder that it is in (HF_TOKEN for gated models)")
  .argument("<model>", "name on the hub, such as HuggingFaceTB/SmolLM2-135M")
  .option("--revision <revision>", "branch, tag or commit (default: main)")
  .option("--cache <folder>", "cache folder (default: the one of Hugging Face's libraries)")
  .option("--files <pattern...>", 'only these files, such as "*Q4_0.gguf" (default: config, tokenizer and weights)')
  .option("--offline", "use only what is in the cache")
  .option("--json", "print folder, commit and files as JSON on standard output")
  .action(run);

async function run(model: string, { revision, cache, files, offline, json }: Flags): Promise<void> {
  const status = new StatusLine();
  const token = process.env.HF_TOKEN;
  const result = await pull(model, {
    onProgress: shown(status),
    ...(revision !== undefined && { revision }),
    ...(cache !== undefined && { cacheDir: cache }),
    ...(files !== undefined && { files }),
    ...(offline !== undefined && { offline }),
    ...(token !== undefined && { token }),
  });
  status.print(`${plural(result.files.length, "file")} of ${model} at ${result.commit.slice(0, 12)}`);
  console.log(json ? JSON.stringify(result) : result.folder);
}

/** A progress line: share, bytes, speed of this run, time left, and the file. */
function shown(status: StatusLine): (progress: PullProgress) => void {
  let begin: { readonly at: number; readonly bytes: number } | undefined;
  return ({ path, doneBytes, totalBytes }) => {
    begin ??= { at: performance.now(), bytes: doneBytes };
    const elapsed = (performance.now() - begin.at) / 1000;
    const speed = (doneBytes - begin.bytes) / elapsed;
    const parts = [bar(totalBytes === 0 ? 1 : doneBytes / totalBytes), `${bytes(doneBytes)} of ${bytes(totalBytes)}`];
    if (elapsed > 0.5 && speed > 0)
      parts.push(`${bytes(speed)}/s`, `${seconds((totalBytes - doneBytes) / speed)} left`);
    status.update([...parts, path].join("  "));
  };
}
