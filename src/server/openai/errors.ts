/** @file Failures in OpenAI's error shape. */

import {
  CapacityError,
  ConfigError,
  DataError,
  ShapeError,
  TesseraError,
  UnsupportedError,
} from "../../base/errors.js";
import { Refusal } from "../refusal.js";

export type ApiStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 429 | 500 | 501 | 502 | 503 | 504;

export interface ApiErrorDetails {
  /** A word for programs, such as `model_not_found`. */
  readonly code?: string;
  /** The part of the request that is wrong. */
  readonly param?: string;
  /** When to try again. */
  readonly retryAfterSeconds?: number;
}

export interface ApiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

/** What a request gets instead of an answer. */
export class ApiError extends TesseraError {
  readonly code: string | undefined;
  readonly param: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly status: ApiStatus,
    message: string,
    { code, param, retryAfterSeconds }: ApiErrorDetails = {},
  ) {
    super(message);
    this.code = code;
    this.param = param;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get body(): ApiErrorBody {
    const { message, param = null, code = null } = this;
    return { error: { message, type: typeOf(this.status), param, code } };
  }

  get headers(): Record<string, string> {
    return this.retryAfterSeconds === undefined ? {} : { "Retry-After": String(Math.ceil(this.retryAfterSeconds)) };
  }
}

function typeOf(status: ApiStatus): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

/** Errors that say that a request asks for what cannot be, rather than that the server is broken. */
const requestFaults = [CapacityError, ConfigError, DataError, ShapeError, UnsupportedError];

/**
 * The error to send for anything that was thrown. Of what Tessera did not throw on purpose the client learns nothing;
 * `onError` hears of it.
 */
export function apiErrorOf(thrown: unknown, onError: (thrown: unknown) => void): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (thrown instanceof Refusal) {
    const { status, message, field } = thrown;
    return new ApiError(status, message, field === undefined ? {} : { param: field });
  }
  if (requestFaults.some((kind) => thrown instanceof kind)) return new ApiError(400, (thrown as TesseraError).message);
  if (thrown instanceof TesseraError) return new ApiError(500, thrown.message);
  onError(thrown);
  return new ApiError(500, "the server failed; its log says why", { code: "internal_error" });
}
