/** @file Examples to documents of token ids that fit the rows of training, with a report of their lengths. */

import { ConfigError, DataError } from "../base/errors.js";
import type { Example, Place } from "./example.js";
import { FaultList, writtenPlaces } from "./faults.js";
import { checkOverLong, fitted, type OverLong } from "./over-long.js";
import { ExampleRenderer, type RenderOptions } from "./render/renderer.js";
import type { TargetTokens } from "./render/token-targets.js";

export interface TokenizeOptions extends RenderOptions {
  /** Ids of the longest document. A row of training with `time` positions holds `time + 1`. */
  readonly maxTokens: number;
  /** What to do with longer examples. Default "split" for plain text, else "error". */
  readonly overLong?: OverLong;
}

/** Ids and marks of one example, or of a piece of it. Fits `TokenDocument` of the training data. */
export interface ExampleDocument extends TargetTokens {
  readonly example: Example;
}

export interface TokenReport {
  readonly numDocuments: number;
  readonly numTokens: number;
  /** Tokens that are learned. */
  readonly numTargets: number;
  /** Ids by example before any was cut: mean, median, 95th of 100, most. */
  readonly lengths: { readonly mean: number; readonly median: number; readonly p95: number; readonly max: number };
  /** Examples that were too long, and what became of them. */
  readonly overLong: readonly { readonly place: Place; readonly numTokens: number; readonly policy: OverLong }[];
  /** Chats in which someone has written what the tokenizer reads as a special token. */
  readonly specialTokensInText: readonly Place[];
}

export interface TokenizedExamples {
  readonly documents: readonly ExampleDocument[];
  readonly report: TokenReport;
}

/**
 * Renders and encodes examples. All faults are gathered before it throws.
 * @throws DataError naming the rows whose template raises, that are too long under the policy `error`, or that have no token to learn.
 * @throws ConfigError when an option is out of range.
 */
export function tokenizeExamples(examples: readonly Example[], options: TokenizeOptions): TokenizedExamples {
  const { maxTokens } = options;
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 2) {
    throw new ConfigError(`maxTokens must be a whole number from 2 on, not ${maxTokens}`);
  }
  if (options.overLong) checkOverLong(options.overLong);
  const renderer = new ExampleRenderer(options);
  const [faults, masked, documents] = [new FaultList(), [] as Place[], [] as ExampleDocument[]];
  const overLong: { place: Place; numTokens: number; policy: OverLong }[] = [];
  const lengths: number[] = [];
  for (const example of examples) {
    const tokens = rendered(renderer, example, faults);
    if (tokens === undefined) continue;
    const { place, body } = example;
    const numTokens = tokens.ids.length;
    lengths.push(numTokens);
    let pieces = [tokens];
    if (numTokens > maxTokens) {
      const policy = options.overLong ?? (body.kind === "text" ? "split" : "error");
      overLong.push({ place, numTokens, policy });
      if (policy === "error") continue;
      pieces = fitted(tokens, maxTokens, policy);
    }
    // nothing predicts the first token
    const learned = pieces.filter(({ targets }) => targets.includes(1, 1));
    if (learned.length === 0 && pieces.length > 0) masked.push(place);
    documents.push(...learned.map(({ ids, targets }) => ({ ids, targets, example })));
  }
  faults.throwIfAny("rendering examples");
  refuseOverLong(overLong, maxTokens);
  refuseMasked(masked, options, overLong.length > 0);
  return {
    documents,
    report: {
      numDocuments: documents.length,
      numTokens: documents.reduce((sum, { ids }) => sum + ids.length, 0),
      numTargets: documents.reduce((sum, { targets }) => sum + countTargets(targets), 0),
      lengths: statistics(lengths),
      overLong,
      specialTokensInText: examples.filter(hasSpecialTokens(options)).map(({ place }) => place),
    },
  };
}

function rendered(renderer: ExampleRenderer, { body, place }: Example, faults: FaultList): TargetTokens | undefined {
  try {
    return renderer.render(body);
  } catch (thrown) {
    if (!(thrown instanceof DataError)) throw thrown;
    faults.add({ place, message: thrown.message });
    return undefined;
  }
}

function refuseOverLong(overLong: TokenReport["overLong"], maxTokens: number): void {
  const refused = overLong.filter(({ policy }) => policy === "error");
  if (refused.length === 0) return;
  const longest = refused.reduce((best, entry) => (entry.numTokens > best.numTokens ? entry : best));
  const places = writtenPlaces(refused.map(({ place }) => place));
  throw new DataError(
    `${refused.length} examples have more than ${maxTokens} tokens (${places}; the longest has ${longest.numTokens}). ` +
      "Train on longer rows, or say what to do with overLong: drop, keep-start, keep-end or split",
  );
}

function refuseMasked(masked: readonly Place[], { lossOn = "completions" }: TokenizeOptions, wasCut: boolean): void {
  if (masked.length === 0) return;
  const why = wasCut ? "; cutting over-long examples can leave none" : "";
  throw new DataError(
    `${masked.length} examples have no token to learn with lossOn ${lossOn}: ${writtenPlaces(masked, 10)}${why}. ` +
      'Leave them out, or learn more of them (weights, lossOn: "all")',
  );
}

const countTargets = (targets: Uint8Array): number => targets.subarray(1).reduce((sum, mark) => sum + mark, 0);

function statistics(values: readonly number[]): TokenReport["lengths"] {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / Math.max(1, sorted.length);
  return { mean, median: at(0.5), p95: at(0.95), max: at(1) };
}

/** Templates write special tokens as text, so that text in a message that looks like one becomes one. */
function hasSpecialTokens({ tokenizer }: RenderOptions): (example: Example) => boolean {
  const tokens = [...tokenizer.specialTokens.keys()].filter((token) => token !== "");
  return ({ body }) =>
    body.kind === "chat" &&
    body.messages.some(({ content }) => typeof content === "string" && tokens.some((token) => content.includes(token)));
}
