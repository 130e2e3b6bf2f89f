/** @file Writes a text that is saved block by block, begun or resumed, and says how to go on when it is interrupted. */

import { type SavedRequest, SavedText } from "../pipeline/saved-text.js";
import type { LocalTextService } from "../pipeline/text-service.js";
import { integer, plural } from "./format.js";
import { aboutDefaults, type ModelFlags, openModelHere, type SamplingFlags, samplingOf } from "./model-options.js";

interface Flags extends ModelFlags, SamplingFlags {
  readonly prompt: string;
  readonly blocks: number;
  readonly roll?: boolean;
}

/** Begins a text in a new file. */
export async function saveText(model: string, path: string, flags: Flags): Promise<void> {
  await using service = await openModelHere(model, flags);
  const [served] = service.models();
  for (const line of aboutDefaults(served!)) console.error(line);
  const { sampling, stop, ...rest } = samplingOf(flags, served!);
  const { logitBias: _, ...saved } = sampling;
  const request: SavedRequest = {
    version: 1,
    model,
    fingerprint: service.fingerprint,
    weights: flags.weights,
    ...(flags.context !== undefined && { context: flags.context }),
    prompt: flags.prompt,
    sampling: saved,
    stop: [...stop],
    ...rest,
    blockTokens: flags.blocks,
    beyondContext: flags.roll ? "roll" : "stop",
  };
  await using text = await SavedText.create(path, request);
  await write(text, service);
}

/** Goes on with a text, by the options that it was begun with. */
export async function resumeText(path: string): Promise<void> {
  await using saved = await SavedText.resume(path);
  const { model, weights, context } = saved.request;
  if (saved.isFinished) {
    console.error(`${path} is finished: ${lengthOf(saved)}`);
    return;
  }
  console.error(`${path} goes on after ${lengthOf(saved)}`);
  await using service = await openModelHere(model, { weights, ...(context !== undefined && { context }) });
  await write(saved, service);
}

async function write(saved: SavedText, service: LocalTextService): Promise<void> {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.once("SIGINT", end);
  for await (const { ids, text, end: ended } of saved.write(service, { signal: stop.signal })) {
    const state = ended === "full" ? "" : `; ended by ${ended}`;
    console.error(
      `block ${saved.blocks.length}: ${plural(ids.length, "token")}, ${integer(text.length)} characters${state}`,
    );
  }
  process.removeListener("SIGINT", end);
  const path = /^[\w./-]+$/.test(saved.path) ? saved.path : JSON.stringify(saved.path);
  if (saved.isFinished) console.error(`${saved.path}: ${lengthOf(saved)}`);
  else console.error(`interrupted after ${lengthOf(saved)}; to go on: tessera generate --resume ${path}`);
}

function lengthOf({ blocks }: SavedText): string {
  const numTokens = blocks.reduce((sum, { ids }) => sum + ids.length, 0);
  return `${plural(blocks.length, "block")}, ${plural(numTokens, "token")}`;
}
