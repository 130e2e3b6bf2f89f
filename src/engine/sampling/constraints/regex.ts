/** @file Regular expressions, read into expressions: no backtracking, whatever the pattern. */

import { ConfigError, UnsupportedError } from "../../../base/errors.js";
import { classEscapes, controlEscapes, lineEnds, propertyRanges } from "./character-classes.js";
import {
  anyCharacter,
  type CodePointRange,
  characters,
  charactersExcept,
  choice,
  type Expression,
  repeat,
  sequence,
} from "./expression.js";

/** Groups nest no deeper, so that reading a pattern needs bounded room. */
const maxDepth = 200;

/**
 * The texts that a pattern matches as a whole. JavaScript's syntax with the flag u: literals, `.`, classes, `\d \w \s
 * \p{…}` and their opposites, `\n \xHH \uHHHH \u{…}`, alternatives, groups (named ones too), `* + ? {n} {n,} {n,m}`
 * (lazy ones match the same), `^` and `$` at the ends of an alternative of the whole pattern.
 * @throws UnsupportedError naming the syntax that is not regular or not known: look-around, back references, `\b`,
 * anchors elsewhere; ConfigError for what is no regular expression.
 */
export function regexExpression(pattern: string): Expression {
  return choice(new PatternReader(pattern).read().map(({ body }) => body));
}

/** The texts in which a pattern matches somewhere, as JSON Schema reads `pattern`. Syntax and errors are the same. */
export function searchExpression(pattern: string): Expression {
  const anything = repeat(anyCharacter, 0);
  const options = new PatternReader(pattern).read().map(({ body, isFromStart, isToEnd }) => {
    return sequence(...(isFromStart ? [] : [anything]), body, ...(isToEnd ? [] : [anything]));
  });
  return choice(options);
}

interface Alternative {
  readonly body: Expression;
  readonly isFromStart: boolean;
  readonly isToEnd: boolean;
}

