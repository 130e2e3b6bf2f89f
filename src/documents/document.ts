/** @file What scanning a folder gives: documents as text, and the files that are none with the reason. */

/** A file as text. Offsets of anything found in it count UTF-16 code units of `text`. */
export interface Document {
  readonly kind: "document";
  /** Path from the scanned folder, with forward slashes; the file's name when a single file was scanned. */
  readonly path: string;
  /**
   * The text, without a byte order mark: as it is in the file, line breaks included, where the file is text; what its
   * reader makes of it otherwise, which is Markdown for HTML, PDF, DOCX and CSV.
   */
  readonly text: string;
  /** SHA-256 of the file's bytes, in hexadecimal. */
  readonly hash: string;
  readonly numBytes: number;
  /** What `text` is cut as: `text/markdown`, `text/plain`, `text/x-` and the language of source code. */
  readonly mediaType: string;
  /** Where page i + 1 begins in `text`, ascending; absent for a file without pages. A page without text has no length. */
  readonly pageStarts?: readonly number[];
  /** Pages, from 1, that are pictures without text, which nobody has read; absent where there are none. */
  readonly picturePages?: readonly number[];
}

/** The page, from 1, that holds the character at `offset`; undefined for a document without pages. */
export function pageAt({ pageStarts }: Pick<Document, "pageStarts">, offset: number): number | undefined {
  if (pageStarts === undefined) return undefined;
  let [low, high] = [0, pageStarts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pageStarts[middle]! <= offset) low = middle + 1;
    else high = middle;
  }
  return Math.max(1, low);
}

/** Why a file is no document. */
export type SkipReason =
  | "unsupported type"
  | "binary"
  | "empty"
  | "not UTF-8"
  | "not UTF-16"
  | "damaged"
  | "encrypted"
  | "scan without text"
  | "pages without text"
  | "unpacks too large"
  | "legacy format"
  | "too large"
  | "unreadable"
  | "broken link"
  | "link loop"
  | "link out of the folder"
  | "repeated link";

/** A file or folder that was left out, or pages of a document. */
export interface Skip {
  readonly kind: "skip";
  readonly path: string;
  readonly reason: SkipReason;
  /** The particular case, for people: the size, the target of a link, the system's error. */
  readonly detail: string;
}

/** The last entry of a scan. */
export interface ScanSummary {
  readonly kind: "summary";
  readonly numDocuments: number;
  /** Hidden files and folders, and `node_modules`; what is in such a folder is not looked at. */
  readonly numIgnored: number;
  readonly numSkipped: ReadonlyMap<SkipReason, number>;
}

export type ScanEntry = Document | Skip | ScanSummary;

/** Why a reader makes no text of a file. */
export type Refusal = Pick<Skip, "reason" | "detail">;

/** What a reader makes of a file's bytes. */
export type ReadResult = Pick<Document, "text" | "pageStarts" | "picturePages"> | Refusal;

/** A kind of file. Registered in `readers/index.ts`. */
export interface Reader {
  readonly name: string;
  /** Of the text that it gives. */
  readonly mediaType: string;
  /** Endings of file names in lower case, with the dot. */
  readonly extensions: readonly string[];
  /** File names without an ending, in lower case. */
  readonly fileNames: readonly string[];
  /** Source code: read only by a scan that asks for it. */
  readonly isCode?: true;
  /** Largest file that is read unless a scan says otherwise; larger than text where most bytes are pictures or packed. */
  readonly maxBytes?: number;
  /** Never throws for bad bytes: it says what is wrong with them. */
  read(bytes: Uint8Array): ReadResult | Promise<ReadResult>;
}
