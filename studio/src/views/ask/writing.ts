/** @file Texts that are being written: asked for, followed token by token, stopped. Kept while other views are shown. */

import { effect, type ReadonlySignal, signal } from "@preact/signals";
import type {
  AskedStatement,
  ErrorResponse,
  Turn,
  WriteEvent,
  WriteRequest,
  WrittenToken,
} from "../../../../src/server/studio/wire/index.js";
import { postForEvents, ServerError } from "../../api.js";

/** Tokens that belong together, as only the last of them completes a character. */
export interface Unit {
  readonly text: string;
  readonly tokens: readonly WrittenToken[];
}

export interface Written {
  readonly request: WriteRequest;
  readonly status: "opening" | "writing" | "done" | "stopped" | "failed";
  readonly start?: Extract<WriteEvent, { event: "start" }>["data"];
  readonly units: readonly Unit[];
  /** Of a grounded text. */
  readonly statements?: readonly AskedStatement[];
  readonly end?: Extract<WriteEvent, { event: "end" }>["data"];
  readonly error?: string;
}

export const textOf = ({ units }: Pick<Written, "units">): string => units.map(({ text }) => text).join("");

/** The conversation with this text at its end. */
export const turnsOf = ({ request: { earlier, prompt }, ...written }: Written): Turn[] => [
  ...earlier,
  { role: "user", content: prompt },
  { role: "assistant", content: textOf(written) },
];

export const isGoing = ({ status }: Written): boolean => status === "opening" || status === "writing";

const BROKEN_OFF = "the server ended before the text did; start it again if it does not answer, and write anew";

type Sent = WriteEvent | { readonly event: "error"; readonly data: ErrorResponse };

/** One text and whoever asks for it. */
export class Writing {
  readonly #written;
  readonly #abort = new AbortController();
  #waiting: WrittenToken[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(written: Written) {
    this.#written = signal(written);
  }

  static begin(request: WriteRequest): Writing {
    const writing = new Writing({ request, status: "opening", units: [] });
    void writing.#follow(request);
    return writing;
  }

  get written(): ReadonlySignal<Written> {
    return this.#written;
  }

  stop(): void {
    this.#abort.abort();
  }

  async #follow(request: WriteRequest): Promise<void> {
    try {
      for await (const event of postForEvents<Sent>("/api/write", request, this.#abort.signal)) this.#hear(event);
      if (isGoing(this.#written.peek())) throw new ServerError(0, BROKEN_OFF);
    } catch (thrown) {
      this.#flush();
      if (this.#abort.signal.aborted) this.#change({ status: "stopped" });
      // a browser's own words say nothing of what to do
      else this.#change({ status: "failed", error: thrown instanceof ServerError ? thrown.message : BROKEN_OFF });
    }
  }

  #hear(sent: Sent): void {
    if (sent.event === "error") throw new ServerError(200, sent.data.error.message);
    if (sent.event === "token") {
      // tokens come faster than they can be drawn, and a long text takes longer to be laid out
      this.#waiting.push(sent.data);
      this.#timer ??= setTimeout(() => this.#flush(), 16 + this.#written.peek().units.length / 20);
      return;
    }
    this.#flush();
    if (sent.event === "start") this.#change({ status: "writing", start: sent.data });
    else if (sent.event === "checked") this.#change({ statements: sent.data.statements });
    else this.#change({ status: "done", end: sent.data });
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length > 0) this.#change({ units: joined(this.#written.peek().units, this.#waiting) });
    this.#waiting = [];
  }

  #change(parts: Partial<Written>): void {
    this.#written.value = { ...this.#written.peek(), ...parts };
  }
}

/** The units with more tokens behind them. */
function joined(units: readonly Unit[], tokens: readonly WrittenToken[]): Unit[] {
  const all = [...units];
  for (const token of tokens) {
    const last = all.at(-1);
    if (last && last.text === "") all[all.length - 1] = { text: token.text, tokens: [...last.tokens, token] };
    else all.push({ text: token.text, tokens: [token] });
  }
  return all;
}

const KEY = "tessera-written";

/** The texts that are shown: left, and right where two models write. Finished ones outlast a reload of the page. */
export const sides = signal<readonly Writing[]>(
  (JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as Written[]).map((written) => new Writing(written)),
);
effect(() => {
  const written = sides.value.map((side) => side.written.value);
  if (!written.some(isGoing)) sessionStorage.setItem(KEY, JSON.stringify(written));
});

/** Writes anew; what was being written stops. */
export function write(requests: readonly WriteRequest[]): void {
  stop();
  sides.value = requests.map((request) => Writing.begin(request));
}

export function stop(): void {
  for (const side of sides.peek()) side.stop();
}