class PatternReader {
  readonly #pattern: string;
  /** Code points of the pattern. */
  readonly #symbols: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#symbols = Array.from(pattern);
  }

  read(): Alternative[] {
    const alternatives: Alternative[] = [];
    do {
      const isFromStart = this.#take("^");
      const body = this.#sequence();
      alternatives.push({ body, isFromStart, isToEnd: this.#take("$") });
      if (this.#symbol() === ")") this.#fail("an unmatched )");
    } while (this.#take("|"));
    if (this.#at < this.#symbols.length) this.#refuse("an anchor inside of an alternative");
    return alternatives;
  }

  #alternatives(): Expression {
    const options: Expression[] = [];
    do {
      options.push(this.#sequence());
    } while (this.#take("|"));
    return choice(options);
  }

  #sequence(): Expression {
    const parts: Expression[] = [];
    for (let next = this.#symbol(); next !== undefined && !"|)$".includes(next); next = this.#symbol()) {
      parts.push(this.#quantified(this.#atom(next)));
    }
    return sequence(...parts);
  }

  #atom(next: string): Expression {
    if (next === "(") return this.#group();
    if (next === "[") return this.#class();
    if (next === "\\") return this.#escape();
    if (next === "^") this.#refuse("an anchor inside of an alternative");
    if ("*+?{".includes(next)) this.#fail(`${next} with nothing to repeat`);
    if ("]}".includes(next)) this.#fail(`an unmatched ${next}`);
    this.#at++;
    return next === "." ? charactersExcept(lineEnds) : single(next.codePointAt(0)!);
  }

  #group(): Expression {
    this.#take("(");
    if (this.#take("?")) {
      if (["=", "!", "<=", "<!"].some((look) => this.#rest(2).startsWith(look))) this.#refuse("look-around (?");
      if (!this.#take(":") && !this.#takeName()) this.#refuse(`the group (?${this.#symbol() ?? ""}`);
    }
    if (++this.#depth > maxDepth) this.#refuse(`more than ${maxDepth} nested groups`);
    const inner = this.#alternatives();
    this.#depth--;
    if (this.#symbol() === "$") this.#refuse("an anchor inside of a group");
    if (!this.#take(")")) this.#fail("an unmatched (");
    return inner;
  }

  #takeName(): boolean {
    const name = /^<[\p{ID_Start}_$][\p{ID_Continue}$]*>/u.exec(this.#rest())?.[0];
    if (name !== undefined) this.#at += Array.from(name).length;
    return name !== undefined;
  }

  #quantified(atom: Expression): Expression {
    const bounds = this.#bounds();
    if (bounds === undefined) return atom;
    const [min, max] = bounds;
    if (min > max) this.#fail(`a repetition from ${min} to ${max}`);
    this.#take("?");
    if (this.#symbol() === "+") this.#refuse("a possessive quantifier");
    return repeat(atom, min, max);
  }

  #bounds(): readonly [min: number, max: number] | undefined {
    if (this.#take("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.#take("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.#take("?")) return [0, 1];
    const braces = /^\{(\d+)(,?)(\d*)\}/.exec(this.#rest(48));
    if (braces === null) return undefined;
    const [whole, min = "", comma, max = ""] = braces;
    this.#at += whole.length;
    return [Number(min), max === "" ? (comma === "" ? Number(min) : Number.POSITIVE_INFINITY) : Number(max)];
  }

  #class(): Expression {
    this.#take("[");
    const isNegative = this.#take("^");
    const ranges: CodePointRange[] = [];
    while (!this.#take("]")) {
      const first = this.#classSymbol();
      if (this.#symbol() !== "-" || this.#symbols[this.#at + 1] === "]") {
        ranges.push(...first);
        continue;
      }
      this.#take("-");
      ranges.push(this.#range(first, this.#classSymbol()));
    }
    return isNegative ? charactersExcept(ranges) : characters(ranges);
  }

  #range(first: readonly CodePointRange[], last: readonly CodePointRange[]): CodePointRange {
    const [[start, startEnd] = [0, -1], [end, endEnd] = [0, -1]] = [first[0], last[0]];
    if (start !== startEnd || end !== endEnd || first.length > 1 || last.length > 1)
      this.#fail("a range from or to a class");
    if (start > end) this.#fail("a range that ends before it begins");
    return [start, end];
  }

  #classSymbol(): readonly CodePointRange[] {
    const next = this.#symbol();
    if (next === undefined) return this.#fail("an unmatched [");
    if (next === "\\") return next === "\\" && this.#rest(2) === "\\b" ? this.#backspace() : this.#escaped();
    this.#at++;
    const codePoint = next.codePointAt(0)!;
    return [[codePoint, codePoint]];
  }

  #backspace(): readonly CodePointRange[] {
    this.#at += 2;
    return [[8, 8]];
  }

  #escape(): Expression {
    const name = this.#symbols[this.#at + 1];
    if (name === "b" || name === "B") this.#refuse(`the word boundary \\${name}`);
    if (name === "k" || /[1-9]/.test(name ?? "")) this.#refuse(`the back reference \\${name}`);
    return characters(this.#escaped());
  }

  /** The characters that an escape stands for. */
  #escaped(): readonly CodePointRange[] {
    const rest = this.#rest(64);
    const hex = /^\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|u\{([\da-fA-F]{1,6})\})/.exec(rest);
    if (hex !== null) {
      this.#at += hex[0].length;
      return this.#codePoint(Number.parseInt(hex[1] ?? hex[2] ?? hex[3] ?? "", 16));
    }
    const property = /^\\([pP])\{([\w=]+)\}/.exec(rest);
    if (property !== null) {
      this.#at += property[0].length;
      const ranges = propertyRanges(property[0]);
      return ranges ?? this.#refuse(`the property ${property[0]}`);
    }
    const name = this.#symbols[this.#at + 1];
    if (name === undefined) return this.#fail("a \\ at its end");
    const known = classEscapes[name] ?? controlEscapes[name];
    if (known === undefined && /[\p{L}\p{N}]/u.test(name)) this.#refuse(`the escape \\${name}`);
    this.#at += 2;
    const codePoint = name.codePointAt(0)!;
    return known ?? [[codePoint, codePoint]];
  }

  #codePoint(value: number): readonly CodePointRange[] {
    // a pair of \uHHHH is one character
    const low = /^\\u(d[c-f][\da-f]{2})/i.exec(this.#rest(6))?.[1];
    if (value >= 0xd800 && value <= 0xdbff && low !== undefined) {
      this.#at += 6;
      const whole = String.fromCharCode(value, Number.parseInt(low, 16)).codePointAt(0)!;
      return [[whole, whole]];
    }
    if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) this.#fail("an escape that is no character");
    return [[value, value]];
  }

  #symbol(): string | undefined {
    return this.#symbols[this.#at];
  }

  #rest(length?: number): string {
    return this.#symbols.slice(this.#at, length === undefined ? undefined : this.#at + length).join("");
  }

  #take(expected: string): boolean {
    const isThere = this.#symbol() === expected;
    if (isThere) this.#at++;
    return isThere;
  }

  #refuse(what: string): never {
    throw new UnsupportedError(
      `the regular expression ${this.#pattern} has ${what} at ${this.#at}, which a constraint cannot follow; write it without`,
    );
  }

  #fail(what: string): never {
    throw new ConfigError(`the regular expression ${this.#pattern} has ${what} at ${this.#at}; escape or remove it`);
  }
}

function single(codePoint: number): Expression {
  return characters([[codePoint, codePoint]]);
}
