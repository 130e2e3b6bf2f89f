/** @file Reads one call, a JSON object with a name and arguments, character by character. */

const argumentKeys = ["arguments", "parameters"];

/** Finds the name and the arguments' text in `{"name": …, "arguments": {…}}`, in any order, before the object has ended. */
export class CallScanner {
  state: "open" | "done" | "broken" = "open";
  /** All that was read. */
  raw = "";
  name: string | undefined;
  #argumentText = "";
  /** Characters of `#argumentText` that were given out. */
  #numTaken = 0;
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  #expects: "key" | "colon" | "value" | "comma" = "key";
  #key = "";
  #token = "";

  /** Reads until the object ends or cannot go on; gives the number of characters read. */
  push(text: string): number {
    let at = 0;
    while (at < text.length && this.state === "open") this.#read(text[at++]!);
    this.raw += text.slice(0, at);
    return at;
  }

  /** The arguments' text that has come since; all of it at the end, where the model wrote it as a string. */
  takeArguments(): string {
    const isString = this.#argumentText.startsWith('"');
    if (isString && this.state !== "done") return "";
    const text = this.#argumentText.slice(this.#numTaken);
    this.#numTaken = this.#argumentText.length;
    if (this.state === "done" && this.#argumentText === "") return "{}";
    return isString && text !== "" ? (JSON.parse(text) as string) : text;
  }

  #read(c: string): void {
    if (this.#depth === 0) {
      this.#depth = 1;
      if (c !== "{") this.state = "broken";
    } else if (this.#inString) this.#readInString(c);
    else if (this.#depth > 1) this.#readNested(c);
    else this.#readMember(c);
  }

  #readInString(c: string): void {
    this.#append(c);
    if (this.#isEscaped) this.#isEscaped = false;
    else if (c === "\\") this.#isEscaped = true;
    else if (c === '"') {
      this.#inString = false;
      if (this.#depth === 1) this.#endString();
    }
  }

  /** A string of the object itself has ended: a key, or a value. */
  #endString(): void {
    const value = jsonString(this.#token);
    if (value === undefined) this.state = "broken";
    else if (this.#expects === "key") {
      this.#key = value;
      this.#expects = "colon";
    } else {
      if (this.#key === "name") this.name = value;
      this.#expects = "comma";
    }
  }

  #readNested(c: string): void {
    this.#append(c);
    if (c === '"') this.#inString = true;
    else if (c === "{" || c === "[") this.#depth++;
    else if (c === "}" || c === "]") {
      this.#depth--;
      if (this.#depth === 1) this.#expects = "comma";
    }
  }

  #readMember(c: string): void {
    const isSpace = /\s/.test(c);
    if (this.#expects === "value" && (this.#token !== "" || !/[\s,}]/.test(c))) this.#readValue(c);
    else if (isSpace) return;
    else if (this.#expects === "key" && c === '"') {
      this.#token = "";
      this.#inString = true;
      this.#append(c);
    } else if (this.#expects === "colon" && c === ":") {
      this.#token = "";
      this.#expects = "value";
    } else if (this.#expects === "comma" && c === ",") this.#expects = "key";
    else if (this.#expects === "comma" && c === "}") this.state = "done";
    else this.state = "broken";
  }

  #readValue(c: string): void {
    if (c === "," || c === "}") {
      // a number, true, false or null has ended
      this.#expects = c === "," ? "key" : "comma";
      if (c === "}") this.state = "done";
      return;
    }
    this.#append(c);
    if (c === '"') this.#inString = true;
    else if (c === "{" || c === "[") this.#depth++;
  }

  #append(c: string): void {
    this.#token += c;
    if (this.#expects === "value" && argumentKeys.includes(this.#key)) this.#argumentText += c;
  }
}

function jsonString(token: string): string | undefined {
  try {
    return JSON.parse(token) as string;
  } catch {
    return undefined;
  }
}
