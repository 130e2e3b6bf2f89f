/** @file JSON lines as readable text: each line a block. A line that is not JSON stays as it is. */
import { decodeText } from "../decode.js";
import type { Reader } from "../document.js";
import { type Json, recordText, TooDeep } from "../json-records.js";

export const jsonl: Reader = {
  name: "jsonl",
  mediaType: "text/plain",
  extensions: [".jsonl", ".ndjson"],
  fileNames: [],
  read(bytes) {
    const decoded = decodeText(bytes);
    if ("reason" in decoded) return decoded;
    const lines = decoded.text.split("\n").filter((line) => line.trim() !== "");
    return { text: lines.map((line) => textOf(line.trimEnd())).join("\n\n") };
  },
};

function textOf(line: string): string {
  try {
    const value: Json = JSON.parse(line);
    return recordText(value);
  } catch (error) {
    // a log's last line is often cut: what stands there can still be found
    if (error instanceof SyntaxError || error instanceof TooDeep) return line;
    throw error;
  }
}
