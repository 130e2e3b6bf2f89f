/** @file What can be downloaded of a run. */

import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { Readable } from "node:stream";
import { ifThere } from "../../../checkpoint/byte-file.js";
import { Refusal } from "../../../server/refusal.js";
import type { Download } from "../../../server/studio/service.js";
import type { RunFile } from "../../../server/studio/wire/index.js";

const folders: readonly (readonly [name: string, kind: RunFile["kind"]])[] = [
  ["adapter", "adapter"],
  ["model", "model"],
  ["exports", "export"],
];
const records = ["report.md", "report.json", "manifest.json", "metrics.jsonl"];

/** Weights and what belongs to them, and what was recorded; in the order of their paths within a kind. */
export async function listFiles(folder: string): Promise<RunFile[]> {
  const files: RunFile[] = [];
  for (const [name, kind] of folders) {
    const entries = await ifThere(readdir(join(folder, name), { recursive: true, withFileTypes: true }), folder);
    const paths = (entries ?? []).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const path of paths.sort()) {
      // an export that is being made is in a folder of a name of its own
      if (!path.includes(".tmp-")) files.push(await described(folder, path, kind));
    }
  }
  for (const name of records) {
    if (await ifThere(stat(join(folder, name)), name))
      files.push(await described(folder, join(folder, name), "record"));
  }
  return files;
}

async function described(folder: string, path: string, kind: RunFile["kind"]): Promise<RunFile> {
  const { size } = await stat(path);
  return { path: relative(folder, path).split(sep).join("/"), bytes: size, kind };
}

/**
 * Opens one of the files that are listed.
 * @param run what the file is named after when it is kept.
 * @throws Refusal 404 for any other path.
 */
export async function openFile(folder: string, path: string, run: string): Promise<Download> {
  const file = (await listFiles(folder)).find((listed) => listed.path === path);
  if (!file) throw new Refusal(404, `the run has no file ${JSON.stringify(path)}; the page lists those it has`);
  const stream = Readable.toWeb(createReadStream(join(folder, path))) as ReadableStream<Uint8Array>;
  return { name: `${run}-${path.split("/").at(-1)}`, bytes: file.bytes, stream };
}
