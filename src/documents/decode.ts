/** @file Bytes as text, or the reason why they are none. */
import { isUtf8 } from "node:buffer";
import type { ReadResult } from "./document.js";

/** Decodes UTF-8, strictly. A byte order mark is not part of the text. */
export function decodeText(bytes: Uint8Array): ReadResult {
  if (hasUtf16Mark(bytes)) {
    return { reason: "UTF-16", detail: "begins with a UTF-16 byte order mark; save it as UTF-8" };
  }
  const zero = bytes.indexOf(0);
  if (zero >= 0) return { reason: "binary", detail: `has a zero byte at ${zero}` };
  if (!isUtf8(bytes)) return { reason: "not UTF-8", detail: "has bytes that are not UTF-8; save it as UTF-8" };
  return { text: new TextDecoder("utf-8").decode(bytes) };
}

function hasUtf16Mark(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}
