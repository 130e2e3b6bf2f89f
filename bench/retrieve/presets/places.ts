/** @file Where in a document a section stands. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Span, sections } from "../../../src/chunk/index.js";
import type { Place } from "./fastify-questions.js";

export const fastifyDocs = fileURLToPath(new URL("../../../../shared/data/data-fastify-docs", import.meta.url));

const plain = (heading: string): string => heading.replaceAll("`", "");

/** Spans of the sections, with those below them, by their documents. */
export class Places {
  readonly #spans = new Map<string, readonly Span[]>();

  constructor(readonly folder: string = fastifyDocs) {}

  /** Whether a stretch of a document lies in one of the sections. @throws Error for a section that is nowhere. */
  holds(places: readonly Place[], { path, start, end }: Span & { readonly path: string }): boolean {
    const inDocument = places.filter((place) => place[0] === path);
    return inDocument.some((place) => this.#spansOf(place).some((span) => span.start <= start && span.end >= end));
  }

  /** Whether a stretch of a document has more than white space in common with one of the sections. */
  meets(places: readonly Place[], { path, start, end }: Span & { readonly path: string }): boolean {
    const inDocument = places.filter((place) => place[0] === path);
    return inDocument.some((place) =>
      this.#spansOf(place).some((span) => Math.min(span.end, end) - Math.max(span.start, start) > 2),
    );
  }

  #spansOf([path, heading]: Place): readonly Span[] {
    const key = `${path}\n${heading}`;
    const known = this.#spans.get(key);
    if (known) return known;
    const text = readFileSync(join(this.folder, path), "utf8");
    const spans = [...sections(text)].filter(({ headingPath }) => headingPath.map(plain).includes(heading));
    if (spans.length === 0) throw new Error(`${path} has no section "${heading}"`);
    this.#spans.set(key, [{ start: spans[0]!.start, end: spans.at(-1)!.end }]);
    return this.#spans.get(key)!;
  }
}
