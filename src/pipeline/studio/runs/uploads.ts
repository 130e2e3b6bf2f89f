/** @file Files of examples that come from the page. */

import { createHash } from "node:crypto";
import { extname } from "node:path";
import { replaceFiles } from "../../../checkpoint/atomic.js";
import { Refusal } from "../../../server/refusal.js";
import type { Uploaded } from "../../../server/studio/wire/index.js";
import type { Workspace } from "../../workspace.js";

const types = [".jsonl", ".ndjson", ".json", ".txt", ".md"];

/** Keeps it in the workspace under a name that its content decides: the same file is kept once. */
export async function keepUpload(workspace: Workspace, name: string, bytes: Uint8Array): Promise<Uploaded> {
  const type = extname(name).toLowerCase();
  if (!types.includes(type)) {
    throw new Refusal(415, `a file of examples ends in ${types.join(", ")}, not in ${JSON.stringify(type)}`, "data");
  }
  if (!isText(bytes)) {
    throw new Refusal(
      415,
      `${JSON.stringify(name)} is no text in UTF-8; save it as that, or choose another file`,
      "data",
    );
  }
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  const stem = name.slice(0, name.length - type.length).replaceAll(/[^\p{L}\p{N}_-]+/gu, "-");
  const path = workspace.path("uploads", `${hash}-${stem.slice(0, 60)}${type}`);
  await workspace.prepare("uploads");
  await replaceFiles([[path, [bytes]]]);
  return { path, bytes: bytes.length };
}

function isText(bytes: Uint8Array): boolean {
  try {
    return !new TextDecoder("utf-8", { fatal: true }).decode(bytes).includes("\0");
  } catch {
    return false;
  }
}
