/** @file How the server says what went wrong. */

export interface ErrorResponse {
  readonly error: {
    /** What was expected, what came, what to do. */
    readonly message: string;
    /** The part of the request that is wrong. */
    readonly field?: string;
  };
}
