/** @file A longer context for a model with rotary positions: the keys of config.json that stretch its rotation. */

import { ConfigError, UnsupportedError } from "../base/errors.js";
import type { LanguageModel } from "../nn/index.js";

/** How a rotation is stretched; `base` leaves it unscaled and takes another base, `rope_theta`. */
export const contextScalings = ["yarn", "linear", "llama3", "longrope", "base"] as const;

export type ContextScaling = (typeof contextScalings)[number];

export interface ExtendContextOptions {
  /** Positions that the model is to have. */
  readonly length: number;
  /** Default: that of the model where it is scaled already, else yarn. */
  readonly scaling?: ContextScaling;
  /** Further keys of the scaling, as config.json names them: `beta_fast`, `short_factor`, `rope_theta`, … */
  readonly options?: Readonly<Record<string, unknown>>;
}

type Keys = Readonly<Record<string, unknown>>;

/** Keys without which a scaling is nothing. */
const NEEDED: Partial<Record<ContextScaling, readonly string[]>> = {
  longrope: ["short_factor", "long_factor"],
  base: ["rope_theta"],
};

/** Llama 3.1's own bounds, in turns over the original context. */
const LLAMA3 = { low_freq_factor: 1, high_freq_factor: 4 };

/**
 * What a config.json must say instead, key by key, for its model to have `length` positions. Weights stay as they are; train
 * on for a while at the new length (Chen et al. 2023, arXiv:2306.15595; YaRN, Peng et al. 2023, arXiv:2309.00071). A model
 * that is scaled already is scaled further, from the context that it was first trained on.
 * @throws UnsupportedError for positions that cannot be scaled; ConfigError when the model reaches so far already, is scaled
 * in another way, or a key that the scaling needs is missing.
 */
export function extendContext(
  model: LanguageModel,
  { length, scaling, options = {} }: ExtendContextOptions,
): Readonly<Record<string, unknown>> {
  refuseUnscalable(model);
  if (length <= model.maxPositions) {
    throw new ConfigError(
      `extending the context: this ${model.family} model has ${model.maxPositions} positions already, ${length} were asked for; leave the context length out`,
    );
  }
  const { config } = model;
  const place = placeOf(config);
  const now = typeOf(model, place.inner);
  const type = scaling ?? (now === "default" ? "yarn" : now);
  if (now !== "default" && type !== now) {
    throw new ConfigError(
      `extending the context: the model's rotation is scaled by ${now} already and cannot be scaled by ${type} too; leave the scaling out`,
    );
  }
  const missing = NEEDED[type]?.find((key) => options[key] === undefined && place.inner[key] === undefined);
  if (missing !== undefined) {
    throw new ConfigError(`extending the context: the scaling ${type} needs ${missing} among its options`);
  }
  const window = { max_position_embeddings: length };
  if (type === "base") return { ...window, ...place.withTheta(options) };
  return { ...window, ...place.write({ ...scaled(model, place.inner, type, length), ...options }) };
}

function refuseUnscalable({ family, maxPositions, hasFixedPositions, tables }: LanguageModel): void {
  const why = hasFixedPositions
    ? `it has learned ${maxPositions} positions, and no others exist`
    : "cos" in tables(1)
      ? undefined
      : "its positions are biases by distance (ALiBi), which have nothing to scale and reach further as they are";
  if (why !== undefined) {
    throw new UnsupportedError(
      `extending the context of a ${family} model: ${why}; models with rotary positions can be extended`,
    );
  }
}

/** The scaling that a config has. Early Phi-3 files call LongRoPE by other names. */
function typeOf({ family }: LanguageModel, inner: Keys): ContextScaling | "default" {
  const written = String(inner.rope_type ?? inner.type ?? "default");
  const type = written === "su" || (family === "phi3" && written === "yarn") ? "longrope" : written;
  if (type === "default" || (type !== "base" && contextScalings.some((name) => name === type)))
    return type as ContextScaling | "default";
  throw new UnsupportedError(
    `extending the context: rope_type "${written}" turns with the length of each text, within a context that stays; there is no longer one to train. It can be done from a base with: ${contextScalings.join(", ")}`,
  );
}

/** Keys of a scaling of a type, for so many positions. */
function scaled({ config, maxPositions }: LanguageModel, inner: Keys, type: ContextScaling, length: number): Keys {
  const { type: _, ...kept } = inner;
  if (type === "linear") {
    const before = typeof inner.factor === "number" ? inner.factor : 1;
    return { ...kept, rope_type: type, factor: (before * length) / maxPositions };
  }
  const original = Number(
    config.original_max_position_embeddings ?? inner.original_max_position_embeddings ?? maxPositions,
  );
  return {
    ...(type === "llama3" && LLAMA3),
    ...kept,
    rope_type: type,
    factor: length / original,
    original_max_position_embeddings: original,
  };
}

/** Where a config keeps what it says of its rotation, and how it is written back there. */
interface Place {
  readonly inner: Keys;
  write(inner: Keys): Keys;
  /** The base alone changed. */
  withTheta(options: Keys): Keys;
}

/** `rope_parameters` (transformers 5), in it those of full attention where layers differ, or `rope_scaling` (before). */
function placeOf(config: Keys): Place {
  const fresh = objectAt(config, "rope_parameters");
  const nested = fresh && objectAt(fresh, "full_attention");
  if (fresh) {
    const write = (inner: Keys): Keys => ({
      rope_parameters: nested ? { ...fresh, full_attention: inner } : inner,
    });
    const inner = nested ?? fresh;
    return { inner, write, withTheta: (options) => write({ ...inner, ...options }) };
  }
  const theta = "rotary_emb_base" in config ? "rotary_emb_base" : "rope_theta";
  return {
    inner: objectAt(config, "rope_scaling") ?? {},
    write: (inner) => ({ rope_scaling: inner }),
    withTheta: ({ rope_theta, ...others }) => {
      const unread = Object.keys(others)[0];
      if (unread === undefined) return { [theta]: rope_theta };
      throw new ConfigError(`extending the context: the scaling base has no option ${unread}; it has rope_theta`);
    },
  };
}

function objectAt(config: Keys, key: string): Keys | undefined {
  const value = config[key];
  return typeof value === "object" && value !== null ? (value as Keys) : undefined;
}
