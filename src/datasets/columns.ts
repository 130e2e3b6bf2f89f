/** @file Puts columns of a file under the names that a format has for them. */

import { ConfigError } from "../base/errors.js";
import type { DataFormat, RawRow } from "./format.js";

/** By the format's field: the file's column. */
export type ColumnMapping = Readonly<Record<string, string>>;

/** The mapping of one file, which notices columns that no row has. */
export class ColumnRenaming {
  readonly #mapping: readonly (readonly [field: string, column: string])[];
  readonly #unseen: Set<string>;

  constructor(mapping: ColumnMapping = {}) {
    this.#mapping = Object.entries(mapping);
    this.#unseen = new Set(Object.values(mapping));
  }

  /**
   * The row under the format's names, and the columns whose names are taken by others.
   */
  apply(row: RawRow): { readonly row: RawRow; readonly replaced: readonly string[] } {
    if (this.#mapping.length === 0) return { row, replaced: [] };
    const moved = new Set(this.#mapping.map(([, column]) => column));
    const kept = Object.fromEntries(Object.entries(row).filter(([name]) => !moved.has(name)));
    const present = this.#mapping.filter(([, column]) => Object.hasOwn(row, column));
    for (const [, column] of present) this.#unseen.delete(column);
    return {
      row: { ...kept, ...Object.fromEntries(present.map(([field, column]) => [field, row[column]])) },
      replaced: present.map(([field]) => field).filter((field) => Object.hasOwn(kept, field)),
    };
  }

  /** @throws ConfigError for a field that the format does not have. */
  checkFields({ name, fields }: DataFormat): void {
    const wrong = this.#mapping.find(([field]) => !fields.includes(field));
    if (wrong === undefined) return;
    throw new ConfigError(`columns: ${name} has no field ${wrong[0]}; it has ${fields.join(", ")}`);
  }

  /** @throws ConfigError when a column was in no row. */
  checkSeen(file: string, row: RawRow | undefined): void {
    const [column] = this.#unseen;
    if (column === undefined || row === undefined) return;
    throw new ConfigError(
      `columns: no row of ${file} has a column ${column}; they have ${Object.keys(row).join(", ")}`,
    );
  }
}
