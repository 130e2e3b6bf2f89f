/** @file The tokenizer's entries of a GGUF file's metadata, checked as they are asked for. */

import { CheckpointError } from "../../base/errors.js";

export class GgufEntries {
  readonly #metadata: ReadonlyMap<string, unknown>;

  constructor(metadata: ReadonlyMap<string, unknown>) {
    this.#metadata = metadata;
  }

  /** The text of `tokenizer.ggml.<name>`, or undefined. */
  text(name: string): string | undefined {
    return this.#typed(name, "text", (value) => (typeof value === "string" ? value : undefined));
  }

  flag(name: string): boolean | undefined {
    return this.#typed(name, "true or false", (value) => (typeof value === "boolean" ? value : undefined));
  }

  id(name: string): number | undefined {
    return this.#typed(name, "an id", (value) => (typeof value === "number" && value >= 0 ? value : undefined));
  }

  texts(name: string): readonly string[] | undefined {
    return this.#typed(name, "a list of texts", (value) => {
      const list = listOf(value);
      return list?.every((item) => typeof item === "string") ? (list as readonly string[]) : undefined;
    });
  }

  numbers(name: string): readonly number[] | undefined {
    return this.#typed(name, "a list of numbers", (value) => {
      const list = listOf(value);
      return list?.every((item) => typeof item === "number") ? (list as readonly number[]) : undefined;
    });
  }

  /** @throws CheckpointError when the entry is missing. */
  required<T>(name: string, value: T | undefined): T {
    if (value !== undefined) return value;
    throw new CheckpointError(`GGUF: expected tokenizer.ggml.${name}; the file has no tokenizer, or is damaged`);
  }

  #typed<T>(name: string, expected: string, read: (value: unknown) => T | undefined): T | undefined {
    const value = this.#metadata.get(`tokenizer.ggml.${name}`);
    if (value === undefined) return undefined;
    const result = read(value);
    if (result !== undefined) return result;
    throw new CheckpointError(`GGUF: expected ${expected} as tokenizer.ggml.${name}, found ${typeof value}`);
  }
}

function listOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  return ArrayBuffer.isView(value) && !(value instanceof DataView) && Symbol.iterator in value
    ? Array.from(value as Iterable<unknown> & ArrayBufferView)
    : undefined;
}
