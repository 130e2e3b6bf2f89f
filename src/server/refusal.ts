/** @file Requests that are not answered, and failures, as JSON. */

import { TesseraError } from "../base/errors.js";
import type { ErrorResponse } from "./studio/wire/index.js";

export type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415;

/** A request that the server does not answer, with the HTTP status that says why. */
export class Refusal extends TesseraError {
  constructor(
    readonly status: RefusalStatus,
    message: string,
    /** The part of the request that is wrong. */
    readonly field?: string,
  ) {
    super(message);
  }
}

/**
 * Status and body that tell a client what was thrown. Of an error that Tessera did not throw on purpose the client learns
 * nothing; `onError` hears of it.
 */
export function describeFailure(
  thrown: unknown,
  onError: (thrown: unknown) => void,
): { readonly status: RefusalStatus | 500; readonly body: ErrorResponse } {
  if (thrown instanceof Refusal) {
    const { status, message, field } = thrown;
    return { status, body: { error: field === undefined ? { message } : { message, field } } };
  }
  if (thrown instanceof TesseraError) return { status: 500, body: { error: { message: thrown.message } } };
  onError(thrown);
  return { status: 500, body: { error: { message: "the server failed; its terminal says why" } } };
}
