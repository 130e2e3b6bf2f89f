/** @file What a data format says of itself, and how a row of it becomes an example. */

import type { z } from "zod";
import type { ExampleBody } from "./example.js";
import type { TreeMessage } from "./message-trees.js";

export type RawRow = Readonly<Record<string, unknown>>;

/** A data format. Registered in `formats/index.ts`. */
export interface DataFormat {
  readonly name: string;
  /** Names of its fields, which a mapping of columns may fill. */
  readonly fields: readonly string[];
  /** Checks a row and makes an example of it, or a message of one that several rows make. Unknown fields are faults. */
  readonly schema: z.ZodType<ExampleBody | TreeMessage>;
  /** Why a row is of this format, in words; undefined where it is not. */
  recognise(row: RawRow): string | undefined;
}

/** A known kind of data that supervised fine-tuning cannot use. */
export interface RefusedFormat {
  readonly name: string;
  /** What such data are for, and what to do. */
  readonly advice: string;
  recognise(row: RawRow): string | undefined;
}
