/** @file The texts of JSON values (RFC 8259), with bounds that keep every one of them exact and finite. */

import {
  anyCharacter,
  type CodePointRange,
  characters,
  charactersExcept,
  choice,
  type Expression,
  named,
  oneOfTexts,
  optional,
  type Rule,
  reference,
  repeat,
  restsByFirst,
  sequence,
  text,
} from "./expression.js";

/** Characters that a string holds escaped only. */
const escapedCharacters: readonly CodePointRange[] = [
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
];

const hexDigit = characters([
  [0x30, 0x39],
  [0x41, 0x46],
  [0x61, 0x66],
]);
export const digit = characters([[0x30, 0x39]]);
const firstDigit = characters([[0x31, 0x39]]);

/** `\ud83d\ude00` is one character, and half of it none. */
const unicodeEscape = sequence(
  "\\u",
  choice([
    sequence(charactersOf("0123456789abcefABCEF"), hexDigit, hexDigit, hexDigit),
    sequence(charactersOf("dD"), charactersOf("01234567"), hexDigit, hexDigit),
    sequence(
      charactersOf("dD"),
      charactersOf("89abAB"),
      hexDigit,
      hexDigit,
      "\\u",
      charactersOf("dD"),
      charactersOf("cdefCDEF"),
      hexDigit,
      hexDigit,
    ),
  ]),
);

/** One character of a string, as it is or escaped. */
const stringCharacter = named(
  "a character of a string",
  choice([charactersExcept(escapedCharacters), sequence("\\", charactersOf('"\\/bfnrt')), unicodeEscape]),
);

/** A string of `min` to `max` characters (code points). */
export function stringText(min = 0, max = Number.POSITIVE_INFINITY): Expression {
  return sequence('"', repeat(stringCharacter, min, max), '"');
}

/** A string whose content is a text of `content`; only what must be is escaped. */
export function stringOf(content: Expression): Expression {
  return sequence('"', escaped(content, new Map()), '"');
}

/** A string that is none of `names`, only what must be is escaped: the key of a property that has no name of its own. */
export function keyExcept(names: readonly string[]): Expression {
  return sequence('"', escaped(textExcept(names), new Map()), '"');
}

/** Most digits before the point, and after it: fifteen are exact in double precision. */
export const maxDigits = 15;
const naturalText = choice([text("0"), sequence(firstDigit, repeat(digit, 0, maxDigits - 1))]);

/** An integer of at most fifteen digits. */
export const integerText = sequence(optional(text("-")), naturalText);

/** A number of at most fifteen digits before the point and after it, with an exponent of at most two. */
export const numberText = sequence(
  integerText,
  optional(sequence(".", repeat(digit, 1, maxDigits))),
  optional(sequence(charactersOf("eE"), optional(charactersOf("+-")), repeat(digit, 1, 2))),
);

export const booleanText = oneOfTexts(["true", "false"]);
export const nullText = text("null");

/** After a comma or a colon: at most one space, so that no output is lost in white space. */
const separated = (mark: string): Expression => sequence(mark, optional(text(" ")));
export const comma = separated(",");
export const colon = separated(":");

const anyValue: Rule = { name: "a JSON value", body: text("") };
/** Any value. */
export const valueText = reference(anyValue);
export const objectText = named(
  "a JSON object",
  membersText(sequence(stringOf(repeat(anyCharacter, 0)), colon, valueText)),
);
export const arrayText = named("a JSON array", sequence("[", listOf(valueText, 0), "]"));
anyValue.body = choice([
  objectText,
  arrayText,
  named("a string", stringText()),
  named("a number", numberText),
  booleanText,
  nullText,
]);

/** `min` to `max` of `item` with commas between them. */
export function listOf(item: Expression, min: number, max = Number.POSITIVE_INFINITY): Expression {
  if (max === 0) return text("");
  const items = sequence(item, repeat(sequence(comma, item), Math.max(0, min - 1), max - 1));
  return min === 0 ? optional(items) : items;
}

/** An object of any number of members. */
function membersText(member: Expression): Expression {
  return sequence("{", listOf(member, 0), "}");
}

/** What stands in a string for a text of `content`. */
function escaped(content: Expression, known: Map<Rule, Rule>): Expression {
  switch (content.kind) {
    case "text":
      return text(JSON.stringify(content.text).slice(1, -1));
    case "characters":
      return escapedCharacter(content.ranges);
    case "sequence":
      return sequence(...content.parts.map((part) => escaped(part, known)));
    case "choice":
      return choice(content.options.map((option) => escaped(option, known)));
    case "repeat":
      return repeat(escaped(content.part, known), content.min, content.max);
    case "rule":
      return reference(escapedRule(content.rule, known));
  }
}

function escapedRule(rule: Rule, known: Map<Rule, Rule>): Rule {
  const found = known.get(rule);
  if (found !== undefined) return found;
  const result: Rule = { name: rule.name, body: rule.body };
  known.set(rule, result);
  result.body = escaped(rule.body, known);
  return result;
}

function escapedCharacter(ranges: readonly CodePointRange[]): Expression {
  const plain: CodePointRange[] = [];
  const special: string[] = [];
  for (const [start, end] of ranges) {
    plain.push(...withoutEscaped(start, end));
    for (const [first, last] of escapedCharacters) {
      for (let code = Math.max(first, start); code <= Math.min(last, end); code++)
        special.push(JSON.stringify(String.fromCharCode(code)).slice(1, -1));
    }
  }
  const options = [
    ...(plain.length > 0 ? [characters(plain)] : []),
    ...(special.length > 0 ? [oneOfTexts(special)] : []),
  ];
  return choice(options);
}

function withoutEscaped(start: number, end: number): CodePointRange[] {
  const parts: CodePointRange[] = [];
  let from = start;
  for (const [first, last] of escapedCharacters) {
    if (first > from && from <= end) parts.push([from, Math.min(end, first - 1)]);
    from = Math.max(from, last + 1);
  }
  if (from <= end) parts.push([from, end]);
  return parts;
}

const anyText = named("any text", repeat(anyCharacter, 0));

/** Any text that is none of `texts`: it leaves their tree somewhere, or ends where none of them does. */
function textExcept(texts: readonly string[]): Expression {
  if (texts.length === 0) return anyText;
  const byFirst = restsByFirst(texts.filter((entry) => entry !== ""));
  const firsts = [...byFirst.keys()].map((symbol): CodePointRange => [symbol.codePointAt(0)!, symbol.codePointAt(0)!]);
  return choice([
    ...(texts.includes("") ? [] : [text("")]),
    sequence(charactersExcept(firsts), anyText),
    ...[...byFirst].map(([first, rests]) => sequence(first, textExcept(rests))),
  ]);
}

export function charactersOf(symbols: string): Expression {
  return characters(Array.from(symbols, (symbol): CodePointRange => [symbol.codePointAt(0)!, symbol.codePointAt(0)!]));
}
