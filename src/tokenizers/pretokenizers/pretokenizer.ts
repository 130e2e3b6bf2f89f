/** @file What a pre-tokenizer offers: it cuts a text into the pieces (pretokens, roughly words) that tokens never cross. */

/** Takes the piece `[start, end)`; false stops the scan. */
export type PieceVisitor = (start: number, end: number) => boolean;

/**
 * What cutting a text in two does to its pieces. `none`: the two parts have the pieces that the whole has. `halves`: so
 * too, but that one piece is cut in two. `unknown`: it depends on the text around.
 */
export type CutEffect = "none" | "halves" | "unknown";

export interface Pretokenizer {
  /**
   * Visits the pieces of `text[start, end)` in order, as if that stretch were a text of its own. Pieces do not overlap
   * and are not empty; what lies between them is dropped. Returns false when the visitor stopped it.
   */
  scan(text: string, start: number, end: number, visit: PieceVisitor): boolean;
  /**
   * What cutting any stretch of `text` at `index` does. It sees no more than the two characters there, of which neither
   * is half a surrogate pair.
   */
  cutEffect(text: string, index: number): CutEffect;
}

/** The whole stretch is one piece. */
export const wholeText: Pretokenizer = {
  scan: (_text, start, end, visit) => start === end || visit(start, end),
  cutEffect: () => "halves",
};

/** Cuts by the first, then each piece by the next, and so on. */
export function inSequence(pretokenizers: readonly Pretokenizer[]): Pretokenizer {
  return pretokenizers.reduceRight((inner, outer) => ({
    scan: (text, start, end, visit) => outer.scan(text, start, end, (from, to) => inner.scan(text, from, to, visit)),
    cutEffect(text, index) {
      const effect = outer.cutEffect(text, index);
      return effect === "halves" ? inner.cutEffect(text, index) : effect;
    },
  }));
}
