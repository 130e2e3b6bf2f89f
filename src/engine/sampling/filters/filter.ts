/** @file A step that narrows the tokens that may be drawn. */

import type { Candidates } from "../candidates.js";
import type { SamplingOptions } from "../options.js";

export interface CandidateFilter {
  /** The option that asks for it. */
  readonly name: keyof SamplingOptions;
  /**
   * The step for a request; undefined where its options do not ask for one.
   * @throws ConfigError naming an option that is out of range.
   */
  open(options: SamplingOptions): FilterStep | undefined;
}

/** Leaves at least one candidate. */
export type FilterStep = (candidates: Candidates) => void;
