/** @file Folders of real documents with statements put into half of them. */

import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Rng } from "../../../src/base/rng.js";
import { corpus } from "../material.js";
import { fastifyDocs } from "./places.js";
import { chineseFacts, englishFacts, type PlantedFact } from "./planted-facts.js";

export interface PlantedFolder {
  readonly path: string;
  /** Texts of all documents, by their paths. */
  readonly texts: ReadonlyMap<string, string>;
  /** Those that were put in. */
  readonly facts: readonly PlantedFact[];
}

/** Documents and facts of a language. */
export function plantable(language: "en" | "zh"): {
  texts: ReadonlyMap<string, string>;
  facts: readonly PlantedFact[];
} {
  const facts = language === "en" ? englishFacts : chineseFacts;
  if (language === "en")
    return { facts, texts: new Map(facts.map(({ path }) => [path, readFileSync(join(fastifyDocs, path), "utf8")])) };
  const wanted = new Set(facts.map(({ path }) => path));
  const documents = [...corpus("heldout-zh"), ...corpus("corpus-zh")].filter(({ path }) => wanted.has(path));
  return { facts, texts: new Map(documents.map(({ path, text }) => [path, text])) };
}

/**
 * Writes the documents into a folder, every second with its fact as a paragraph of its own at a random place.
 * @param half 0 for the facts that constants may be tuned on, 1 for those that are held out.
 */
export async function planted(
  folder: string,
  { texts, facts }: ReturnType<typeof plantable>,
  half: 0 | 1,
  seed: number,
): Promise<PlantedFolder> {
  const rng = new Rng(seed);
  const own = facts.filter((_, i) => i % 2 === half);
  const written = new Map(texts);
  for (const { path, text } of own) written.set(path, withParagraph(texts.get(path)!, text, rng));
  for (const [path, text] of written) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return { path: folder, texts: written, facts: own };
}

/** At a blank line outside of code. */
function withParagraph(text: string, paragraph: string, rng: Rng): string {
  const places: number[] = [];
  let isCode = false;
  let at = 0;
  for (const line of text.split("\n")) {
    if (/^\s*(?:```|~~~)/.test(line)) isCode = !isCode;
    if (!isCode && line.trim() === "" && at > 0 && at < text.length) places.push(at);
    at += line.length + 1;
  }
  const place = places[rng.below(places.length)]!;
  return `${text.slice(0, place)}\n${paragraph}\n${text.slice(place)}`;
}
