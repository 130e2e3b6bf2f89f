/** @file Translates the regular expressions of tokenizer.json (Oniguruma, Ruby syntax) to JavaScript's. */

import { UnsupportedError } from "../../base/errors.js";

/** What an escape means in Oniguruma with UTF-8, as the content of a JavaScript class. */
const classEscapes: Readonly<Record<string, string>> = {
  s: "\\p{White_Space}",
  S: "\\P{White_Space}",
  d: "\\p{Nd}",
  D: "\\P{Nd}",
  w: "\\p{L}\\p{M}\\p{Nd}\\p{Pc}",
};
const sameEscapes = "rntfv";
/** Anchors and dot know only \n as a line end, and lines always have anchors. */
const bareSymbols: Readonly<Record<string, string>> = { "^": "(?<![^\\n])", $: "(?![^\\n])", ".": "[^\\n]" };
const groupOpenings = ["(?:", "(?=", "(?!", "(?<=", "(?<!"];

/**
 * The JavaScript RegExp (flags g and u) that matches what Oniguruma would.
 * @throws UnsupportedError on syntax that has no counterpart here: set operations, `\b`, back references, named groups.
 */
export function toRegExp(pattern: string): RegExp {
  return new RegExp(new Translator(pattern).translate(), "gu");
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
    return `(?:(?=(${inner}))\\${++this.#numCaptures})`;
  }

  #quantified(atom: string): string {
    const quantifier = /^(?:[*+?]|\{\d*,?\d*\})/.exec(this.#pattern.slice(this.#at))?.[0];
    if (quantifier === undefined) return atom;
    this.#at += quantifier.length;
    const repeated = atom + quantifier.replace("{,", "{0,");
    if (this.#take("?")) return `${repeated}?`;
    return quantifier.length === 1 && this.#take("+") ? this.#atomic(repeated) : repeated;
  }

  #class(ignoresCase: boolean): string {
    let out = this.#take("[^") ? "[^" : "[";
    if (out === "[") this.#take("[");
    while (!this.#take("]")) {
      const symbol = this.#peek();
      if (symbol === "" || symbol === "[" || this.#pattern.startsWith("&&", this.#at)) this.#reject("set operations");
      if (symbol === "\\") {
        out += this.#escape(true);
      } else {
        this.#at += symbol.length;
        out += ignoresCase ? this.#classCases(symbol) : symbol;
      }
    }
    return `${out}]`;
  }

  #classCases(symbol: string): string {
    if (symbol === "-" && this.#peek() !== "]") this.#reject("a range in a class that ignores case");
    return cases(symbol).join("");
  }

  #escape(inClass: boolean): string {
    const name = this.#pattern[this.#at + 1] ?? "";
    const braces = /^\\[pPx]\{\^?[\w ]+\}|^\\u[\da-fA-F]{4}|^\\x[0-7][\da-fA-F]/.exec(
      this.#pattern.slice(this.#at),
    )?.[0];
    if (braces !== undefined) {
      this.#at += braces.length;
      return braces.startsWith("\\x{") ? `\\u${braces.slice(2)}` : property(braces);
    }
    this.#at += 2;
    const content = classEscapes[name];
    if (content !== undefined) return inClass ? content : `[${content}]`;
    if (sameEscapes.includes(name) && name !== "") return `\\${name}`;
    if (name === "" || /[\p{L}\p{N}]/u.test(name)) return this.#reject(`\\${name}`);
    return /[\^$\\.*+?()[\]{}|/-]/.test(name) && (inClass || name !== "-") ? `\\${name}` : name;
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
      `pre-tokenizer: the regular expression ${this.#pattern} has ${what} at ${this.#at}, which cannot be translated`,
    );
  }
}

/** `\p{Han}` names a script, for which JavaScript wants to be told so. */
function property(text: string): string {
  const [, letter, negation, name] = /^\\([pP])\{(\^?)([\w ]+)\}$/.exec(text) ?? [];
  if (letter === undefined || name === undefined) return text;
  const isNegative = (letter === "P") !== (negation === "^");
  const isCategory = /^[LMNPSZC][a-z]?$/.test(name);
  return `\\${isNegative ? "P" : "p"}{${isCategory ? name : `Script=${name}`}}`;
}

function literal(symbol: string, ignoresCase: boolean): string {
  const all = cases(symbol);
  if (ignoresCase && all.length > 1) return `[${all.join("")}]`;
  return /[{}\]/]/.test(symbol) ? `\\${symbol}` : symbol;
}

/** A letter in both cases, with the two non-ASCII letters that fold to ASCII ones. */
function cases(symbol: string): string[] {
  const extra = { s: "\u017f", k: "\u212a" }[symbol.toLowerCase()];
  return [...new Set([symbol, symbol.toLowerCase(), symbol.toUpperCase(), ...(extra === undefined ? [] : [extra])])];
}
