/** @file JSON as readable text: names and values in lines, each record a block of its own. */
import { messageOf } from "../../base/errors.js";
import { decodeText } from "../decode.js";
import type { Reader } from "../document.js";
import { type Json, recordsOf, TooDeep } from "../json-records.js";

export const json: Reader = {
  name: "json",
  mediaType: "text/plain",
  extensions: [".json"],
  fileNames: [],
  read(bytes) {
    const decoded = decodeText(bytes);
    if ("reason" in decoded) return decoded;
    try {
      const value: Json = JSON.parse(decoded.text);
      if (isLockFile(value)) return { reason: "unsupported type", detail: "is the lock file of a package manager" };
      return { text: recordsOf(value).join("\n\n") };
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof TooDeep)) throw error;
      return { reason: "damaged", detail: `is not JSON: ${messageOf(error)}` };
    }
  },
};

/** npm's: thousands of lines that nobody wrote, which would drown the documents. */
function isLockFile(value: Json): boolean {
  return typeof value === "object" && value !== null && "lockfileVersion" in value && "packages" in value;
}
