/** @file Languages of texts as expressions over code points, with rules for what contains itself. */

/** Code points from `start` to `end`, both included. */
export type CodePointRange = readonly [start: number, end: number];

export type Expression =
  | { readonly kind: "text"; readonly text: string }
  /** One code point; ranges are sorted, apart and free of surrogates. */
  | { readonly kind: "characters"; readonly ranges: readonly CodePointRange[] }
  | { readonly kind: "sequence"; readonly parts: readonly Expression[] }
  /** Without options: no text at all. */
  | { readonly kind: "choice"; readonly options: readonly Expression[] }
  /** `max` may be infinite. */
  | { readonly kind: "repeat"; readonly part: Expression; readonly min: number; readonly max: number }
  | { readonly kind: "rule"; readonly rule: Rule };

/** A named part; its body may name it again. */
export interface Rule {
  readonly name: string;
  body: Expression;
}

const surrogates: CodePointRange = [0xd800, 0xdfff];

export const nothing: Expression = { kind: "choice", options: [] };
export const empty: Expression = { kind: "sequence", parts: [] };
export const anyCharacter = characters([[0, 0x10ffff]]);

export function text(value: string): Expression {
  return { kind: "text", text: value };
}

/** One code point of any of `ranges`, which may overlap. */
export function characters(ranges: readonly CodePointRange[]): Expression {
  return { kind: "characters", ranges: disjoint(ranges) };
}

/** One code point of none of `ranges`. */
export function charactersExcept(ranges: readonly CodePointRange[]): Expression {
  return characters(complement(ranges));
}

/** A string stands for its text. */
export function sequence(...parts: readonly (Expression | string)[]): Expression {
  return { kind: "sequence", parts: parts.map((part) => (typeof part === "string" ? text(part) : part)) };
}

export function choice(options: readonly Expression[]): Expression {
  return options.length === 1 ? options[0]! : { kind: "choice", options };
}

export function repeat(part: Expression, min: number, max = Number.POSITIVE_INFINITY): Expression {
  return { kind: "repeat", part, min, max };
}

export function optional(part: Expression): Expression {
  return repeat(part, 0, 1);
}

export function reference(rule: Rule): Expression {
  return { kind: "rule", rule };
}

/** An expression that stands for itself wherever it is used, so that it is compiled once. */
export function named(name: string, body: Expression): Expression {
  return reference({ name, body });
}

/** One of `texts`; beginnings that they share are looked at once. */
export function oneOfTexts(texts: readonly string[]): Expression {
  return choice(
    [...restsByFirst(new Set(texts))].map(([first, rests]) =>
      rests.length === 1 ? text(first + rests[0]!) : sequence(first, oneOfTexts(rests)),
    ),
  );
}

/** What follows the first character of texts, by that character, which is empty for the empty text. */
export function restsByFirst(texts: Iterable<string>): Map<string, string[]> {
  const byFirst = new Map<string, string[]>();
  for (const entry of texts) {
    const [first = ""] = entry;
    const rests = byFirst.get(first) ?? [];
    rests.push(entry.slice(first.length));
    byFirst.set(first, rests);
  }
  return byFirst;
}

/** Code points that no range holds, surrogates aside. */
export function complement(ranges: readonly CodePointRange[]): CodePointRange[] {
  let next = 0;
  const rest: CodePointRange[] = [];
  for (const [start, end] of merged([...ranges, surrogates])) {
    if (start > next) rest.push([next, start - 1]);
    next = end + 1;
  }
  if (next <= 0x10ffff) rest.push([next, 0x10ffff]);
  return rest;
}

/** Sorted, merged and without surrogates. */
function disjoint(ranges: readonly CodePointRange[]): CodePointRange[] {
  return complement(complement(ranges));
}

function merged(ranges: readonly CodePointRange[]): CodePointRange[] {
  const result: [number, number][] = [];
  for (const [start, end] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last !== undefined && start <= last[1] + 1) last[1] = Math.max(last[1], end);
    else result.push([start, end]);
  }
  return result;
}
