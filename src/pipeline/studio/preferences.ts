/** @file The preferences of a workspace: a file of JSON lines that only grows, each judgement on the disk before it counts. */

import { open, readFile } from "node:fs/promises";
import { z } from "zod";
import { CheckpointError, messageOf } from "../../base/errors.js";
import { ifThere } from "../../checkpoint/byte-file.js";
import { Refusal } from "../../server/refusal.js";
import type { LiveState } from "../../server/studio/live-state.js";
import type { PreferenceService } from "../../server/studio/service.js";
import type { PreferenceFacts, PreferenceRequest } from "../../server/studio/wire/index.js";

/** Names of the models beside the texts, which stand in the same order. */
const recordSchema = z.discriminatedUnion("verdict", [
  z.object({
    verdict: z.literal("better"),
    prompt: z.string(),
    chosen: z.string(),
    rejected: z.string(),
    models: z.object({ chosen: z.string(), rejected: z.string() }),
    time: z.iso.datetime(),
  }),
  z.object({
    verdict: z.enum(["tie", "bad"]),
    prompt: z.string(),
    texts: z.array(z.string()).length(2),
    models: z.array(z.string()).length(2),
    time: z.iso.datetime(),
  }),
]);
type PreferenceRecord = z.output<typeof recordSchema>;

/** One server appends to a workspace's file. */
export class Preferences implements PreferenceService {
  /** Judgements come together; lines do not. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly path: string,
    private readonly live: LiveState,
  ) {}

  /** @throws CheckpointError where a line of the file is no judgement. */
  static async open(path: string, live: LiveState): Promise<Preferences> {
    live.change({ preferences: countsOf(await read(path)) });
    return new Preferences(path, live);
  }

  add(request: PreferenceRequest): Promise<PreferenceFacts> {
    const record = this.#recordOf(request);
    const added = this.#last.then(async () => {
      await append(this.path, record);
      const { numPairs, numUndecided } = this.live.current.preferences;
      const preferences =
        record.verdict === "better"
          ? { numPairs: numPairs + 1, numUndecided }
          : { numPairs, numUndecided: numUndecided + 1 };
      this.live.change({ preferences });
      return preferences;
    });
    // a failure is the caller's, and not of those that follow
    this.#last = added.catch(() => undefined);
    return added;
  }

  /** `{ prompt, chosen, rejected }` a line: the standard preference format of TRL. Without what was not decided. */
  async pairs(): Promise<string> {
    await this.#last;
    const lines = (await read(this.path)).flatMap((record) => {
      if (record.verdict !== "better") return [];
      const { prompt, chosen, rejected } = record;
      return [`${JSON.stringify({ prompt, chosen, rejected })}\n`];
    });
    return lines.join("");
  }

  #recordOf({ prompt, left, right, verdict }: PreferenceRequest): PreferenceRecord {
    const time = new Date().toISOString();
    const [leftModel, rightModel] = [this.#labelOf(left.writer, "left"), this.#labelOf(right.writer, "right")];
    if (verdict === "tie" || verdict === "bad") {
      return { verdict, prompt, texts: [left.text, right.text], models: [leftModel, rightModel], time };
    }
    if (left.text === right.text) {
      throw new Refusal(400, "the two texts are the same, so neither is better; say that it is a tie", "verdict");
    }
    const [chosen, rejected] = verdict === "left" ? [left.text, right.text] : [right.text, left.text];
    const models =
      verdict === "left" ? { chosen: leftModel, rejected: rightModel } : { chosen: rightModel, rejected: leftModel };
    return { verdict: "better", prompt, chosen, rejected, models, time };
  }

  #labelOf(id: string, field: string): string {
    const writer = this.live.current.writers.find((one) => one.id === id);
    if (writer) return writer.label;
    throw new Refusal(400, `${field}.writer: there is no model ${JSON.stringify(id)} here`, `${field}.writer`);
  }
}

function countsOf(records: readonly PreferenceRecord[]): PreferenceFacts {
  const numPairs = records.filter(({ verdict }) => verdict === "better").length;
  return { numPairs, numUndecided: records.length - numPairs };
}

/** Whole lines; what a killed process left unfinished behind the last is none. */
async function read(path: string): Promise<PreferenceRecord[]> {
  const text = (await ifThere(readFile(path), path))?.toString("utf8") ?? "";
  return text
    .split("\n")
    .slice(0, -1)
    .map((line, i) => recordOf(line, `${path}, line ${i + 1}`));
}

function recordOf(line: string, what: string): PreferenceRecord {
  try {
    return recordSchema.parse(JSON.parse(line));
  } catch (thrown) {
    const why = thrown instanceof z.ZodError ? z.prettifyError(thrown) : messageOf(thrown);
    throw new CheckpointError(`${what} is no judgement (${why}); mend or remove that line, or move the file away`);
  }
}

/** One write at the end of the file, flushed; what an earlier kill left unfinished is cut off first. */
async function append(path: string, record: PreferenceRecord): Promise<void> {
  try {
    await using handle = await open(path, "a+");
    const bytes = await handle.readFile();
    const whole = bytes.lastIndexOf(0x0a) + 1;
    if (whole < bytes.length) await handle.truncate(whole);
    await handle.write(`${JSON.stringify(record)}\n`);
    await handle.sync();
  } catch (thrown) {
    throw new CheckpointError(`${path} cannot be written, so the judgement is not kept: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}
