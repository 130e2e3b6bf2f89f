/** @file Stretches of a text as marks on its tokens, exact at the borders of tokens. */

import { DataError } from "../../base/errors.js";
import type { ChatSpan, EncodeOptions, Encoding, Tokenizer } from "../../tokenizers/index.js";

export interface TargetTokens {
  readonly ids: Int32Array;
  /** 1 where the token stands in one of the stretches, else 0. */
  readonly targets: Uint8Array;
}

/**
 * Encodes a text and marks the tokens of some stretches of it. White space behind the special token that ends a stretch is not
 * marked: a model that has written the token is done. Where a token reaches over a border, the text is encoded in pieces
 * cut there, as it is when a model goes on with a prompt.
 * @throws DataError when the tokenizer cannot cut there: it would read the pieces as another text.
 */
export function encodeTargets(
  tokenizer: Tokenizer,
  text: string,
  spans: readonly ChatSpan[],
  options: EncodeOptions,
): TargetTokens {
  const special = new Set(tokenizer.specialTokens.values());
  const whole = tokenizer.encodeWithOffsets(text, options);
  const first = spans.map((span) => tokensOf(whole, text, span, special));
  const cuts = [...new Set(spans.flatMap((span, i) => crossed(whole, span, first[i]!, special)))].sort((a, b) => a - b);
  const encoding = cuts.length === 0 ? whole : encodeCut(tokenizer, text, cuts, options, whole);
  const targets = new Uint8Array(encoding.ids.length);
  for (const [i, span] of spans.entries()) {
    const { from, to } = cuts.length === 0 ? first[i]! : tokensOf(encoding, text, span, special);
    targets.fill(1, from, to);
  }
  return { ids: encoding.ids, targets };
}

interface TokenRange {
  readonly from: number;
  readonly to: number;
}

/** The tokens with a part in the span, without white space behind its last special token. */
function tokensOf(
  { ids, offsets }: Encoding,
  text: string,
  { start, end }: ChatSpan,
  special: ReadonlySet<number>,
): TokenRange {
  // a token without text, such as a space that the tokenizer adds, belongs to what follows it
  const lies = (i: number): number => {
    const [left, right] = [offsets[2 * i]!, offsets[2 * i + 1]!];
    return (left === right ? left < start : right <= start) ? -1 : left >= end ? 1 : 0;
  };
  const from = firstWhere(ids.length, (i) => lies(i) >= 0);
  const to = firstWhere(ids.length, (i) => lies(i) > 0);
  let last = to - 1;
  while (
    last >= from &&
    !special.has(ids[last]!) &&
    text.slice(offsets[2 * last], Math.min(end, offsets[2 * last + 1]!)).trim() === ""
  )
    last--;
  return { from, to: last >= from && special.has(ids[last]!) ? last + 1 : to };
}

/** The smallest index for which a claim that stays true holds; `length` where it never does. */
function firstWhere(length: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Borders of the span that lie within a token. A special token may take white space around it. */
function crossed(
  { ids, offsets }: Encoding,
  span: ChatSpan,
  { from, to }: TokenRange,
  special: ReadonlySet<number>,
): number[] {
  if (from >= to) return [];
  const cuts: number[] = [];
  if (offsets[2 * from]! < span.start && !special.has(ids[from]!)) cuts.push(span.start);
  if (offsets[2 * to - 1]! > span.end && !special.has(ids[to - 1]!)) cuts.push(span.end);
  return cuts;
}

function encodeCut(
  tokenizer: Tokenizer,
  text: string,
  cuts: readonly number[],
  options: EncodeOptions,
  whole: Encoding,
): Encoding {
  const places = [0, ...cuts, text.length];
  const pieces = cuts.concat(text.length).map((end, i) => ({
    start: places[i]!,
    encoding: tokenizer.encodeWithOffsets(text.slice(places[i], end), options),
  }));
  const ids = Int32Array.from(pieces.flatMap(({ encoding }) => [...encoding.ids]));
  const decode = (tokens: Int32Array): string => tokenizer.decode(tokens, { keepSpecialTokens: true });
  if (decode(ids) !== decode(whole.ids)) {
    const around = cuts.map((cut) =>
      JSON.stringify(`${text.slice(Math.max(0, cut - 8), cut)}|${text.slice(cut, cut + 8)}`),
    );
    throw new DataError(
      `marking what is learned: a token reaches over the border of it at ${around.join(", ")}, and the tokenizer cannot cut there; ` +
        "end the prompt with a line end or a space in the template",
    );
  }
  const offsets = pieces.flatMap(({ start, encoding }) => Array.from(encoding.offsets, (offset) => start + offset));
  return { ids, offsets: Int32Array.from(offsets) };
}
