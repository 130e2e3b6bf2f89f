/** @file Translates the regular expressions of tokenizer.json (Oniguruma, Ruby syntax) to JavaScript's. */

import { z } from "zod";
import { messageOf, UnsupportedError } from "../../base/errors.js";

/** What an escape means in Oniguruma with UTF-8, as the content of a JavaScript class. */
/** With the numbers of Latin-1 that are not digits, by a quirk of Oniguruma. */
const wordClass = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}²³¹¼-¾";
const classEscapes: Readonly<Record<string, string>> = {
  s: "\\p{White_Space}",
  S: "\\P{White_Space}",
  d: "\\p{Nd}",
  D: "\\P{Nd}",
  w: wordClass,
  W: `^${wordClass}`,
  h: "\\da-fA-F",
  H: "^\\da-fA-F",
};
const posixClasses: Readonly<Record<string, string>> = {
  alnum: "\\p{Alphabetic}\\p{Nd}",
  alpha: "\\p{Alphabetic}",
  digit: "\\p{Nd}",
  lower: "\\p{Lowercase}",
  punct: "\\p{P}\\p{S}",
  space: "\\p{White_Space}",
  upper: "\\p{Uppercase}",
  word: wordClass,
  xdigit: "\\da-fA-F",
};
/** Anchors that JavaScript lacks or defines by ASCII. */
const anchors: Readonly<Record<string, string>> = {
  A: "(?<![^])",
  z: "(?![^])",
  Z: "(?=\\n?(?![^]))",
  b: `(?:(?<=[${wordClass}])(?![${wordClass}])|(?<![${wordClass}])(?=[${wordClass}]))`,
  B: `(?:(?<=[${wordClass}])(?=[${wordClass}])|(?<![${wordClass}])(?![${wordClass}]))`,
};
const sameEscapes = "rntfv";
/** Anchors and dot know only \n as a line end, and lines always have anchors. */
const bareSymbols: Readonly<Record<string, string>> = { "^": "(?<![^\\n])", $: "(?![^\\n])", ".": "[^\\n]" };
const groupOpenings = ["(?:", "(?=", "(?!", "(?<=", "(?<!"];

/** A character of a class, or an escape that stands for several. */
interface ClassSymbol {
  readonly symbol?: string;
  /** As JavaScript writes it inside a class. */
  readonly source: string;
}

/** A pattern as tokenizer.json writes it: text to find as it is, or a regular expression. */
export const patternSchema = z.union([z.strictObject({ String: z.string() }), z.strictObject({ Regex: z.string() })]);
export type Pattern = z.infer<typeof patternSchema>;

