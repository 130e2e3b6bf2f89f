/** @file What a scaling of rotary embedding is: other frequencies than the plain ones, and a factor on cos and sin. */

import type { z } from "zod";

/** What a scaling knows of the model. */
export interface RopeSettings {
  /** Dims of a head that are rotated. */
  readonly rotaryDim: number;
  readonly theta: number;
  /** `max_position_embeddings`. */
  readonly maxPositions: number;
  /** Positions the model was first trained on, before its context was stretched. */
  readonly originalMaxPositions: number;
  /** Positions that the tables are for. */
  readonly length: number;
}

export interface ScaledRope {
  /** [R/2]. */
  readonly frequencies: readonly number[];
  /** Factor on cos and sin, and so squared on the scores. */
  readonly attentionFactor: number;
  /** Tables for more positions than this are others. */
  readonly changesAfter?: number;
}

/** One `rope_type`: one file and one registry line. `Options` are the keys of `rope_parameters` that it reads. */
export interface RopeScaling<Options = never> {
  /** Value of `rope_type`. */
  readonly name: string;
  readonly schema: z.ZodType<Options>;
  scale(options: Options, settings: RopeSettings): ScaledRope;
}
