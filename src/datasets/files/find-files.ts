/** @file Which files of a path hold rows, and which are for training. */

import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { DataError, messageOf } from "../../base/errors.js";

export interface FoundFiles {
  /** Files of rows; empty where there are only documents. */
  readonly rows: readonly string[];
  /** Files that are named as held out. */
  readonly heldOut: readonly string[];
  /** Files beside them, with the reason why they are not read. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

const rowFile = /\.(jsonl|ndjson|json)(\.gz)?$/i;
/** Files that say something about data. */
const aboutData = /(^|\/)(dataset_infos?|dataset_dict|state|package(-lock)?|tsconfig|config)\.json$/i;

/** Whether a file holds rows, by its name. */
export const isRowFile = (path: string): boolean => rowFile.test(path);

/** What part of a data set a file is, by a word of its name: `train-00001.jsonl`, `my_valid.json`. */
export function partOf(path: string): "train" | "held out" | "test" | undefined {
  const words = path.toLowerCase().split(/[^a-z]+/);
  if (words.includes("train")) return "train";
  if (words.some((word) => ["validation", "valid", "val", "dev", "eval"].includes(word))) return "held out";
  return words.includes("test") ? "test" : undefined;
}

/**
 * The files of rows in a folder and the folders in it, in the order of their names. Files named for validation are held out and files
 * named for testing are skipped. A path that is a file is taken as it is.
 * @throws DataError when there is no such path.
 */
export async function findFiles(path: string): Promise<FoundFiles> {
  if (!(await isFolder(path))) return { rows: isRowFile(path) ? [path] : [], heldOut: [], skipped: [] };
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((name) => !/(^|\/)(\.|node_modules\/)/.test(name));
  const [rows, heldOut, skipped]: [string[], string[], { path: string; reason: string }[]] = [[], [], []];
  for (const name of names.sort()) {
    const full = join(path, name);
    if (!isRowFile(name)) skipped.push({ path: full, reason: "no JSON or JSONL" });
    else if (aboutData.test(name)) skipped.push({ path: full, reason: "describes data" });
    else if (partOf(name) === "test") skipped.push({ path: full, reason: "named as test data" });
    else (partOf(name) === "held out" ? heldOut : rows).push(full);
  }
  return { rows, heldOut, skipped };
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (thrown) {
    throw new DataError(`reading data: ${path}: ${messageOf(thrown)}; check the path`, { cause: thrown });
  }
}
