/** @file The page's files, as they were built. */

/** A file of the page. */
export interface Asset {
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** By path below the page's root: `index.html`, `assets/index-1a2b3c.js`. */
export type Assets = ReadonlyMap<string, Asset>;
