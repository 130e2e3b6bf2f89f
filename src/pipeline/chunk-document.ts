/** @file Documents of any kind in chunks: by the chunker that their kind asks for, or one that is named. */
import { ConfigError } from "../base/errors.js";
import {
  type Chunk,
  type ChunkOptions,
  chunkers,
  type EmbedTexts,
  embeddingChunkers,
  type Language,
  languages,
} from "../chunk/index.js";
import { type Document, pageAt } from "../documents/index.js";

export type ChunkerName = keyof typeof chunkers | keyof typeof embeddingChunkers;

export const chunkerNames = [...Object.keys(chunkers), ...Object.keys(embeddingChunkers)] as ChunkerName[];

/** How documents are cut. */
export interface ChunkSettings extends ChunkOptions {
  /** Default: `code` for source in a language that it knows, otherwise `recursive`. */
  readonly chunker?: ChunkerName;
  /** Needed by chunkers that look at meaning. */
  readonly embed?: EmbedTexts;
}

/** What says how a text is written. */
type Kind = Pick<Document, "mediaType">;

/**
 * The chunks of a document in order, with the page that each starts on where it has pages.
 * @throws ConfigError if a size is out of range, or the chunker needs an embedder and there is none.
 * @throws CapacityError if one code point has more than `maxTokens` tokens.
 */
export async function* chunkDocument(
  document: Pick<Document, "text" | "mediaType" | "pageStarts">,
  settings: ChunkSettings,
): AsyncGenerator<Chunk> {
  const { chunker = defaultChunker(document), embed } = settings;
  const options = { ...settings, ...formatOf(document) };
  for await (const chunk of cut()) {
    const page = pageAt(document, chunk.start);
    yield page === undefined ? chunk : { ...chunk, page };
  }

  function cut(): Iterable<Chunk> | AsyncIterable<Chunk> {
    if (isLocal(chunker)) return chunkers[chunker].chunk(document.text, options);
    if (embed === undefined) throw new ConfigError(`chunk: ${chunker} looks at meaning and needs an embedder`);
    return embeddingChunkers[chunker].chunk(document.text, { ...options, embed });
  }
}

/**
 * The same of a text that arrives in pieces, in memory that does not grow with it.
 * @throws ConfigError if the chunker needs the whole text.
 */
export function chunkTextStream(
  source: AsyncIterable<string>,
  kind: Kind,
  { chunker = defaultChunker(kind), ...settings }: ChunkSettings,
): AsyncGenerator<Chunk> {
  if (isLocal(chunker)) return chunkers[chunker].chunkStream(source, { ...settings, ...formatOf(kind) });
  throw new ConfigError(`chunk: ${chunker} needs the whole text at once; ${Object.keys(chunkers).join(", ")} do not`);
}

export function isLocal(chunker: ChunkerName): chunker is keyof typeof chunkers {
  return chunker in chunkers;
}

function defaultChunker(kind: Kind): keyof typeof chunkers {
  return languageOf(kind) === undefined ? "recursive" : "code";
}

/** Format and language for the chunkers that ask for them; the others do not look. */
function formatOf(kind: Kind) {
  const language = languageOf(kind);
  const isMarkdown = kind.mediaType === "text/markdown";
  return {
    format: isMarkdown ? ("markdown" as const) : ("plain" as const),
    tableFormat: isMarkdown ? ("markdown" as const) : ("csv" as const),
    ...(language && { language }),
  };
}

function languageOf({ mediaType }: Kind): keyof typeof languages | undefined {
  const name = mediaType.replace("text/x-", "");
  return Object.values<Language>(languages).some((language) => language.name === name)
    ? (name as keyof typeof languages)
    : undefined;
}
