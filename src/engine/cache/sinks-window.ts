/** @file Texts without end: the first tokens, which attention leans on, and the latest ones. */

import { ConfigError, UnsupportedError } from "../../base/errors.js";
import type { LanguageModel } from "../../nn/index.js";
import type { CacheOptions, CachePolicy, KvCache } from "./cache.js";
import { type KeyRotation, rotationOf, turnBack, turnOf } from "./key-rotation.js";
import type { SlotBuffers } from "./slot-buffers.js";
import { SlotCache } from "./slots.js";

/** Share of the rows that is freed at once when they are used up, so that a token pays for few moves. */
const SLACK = 0.25;
const GROUP = ".sinks";

function sinksCache(model: LanguageModel, options: CacheOptions, sinks: number): KvCache {
  const { contextLength, prefillTokens } = options;
  const recent = contextLength - sinks - Math.max(prefillTokens, Math.ceil(SLACK * contextLength));
  if (recent < 1) {
    throw new ConfigError(
      `sinks cache: ${sinks} sinks and pieces of ${prefillTokens} tokens leave no room for a window in a context of ${contextLength}; make prefillTokens smaller`,
    );
  }
  const rotations = new Map<number, KeyRotation>();
  const tables = model.tables(contextLength);
  return new SlotCache(model, options, {
    retain: () => ({ group: GROUP, sinks, recent, capacity: contextLength }),
    positionOf: ({ ids, dropped }) => ids.length - (dropped.get(GROUP) ?? 0),
    maxTokens: Number.POSITIVE_INFINITY,
    numPositions: contextLength,
    onAttend: ({ k }, layer, inputs) => {
      const fed = Object.keys(tables).map((name) => [name, inputs[`table.${name}`]!] as const);
      const rotation = rotationOf(k, Object.fromEntries(fed));
      if (rotation) rotations.set(layer, rotation);
    },
    onShift: (buffers, slot, rows) => turnKeys(buffers, slot, rows, { rotations, tables }),
  });
}

interface Turning {
  readonly rotations: ReadonlyMap<number, KeyRotation>;
  readonly tables: ReturnType<LanguageModel["tables"]>;
}

/** Keys that were moved down by `distance` rows get the positions of their new rows. */
function turnKeys(
  buffers: SlotBuffers,
  slot: number,
  { start, end, distance }: { start: number; end: number; distance: number },
  { rotations, tables }: Turning,
): void {
  for (const buffer of buffers.layers) {
    const rotation = rotations.get(buffer.layer);
    if (!rotation || !buffer.name.startsWith("keys.")) continue;
    const turn = turnOf(tables[rotation.cos]!, tables[rotation.sin]!, distance);
    for (let head = 0; head < buffer.numKvHeads; head++) {
      turnBack(buffers.rowsOf(buffer, { slot, head, start, end }), buffer.width, turn, rotation.isInterleaved);
    }
  }
}

/**
 * StreamingLLM (Xiao et al. 2023, arXiv:2309.17453, section 3.2): `contextLength` rows hold the first `sinks` tokens and
 * the latest others, at positions within the cache, so that texts have no limit and memory stays the same. Default 4
 * sinks, as in the paper. Not lossless once a text is longer than `contextLength`.
 * @throws ConfigError when `sinks` is not a whole number from 0.
 */
export function sinksPolicy({ sinks = 4 }: { readonly sinks?: number } = {}): CachePolicy {
  if (!Number.isInteger(sinks) || sinks < 0)
    throw new ConfigError(`sinks cache: sinks must be a whole number from 0, got ${sinks}`);
  return {
    name: "sinks-window",
    isLossless: false,
    noTruncation: "its keys turn to other positions when room is made, so what was computed ahead of a text changes it",
    create: (model, options) => {
      if (model.hasFixedPositions) {
        throw new UnsupportedError(
          `sinks cache: ${model.family} has learned positions, which its keys cannot leave; take a model with rotary positions`,
        );
      }
      return sinksCache(model, options, sinks);
    },
  };
}

/** Four sinks. */
export const sinksWindow: CachePolicy = sinksPolicy();
