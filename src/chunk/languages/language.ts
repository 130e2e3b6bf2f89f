/** @file What the code chunker knows of a programming language. */
import type { Parser } from "@lezer/common";

/** A language by its grammar. Registered in `index.ts`. */
export interface Language {
  readonly name: string;
  /** Endings of file names in lower case, with the dot. */
  readonly extensions: readonly string[];
  readonly parser: Parser;
  /** Nodes that define something with a name of its own: what a reader would look for in an outline. */
  readonly definitions: ReadonlySet<string>;
  /** Nodes that define something if they hold one of these: `const f = () => …`. */
  readonly valueDefinitions?: { readonly node: string; readonly values: ReadonlySet<string> };
  /** Nodes that a definition may stand in together with words or lines before it: `export`, decorators. */
  readonly wrappers: ReadonlySet<string>;
  /** Children of a definition that say its name; the first counts. */
  readonly names: ReadonlySet<string>;
}
