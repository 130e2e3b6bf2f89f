/** @file Texts of a form: fixed words, JSON and free text, one after the other, as alternatives or repeated. */

import {
  type CodePointRange,
  characters,
  charactersExcept,
  choice,
  type Expression,
  empty,
  type Rule,
  reference,
  repeat,
  sequence,
  text,
} from "./expression.js";
import { schemaExpression } from "./json-schema/compile.js";
import type { JsonSchema } from "./json-schema/schema.js";
import { objectText } from "./json-text.js";

export type TextForm =
  /** These words. */
  | string
  /** A JSON text of a schema, without one any object; errors call the schema `name`. */
  | { readonly type: "json"; readonly schema?: JsonSchema; readonly name?: string }
  /** Any text in which `without` does not stand, and whose first character but white space is none of `notFirst`. */
  | { readonly type: "free"; readonly without: string; readonly notFirst?: string }
  | { readonly type: "sequence"; readonly parts: readonly TextForm[] }
  | { readonly type: "choice"; readonly options: readonly TextForm[] }
  /** Default of `max`: no limit. */
  | { readonly type: "repeat"; readonly part: TextForm; readonly min: number; readonly max?: number };

/** @throws UnsupportedError or ConfigError for a schema that cannot be followed; see `jsonSchemaConstraint`. */
export function formExpression(form: TextForm): Expression {
  if (typeof form === "string") return text(form);
  switch (form.type) {
    case "json":
      return form.schema === undefined ? objectText : schemaExpression(form.schema, `${form.name ?? ""}#`);
    case "free":
      return freeText(form.without, form.notFirst ?? "");
    case "sequence":
      return sequence(...form.parts.map(formExpression));
    case "choice":
      return choice(form.options.map(formExpression));
    case "repeat":
      return repeat(formExpression(form.part), form.min, form.max);
  }
}

/** The words that stand in a form as they are. */
export function wordsOf(form: TextForm): string[] {
  if (typeof form === "string") return [form];
  if (form.type === "sequence") return form.parts.flatMap(wordsOf);
  if (form.type === "choice") return form.options.flatMap(wordsOf);
  return form.type === "repeat" ? wordsOf(form.part) : [];
}

const whiteSpace = " \t\n\r";

/**
 * One rule for each number of characters of `mark` that were just read, which the next character changes as in Knuth,
 * Morris and Pratt 1977; the character that would complete it is left out.
 */
function freeText(mark: string, notFirst: string): Expression {
  const symbols = Array.from(mark);
  const rules = symbols.map((_, read): Rule => ({ name: `text after ${read} characters of ${mark}`, body: empty }));
  const distinct = [...new Set(symbols)];
  const go = (symbol: string, read: number): Expression[] => {
    const next = readAfter(symbols, read, symbol);
    return next === symbols.length ? [] : [sequence(symbol, reference(rules[next]!))];
  };
  for (const [read, rule] of rules.entries()) {
    const others = sequence(charactersExcept(rangesOf(distinct)), reference(rules[0]!));
    rule.body = choice([empty, ...distinct.flatMap((symbol) => go(symbol, read)), others]);
  }
  if (notFirst === "") return reference(rules[0]!);
  const isFirst = (symbol: string): boolean => !`${notFirst}${whiteSpace}`.includes(symbol);
  const firsts = [
    ...distinct.filter(isFirst).flatMap((symbol) => go(symbol, 0)),
    sequence(charactersExcept(rangesOf([...distinct, ...notFirst, ...whiteSpace])), reference(rules[0]!)),
  ];
  return sequence(repeat(characters(rangesOf([...whiteSpace])), 0), repeat(choice(firsts), 0, 1));
}

/** How many of `symbols` the text ends with once `symbol` follows `read` of them. */
function readAfter(symbols: readonly string[], read: number, symbol: string): number {
  const seen = [...symbols.slice(0, read), symbol];
  for (let length = seen.length; length > 0; length--) {
    if (seen.slice(-length).every((one, i) => one === symbols[i])) return length;
  }
  return 0;
}

function rangesOf(symbols: readonly string[]): CodePointRange[] {
  return symbols.map((symbol) => [symbol.codePointAt(0)!, symbol.codePointAt(0)!]);
}
