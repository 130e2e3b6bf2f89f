/** @file From the rotary keys of config.json, in their old and new spelling, to tables. */

import { z } from "zod";
import { ConfigError, UnsupportedError } from "../../base/errors.js";
import { dynamicRope } from "./rope-dynamic.js";
import { linearRope } from "./rope-linear.js";
import { llama3Rope } from "./rope-llama3.js";
import { longRope } from "./rope-longrope.js";
import { plainRope } from "./rope-plain.js";
import type { RopeScaling, ScaledRope } from "./rope-scaling.js";
import { type RopeTables, tablesOf } from "./rope-tables.js";
import { yarnRope } from "./rope-yarn.js";

/** Scalings by `rope_type`. */
export const ropeScalings = {
  default: plainRope,
  linear: linearRope,
  dynamic: dynamicRope,
  yarn: yarnRope,
  llama3: llama3Rope,
  longrope: longRope,
} as const;

/** Earlier names of a `rope_type`. */
const RENAMED: Readonly<Record<string, keyof typeof ropeScalings>> = { su: "longrope" };

/** `rope_parameters` (transformers 5) or `rope_scaling` (before). */
const parametersSchema = z.looseObject({
  rope_type: z.string().optional(),
  /** Name of `rope_type` in older files. */
  type: z.string().optional(),
  rope_theta: z.number().positive().nullish(),
  partial_rotary_factor: z.number().positive().max(1).nullish(),
  original_max_position_embeddings: z.int().positive().nullish(),
});

export type RopeParameters = z.input<typeof parametersSchema>;

/** Rotary keys of config.json. A family adds them to its schema. */
export const ropeKeys = {
  rope_theta: z.number().positive().nullish(),
  rope_scaling: parametersSchema.nullish(),
  rope_parameters: parametersSchema.nullish(),
  partial_rotary_factor: z.number().positive().max(1).nullish(),
  original_max_position_embeddings: z.int().positive().nullish(),
};

const keysSchema = z.object(ropeKeys);
export type RopeKeys = z.output<typeof keysSchema>;

export interface RopeOptions {
  readonly headDim: number;
  /** `max_position_embeddings`. */
  readonly maxPositions: number;
  /** Used where the config names none. Default 10,000. */
  readonly theta?: number;
  /** Rotated share of a head, used where the config names none. Default 1. */
  readonly partial?: number;
}

/** Rotary embedding of a model. */
export interface Rope {
  /** Dims of a head that are rotated: the first ones. */
  readonly rotaryDim: number;
  /** Tables for more positions than this differ from those for fewer, row by row; undefined where they never do. */
  readonly changesAfter: number | undefined;
  /** For positions 0 … length - 1. */
  tables(length: number): RopeTables;
}

/**
 * Reads the rotary keys of a config. New files hold everything in `rope_parameters`, old ones have `rope_theta` beside
 * `rope_scaling`; where both give a value, the inner one counts, as in transformers.
 * @throws UnsupportedError for an unknown `rope_type`; ConfigError naming a key of it that is missing or out of range.
 */
export function ropeFromConfig(config: Partial<RopeKeys>, options: RopeOptions): Rope {
  const { headDim, maxPositions } = options;
  const inner = { ...config.rope_scaling, ...config.rope_parameters };
  const written = inner.rope_type ?? inner.type ?? "default";
  const scaling = scalingOf(RENAMED[written] ?? written);
  const parsed = scaling.schema.safeParse(inner);
  if (!parsed.success) throw new ConfigError(`rope_parameters of type "${written}": ${z.prettifyError(parsed.error)}`);
  const partial = inner.partial_rotary_factor ?? config.partial_rotary_factor ?? options.partial ?? 1;
  const rotaryDim = Math.floor(headDim * partial);
  if (rotaryDim < 2 || rotaryDim % 2 !== 0) {
    throw new ConfigError(
      `rotary embedding turns pairs of dims, but ${partial} of a head of ${headDim} is ${rotaryDim}; the size must be even`,
    );
  }
  const settings = {
    rotaryDim,
    theta: inner.rope_theta ?? config.rope_theta ?? options.theta ?? 10_000,
    maxPositions,
    originalMaxPositions:
      config.original_max_position_embeddings ?? inner.original_max_position_embeddings ?? maxPositions,
  };
  const scaled = (length: number): ScaledRope => scaling.scale(parsed.data, { ...settings, length });
  return {
    rotaryDim,
    changesAfter: scaled(1).changesAfter,
    tables: (length) => {
      const { frequencies, attentionFactor } = scaled(length);
      return tablesOf(length, frequencies, attentionFactor);
    },
  };
}

function scalingOf(type: string): RopeScaling<unknown> {
  if (!(type in ropeScalings)) {
    throw new UnsupportedError(
      `rope_type "${type}" is not supported; supported are: ${Object.keys(ropeScalings).join(", ")}`,
    );
  }
  return ropeScalings[type as keyof typeof ropeScalings] as RopeScaling<unknown>;
}
