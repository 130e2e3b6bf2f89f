/** @file Finds the format of rows by their fields, and says why. */

import { DataError, UnsupportedError } from "../base/errors.js";
import type { DataFormat, RawRow } from "./format.js";
import { dataFormats, refusedFormats } from "./formats/index.js";

export interface DetectedFormat {
  readonly format: DataFormat;
  /** `has instruction and output`. */
  readonly reason: string;
}

/**
 * The format of a file by one of its rows.
 * @param file what the file is called in errors.
 * @throws UnsupportedError for data that are for another kind of training.
 * @throws DataError when no format has these fields.
 */
export function detectFormat(row: RawRow, file: string): DetectedFormat {
  for (const { name, advice, recognise } of Object.values(refusedFormats)) {
    const reason = recognise(row);
    if (reason !== undefined) throw new UnsupportedError(`${file}: ${name} data (a row ${reason}): ${advice}`);
  }
  for (const format of Object.values<DataFormat>(dataFormats)) {
    const reason = format.recognise(row);
    if (reason !== undefined) return { format, reason };
  }
  const known = Object.values<DataFormat>(dataFormats).map(({ name, fields }) => `${name} (${fields.join(", ")})`);
  throw new DataError(
    `${file}: rows have the fields ${Object.keys(row).join(", ")}, which are of no known format: ${known.join("; ")}. ` +
      'Say which column is which field, such as columns: { instruction: "question", output: "answer" }',
  );
}
