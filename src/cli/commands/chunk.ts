/** @file `tessera chunk <path>`: documents in chunks, or the best way to cut them. */

import { createReadStream, statSync } from "node:fs";
import { extname } from "node:path";
import { Command, Option } from "commander";
import { ConfigError } from "../../base/errors.js";
import type { Chunk } from "../../chunk/index.js";
import { chunkDocument, chunkTextStream, isLocal } from "../../pipeline/chunk-document.js";
import { textPieces } from "../../pipeline/text-pieces.js";
import { addCuttingOptions, type CuttingFlags, cuttingOf } from "../cutting-options.js";
import { documentsOf } from "../documents-of.js";
import { parseInteger } from "../options.js";
import { printAll } from "../print-all.js";
import { chooseChunking } from "./chunk-auto.js";

interface Flags extends CuttingFlags {
  readonly json?: boolean;
  readonly auto?: boolean;
  readonly questions?: string;
  readonly budget: number;
}

/** Files of text that are cut while they are read, however large, and what they are cut as. */
const STREAMED: Readonly<Record<string, string>> = {
  ".md": "text/markdown",
  ".markdown": "text/markdown",
  ".txt": "text/plain",
  ".html": "text/html",
  ".htm": "text/html",
  ".csv": "text/csv",
  ".ts": "text/x-typescript",
  ".tsx": "text/x-tsx",
  ".js": "text/x-javascript",
  ".jsx": "text/x-javascript",
  ".mjs": "text/x-javascript",
  ".py": "text/x-python",
};
/** Chunkers of sources that a reader would turn into Markdown. */
const OF_SOURCE: Readonly<Record<string, readonly string[]>> = { "text/html": ["html"], "text/csv": ["table"] };

export const chunkCommand = addCuttingOptions(
  new Command("chunk")
    .description("cut documents into chunks with their places, or find the best way to cut them (--auto)")
    .argument("<path>", "a folder, or a file; - for text on standard input"),
)
  .option("--json", "a line of JSON per chunk: path, start, end, numTokens, headingPath, page, parent, text")
  .option("--auto", "try chunkers, sizes and overlaps on questions and print the table")
  .option("--questions <file>", "for --auto: labelled questions, JSON lines (default: made from the documents)")
  .addOption(
    new Option("--budget <tokens>", "for --auto: text that is retrieved for a question")
      .default(1024)
      .argParser(parseInteger(16, 2 ** 20)),
  )
  .action(run);

async function run(path: string, flags: Flags): Promise<void> {
  if (!flags.auto && flags.questions !== undefined) throw new ConfigError("chunk: --questions belongs to --auto");
  if (flags.auto) return chooseChunking(path, flags);
  const settings = await cuttingOf(flags);
  await printAll(lines());

  async function* lines(): AsyncGenerator<string> {
    const mediaType = streamedAs(path, flags);
    if (mediaType !== undefined) {
      const source = path === "-" ? process.stdin : createReadStream(path);
      const chunks = chunkTextStream(textPieces(source, path), { mediaType }, settings);
      for await (const chunk of chunks) yield textOf(path, chunk, flags);
      return;
    }
    for await (const document of documentsOf(path)) {
      for await (const chunk of chunkDocument(document, settings)) yield textOf(document.path, chunk, flags);
    }
  }
}

/** What a single file of text is cut as while it is read; undefined for what has to be read as a whole. */
function streamedAs(path: string, { chunker }: Flags): string | undefined {
  if (chunker !== undefined && !isLocal(chunker)) return undefined;
  if (path === "-") return chunker === "html" ? "text/html" : "text/markdown";
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const mediaType = STREAMED[extname(path).toLowerCase()];
  const only = mediaType === undefined ? undefined : OF_SOURCE[mediaType];
  return only === undefined || only.includes(chunker ?? "") ? mediaType : undefined;
}

function textOf(path: string, chunk: Chunk, { json }: Flags): string {
  if (json) return `${JSON.stringify({ path, ...chunk })}\n`;
  const { start, end, numTokens, headingPath, page, parent, text } = chunk;
  const facts = [
    `${path} [${start}, ${end})`,
    `${numTokens} tokens`,
    ...(page === undefined ? [] : [`page ${page}`]),
    ...(parent === undefined ? [] : [`in [${parent.start}, ${parent.end})`]),
    ...(headingPath.length === 0 ? [] : [headingPath.join(" > ")]),
  ];
  return `── ${facts.join(" · ")}\n${text}\n\n`;
}
