/** @file The errors users meet. A message names the operation, what was expected, what came, and what to do. */

/** Base class of every error that Tessera throws on purpose; anything else that escapes is a bug. */
export class TesseraError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Shapes that do not fit together. */
export class ShapeError extends TesseraError {}

/** An element type an operation does not take. */
export class DTypeError extends TesseraError {}

/** An option or configuration that is unknown, missing or out of range. */
export class ConfigError extends TesseraError {}

/** A file of weights, a tokenizer or a training checkpoint that cannot be read, trusted or written. */
export class CheckpointError extends TesseraError {}

/** Something that does not fit: memory budget, context length, time budget. */
export class CapacityError extends TesseraError {}

/** Something that Tessera knows but does not do here: no gradient, no kernel, no such format. */
export class UnsupportedError extends TesseraError {}

/** Input data (documents, examples, token ids) that cannot be used. */
export class DataError extends TesseraError {}

/** Training that went wrong while running: a loss that is not a number, a step that cannot be taken. */
export class TrainingError extends TesseraError {}

/** States an invariant. A failure is a bug in Tessera, never the user's fault. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`internal error: ${message}`);
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