/** The JavaScript RegExp of a pattern. */
export function patternOf(pattern: Pattern): RegExp {
  return toRegExp("Regex" in pattern ? pattern.Regex : pattern.String.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
}

/**
 * The JavaScript RegExp (flags g and v) that matches what Oniguruma would.
 * @throws UnsupportedError on syntax that has no counterpart here: back references, named groups, unknown properties.
 */
export function toRegExp(pattern: string): RegExp {
  const translated = new Translator(pattern).translate();
  try {
    return new RegExp(translated, "gv");
  } catch (error) {
    throw new UnsupportedError(
      `the regular expression ${pattern} cannot be translated: ${messageOf(error)}; write it with other means`,
      { cause: error },
    );
  }
}

class Translator {
  readonly #pattern: string;
  #at = 0;
  #numCaptures = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  translate(): string {
    const out = this.#alternatives(false);
    if (this.#at < this.#pattern.length) this.#reject("an unmatched )");
    return out;
  }

  /** Everything up to the closing parenthesis or the end. */
  #alternatives(outerIgnoresCase: boolean): string {
    let ignoresCase = outerIgnoresCase;
    let out = "";
    while (this.#at < this.#pattern.length && this.#peek() !== ")") {
      if (this.#take("|")) out += "|";
      else if (this.#take("(?i)")) ignoresCase = true;
      else out += this.#quantified(this.#atom(ignoresCase));
    }
    return out;
  }

  #atom(ignoresCase: boolean): string {
    const symbol = this.#peek();
    if (symbol === "(") return this.#group(ignoresCase);
    if (symbol === "[") return this.#class(ignoresCase);
    if (symbol === "\\") return this.#escape(false);
    this.#at += symbol.length;
    return bareSymbols[symbol] ?? literal(symbol, ignoresCase);
  }

  #group(ignoresCase: boolean): string {
    const opening = groupOpenings.find((candidate) => this.#take(candidate));
    if (opening !== undefined) return this.#closed(opening, ignoresCase, ")");
    if (this.#take("(?i:")) return this.#closed("(?:", true, ")");
    if (this.#take("(?-i:")) return this.#closed("(?:", false, ")");
    if (this.#take("(?>")) return this.#atomic(this.#closed("", ignoresCase, ""));
    if (this.#pattern.startsWith("(?", this.#at)) this.#reject("this kind of group");
    this.#take("(");
    return this.#closed("(?:", ignoresCase, ")");
  }

  #closed(opening: string, ignoresCase: boolean, closing: string): string {
    const inner = this.#alternatives(ignoresCase);
    if (!this.#take(")")) this.#reject("an unmatched (");
    return opening + inner + closing;
  }

  /** JavaScript has no atomic groups, but what a lookahead captured does not backtrack. */
  #atomic(inner: string): string {
    const name = `atomic${++this.#numCaptures}`;
    return `(?:(?=(?<${name}>${inner}))\\k<${name}>)`;
  }

  #quantified(atom: string): string {
    const quantifier = /^(?:[*+?]|\{\d*,?\d*\})/.exec(this.#rest())?.[0];
    if (quantifier === undefined) return atom;
    this.#at += quantifier.length;
    const repeated = atom + quantifier.replace("{,", "{0,");
    if (this.#take("?")) return `${repeated}?`;
    return quantifier.length === 1 && this.#take("+") ? this.#atomic(repeated) : repeated;
  }

  /** A set in brackets, which may hold others (`[a[bc]]`) and their intersections (`[a-z&&[^x]]`). */
  #class(ignoresCase: boolean): string {
    this.#take("[");
    const opening = this.#take("^") ? "[^" : "[";
    const operands = [""];
    for (let isFirst = true; isFirst || !this.#take("]"); isFirst = false) {
      if (this.#take("&&")) operands.push("");
      else operands[operands.length - 1] += this.#classItem(ignoresCase);
    }
    const [only = ""] = operands;
    const content = operands.length === 1 ? only : operands.map((operand) => `[${operand}]`).join("&&");
    return `${opening}${content}]`;
  }

  #classItem(ignoresCase: boolean): string {
    const posix = /^\[:(\^?)(\w+):\]/.exec(this.#pattern.slice(this.#at));
    if (posix !== null) return this.#posixClass(posix);
    if (this.#peek() === "[") return this.#class(ignoresCase);
    const first = this.#classSymbol();
    const isRange = first.symbol !== undefined && this.#peek() === "-" && !/^-(?:\]|&&|\[)/.test(this.#rest());
    if (!isRange) return ignoresCase ? classCases(first) : first.source;
    this.#take("-");
    const last = this.#classSymbol();
    if (last.symbol === undefined) this.#reject("a range that ends in a class");
    if (ignoresCase) this.#reject("a range in a class that ignores case");
    return `${first.source}-${last.source}`;
  }

  /** One character, or an escape for several. */
  #classSymbol(): ClassSymbol {
    const symbol = this.#peek();
    if (symbol === "") this.#reject("an unmatched [");
    if (symbol !== "\\") {
      this.#at += symbol.length;
      return { symbol, source: classLiteral(symbol) };
    }
    const source = this.#escape(true);
    return /^(?:\[|\\[pP]\{)/.test(source) ? { source } : { symbol: source, source };
  }

  #posixClass([whole, negation = "", name = ""]: readonly string[]): string {
    const content = posixClasses[name];
    if (content === undefined || whole === undefined) return this.#reject(`the class [:${name}:]`);
    this.#at += whole.length;
    return `[${negation}${content}]`;
  }

  #escape(inClass: boolean): string {
    const name = this.#pattern[this.#at + 1] ?? "";
    const braces = /^\\[pPx]\{\^?[\w ]+\}|^\\u[\da-fA-F]{4}|^\\x[0-7][\da-fA-F]/.exec(this.#rest())?.[0];
    if (braces !== undefined) {
      this.#at += braces.length;
      return braces.startsWith("\\x{") ? `\\u${braces.slice(2)}` : property(braces);
    }
    this.#at += 2;
    const content = classEscapes[name];
    if (content !== undefined) return `[${content}]`;
    const anchor = inClass ? undefined : anchors[name];
    if (anchor !== undefined) return anchor;
    if (sameEscapes.includes(name) && name !== "") return `\\${name}`;
    if (name === "" || /[\p{L}\p{N}]/u.test(name)) return this.#reject(`\\${name}`);
    return inClass ? classLiteral(name) : literal(name, false);
  }

  #rest(): string {
    return this.#pattern.slice(this.#at);
  }

  #peek(): string {
    const codePoint = this.#pattern.codePointAt(this.#at);
    return codePoint === undefined ? "" : String.fromCodePoint(codePoint);
  }

  #take(expected: string): boolean {
    const found = this.#pattern.startsWith(expected, this.#at);
    if (found) this.#at += expected.length;
    return found;
  }

  #reject(what: string): never {
    throw new UnsupportedError(
      `the regular expression ${this.#pattern} has ${what} at ${this.#at}, which cannot be translated`,
    );
  }
}

/** `\p{Han}` names a script, for which JavaScript wants to be told so, and `\p{Alpha}` what brackets call `[:alpha:]`. */
function property(text: string): string {
  const [, letter, negation, name] = /^\\([pP])\{(\^?)([\w ]+)\}$/.exec(text) ?? [];
  if (letter === undefined || name === undefined) return text;
  const isNegative = (letter === "P") !== (negation === "^");
  const content = posixClasses[name.toLowerCase()];
  if (content !== undefined) return isNegative ? `[^${content}]` : `[${content}]`;
  const isGeneral = /^(?:[LMNPSZC][a-z]?|Alphabetic|Any|ASCII|Letter|Mark|Number|Punctuation|White_Space)$/.test(name);
  return `\\${isNegative ? "P" : "p"}{${isGeneral ? name : `Script=${name}`}}`;
}

function literal(symbol: string, ignoresCase: boolean): string {
  const all = cases(symbol);
  if (ignoresCase && all.length > 1) return `[${all.join("")}]`;
  return /[\^$\\.*+?()[\]{}|/]/.test(symbol) ? `\\${symbol}` : symbol;
}

/** A letter in both cases, with the two non-ASCII letters that fold to ASCII ones. */
function cases(symbol: string): string[] {
  const extra = { s: "\u017f", k: "\u212a" }[symbol.toLowerCase()];
  return [...new Set([symbol, symbol.toLowerCase(), symbol.toUpperCase(), ...(extra === undefined ? [] : [extra])])];
}

function classCases({ symbol, source }: ClassSymbol): string {
  return symbol === undefined || symbol.startsWith("\\") ? source : cases(symbol).map(classLiteral).join("");
}

/** Classes with the flag v reserve more punctuation than the rest of a pattern. */
function classLiteral(symbol: string): string {
  return /[()[\]{}/\-\\|&!#%,:;<=>@`~$*+.?^]/.test(symbol) ? `\\${symbol}` : symbol;
}
