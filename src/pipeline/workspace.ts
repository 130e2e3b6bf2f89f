/** @file Where a pipeline keeps what it made of a folder: an index, a tokenizer, runs. */

import { appendFile, readFile, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { z } from "zod";
import { makeFolder, replaceFiles } from "../checkpoint/atomic.js";
import { ifThere } from "../checkpoint/byte-file.js";
import { encodeJson, type JsonValue, parseJsonAs } from "../checkpoint/json.js";
import { sha256 } from "./corpus.js";

/** `<root>/index`, `<root>/tokenizer.json`, `<root>/runs/<key>/…`. */
export class Workspace {
  constructor(readonly root: string) {}

  /** A folder's own place below `.tessera` in the current directory. */
  static for(folder: string): Workspace {
    const path = resolve(folder);
    return new Workspace(join(".tessera", `${basename(path)}-${sha256(path).slice(0, 8)}`));
  }

  path(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  async prepare(...parts: readonly string[]): Promise<void> {
    await makeFolder(this.path(...parts));
  }

  /** JSON of a file, or undefined where there is none. @throws CheckpointError when it does not fit the schema. */
  async read<T>(schema: z.ZodType<T>, ...parts: readonly string[]): Promise<T | undefined> {
    const path = this.path(...parts);
    const bytes = await ifThere(readFile(path), path);
    return bytes && parseJsonAs(bytes, schema, path);
  }

  /** Replaces a file by JSON, all or nothing. @throws CheckpointError for what JSON cannot hold. */
  async write(value: object, ...parts: readonly string[]): Promise<void> {
    const path = this.path(...parts);
    await replaceFiles([[path, [new TextEncoder().encode(`${encodeJson(value as JsonValue, path)}\n`)]]]);
  }

  async readText(...parts: readonly string[]): Promise<string | undefined> {
    return (await ifThere(readFile(this.path(...parts)), this.path(...parts)))?.toString("utf8");
  }

  async writeText(text: string, ...parts: readonly string[]): Promise<void> {
    await replaceFiles([[this.path(...parts), [new TextEncoder().encode(text)]]]);
  }
}

/**
 * Metrics as JSON lines. A run that goes on after a kill may repeat steps: lines of steps from its first one on are
 * dropped, so that the file tells one history.
 */
export class MetricsFile {
  readonly #path: string;
  #isClean = false;

  constructor(path: string) {
    this.#path = path;
  }

  async append<Record extends { readonly step: number }>(record: Record): Promise<void> {
    if (!this.#isClean) {
      const text = (await ifThere(readFile(this.#path), this.#path))?.toString("utf8") ?? "";
      const kept = text.split("\n").filter((line) => line !== "" && isBefore(line, record.step));
      await writeFile(this.#path, kept.map((line) => `${line}\n`).join(""));
      this.#isClean = true;
    }
    await appendFile(this.#path, `${JSON.stringify(record)}\n`);
  }
}

/** Whether a line is of an earlier step; the torn last line of a killed process is none. */
function isBefore(line: string, step: number): boolean {
  try {
    return (JSON.parse(line) as { step: number }).step < step;
  } catch {
    return false;
  }
}
