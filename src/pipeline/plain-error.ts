/** @file Errors as plain objects, and back to what they were. */

import * as errors from "../base/errors.js";
import { ApiError, type ApiErrorDetails, type ApiStatus } from "../server/openai/errors.js";

export interface PlainError {
  /** Name of the class. */
  readonly kind: string;
  readonly message: string;
  /** Of errors that are bugs, for the log. */
  readonly stack?: string;
  /** Of an `ApiError`. */
  readonly api?: { readonly status: ApiStatus; readonly details: ApiErrorDetails };
}

const { TesseraError } = errors;

/** Classes by name; whatever else was thrown is a bug and stays one. */
const kinds: Readonly<Record<string, new (message: string) => errors.TesseraError>> = {
  TesseraError,
  ShapeError: errors.ShapeError,
  DTypeError: errors.DTypeError,
  ConfigError: errors.ConfigError,
  CheckpointError: errors.CheckpointError,
  CapacityError: errors.CapacityError,
  UnsupportedError: errors.UnsupportedError,
  DataError: errors.DataError,
  TrainingError: errors.TrainingError,
};

export function toPlainError(thrown: unknown): PlainError {
  const message = errors.messageOf(thrown);
  if (thrown instanceof ApiError) {
    const { status, code, param, retryAfterSeconds } = thrown;
    const details = {
      ...(code !== undefined && { code }),
      ...(param !== undefined && { param }),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    };
    return { kind: "ApiError", message, api: { status, details } };
  }
  if (thrown instanceof TesseraError) return { kind: thrown.name, message };
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  return { kind: "Error", message, ...(stack !== undefined && { stack }) };
}

export function fromPlainError({ kind, message, stack, api }: PlainError): Error {
  if (api) return new ApiError(api.status, message, api.details);
  const Kind = kinds[kind];
  if (Kind) return new Kind(message);
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
