/** @file Where a text stops being JSON, and what came there instead: `JSON.parse` does not always say. */

export interface JsonFault {
  /** UTF-16 code units from the start. */
  readonly offset: number;
  readonly message: string;
}

type Expected = "value" | "value or ]" | "key" | "key or }" | ":" | ", or }" | ", or ]" | "the end";

const words: Readonly<Record<Expected, string>> = {
  value: "a value",
  "value or ]": "a value or ]",
  key: "a key in double quotes",
  "key or }": "a key in double quotes or }",
  ":": "a colon",
  ", or }": "a comma or }",
  ", or ]": "a comma or ]",
  "the end": "the end of the row",
};

const space = /[ \t\r\n]*/y;
const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;
const escapeSequence = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

const endOf = (pattern: RegExp, text: string, at: number): number => {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
};

/** The first place at which `text` cannot go on as JSON (RFC 8259); undefined where it is JSON. */
export function findJsonFault(text: string): JsonFault | undefined {
  const open: ("{" | "[")[] = [];
  let expected: Expected = "value";
  const afterValue = (): Expected => (open.length === 0 ? "the end" : open.at(-1) === "{" ? ", or }" : ", or ]");
  for (let at = 0; ; ) {
    at = endOf(space, text, at);
    const character = text[at];
    if (character === undefined && expected === "the end") return undefined;
    const isValue: boolean = expected === "value" || expected === "value or ]";
    const isKey: boolean = expected === "key" || expected === "key or }";
    if (isValue && (character === "{" || character === "[")) {
      open.push(character);
      expected = character === "{" ? "key or }" : "value or ]";
      at++;
    } else if ((isValue || isKey) && character === '"') {
      const string = scanString(text, at);
      if (typeof string !== "number") return string;
      at = string;
      expected = isKey ? ":" : afterValue();
    } else if (expected === ":" && character === ":") {
      expected = "value";
      at++;
    } else if (expected.startsWith(",") && character === ",") {
      expected = open.at(-1) === "{" ? "key" : "value";
      at++;
    } else if ((character === "}" || character === "]") && expected.endsWith(character)) {
      open.pop();
      expected = afterValue();
      at++;
    } else {
      const end = isValue ? endOf(scalar, text, at) : -1;
      if (end < 0) return { offset: at, message: `expected ${words[expected]}, found ${found(text, at)}` };
      at = end;
      expected = afterValue();
    }
  }
}

/** The end of the string that starts at `start`, or what is wrong in it. */
function scanString(text: string, start: number): number | JsonFault {
  for (let i = start + 1; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0x22) return i + 1;
    if (unit < 0x20) return { offset: i, message: `expected ${escaped(unit)} in a string, found the character itself` };
    if (unit !== 0x5c) continue;
    const end = endOf(escapeSequence, text, i);
    if (end < 0) return { offset: i, message: `expected an escape such as \\n or \\\\, found ${found(text, i)}` };
    i = end - 1;
  }
  return { offset: text.length, message: "expected the double quote that ends a string, found the end" };
}

const escaped = (unit: number): string => JSON.stringify(String.fromCharCode(unit)).slice(1, -1);

function found(text: string, at: number): string {
  if (at >= text.length) return "the end";
  const [word] = /^[\w$]+/.exec(text.slice(at, at + 20)) ?? [text[at]];
  return JSON.stringify(word);
}
