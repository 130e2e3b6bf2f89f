/** @file What constrains an output: states that say which tokens may come next. */

import type { TokenMask } from "./token-mask.js";

export interface Constraint {
  /** Ids that it was made for; every allowed id is below it. */
  readonly vocabSize: number;
  start(): ConstraintState;
}

export interface ConstraintState {
  /** What was generated is a whole output: it may end here. */
  readonly isFinal: boolean;
  /**
   * Tokens from which a whole output can be reached; none only where `isFinal`. Kept for the next request.
   * @throws CapacityError when the constraint is so ambiguous that finding them takes too long.
   */
  allowed(): TokenMask;
  /** The state after a token; undefined when it is not allowed. */
  next(id: number): ConstraintState | undefined;
}
