/** @file Bytes as text, or the reason why they are none. */
import { isUtf8 } from "node:buffer";
import type { ReadResult, Refusal } from "./document.js";

/** Decodes UTF-8, or UTF-16 that says so by a byte order mark, strictly. The mark is not part of the text. */
export function decodeText(bytes: Uint8Array): ReadResult {
  const utf16 = utf16Of(bytes);
  if (utf16 !== undefined) return decodeUtf16(bytes, utf16);
  const zero = bytes.indexOf(0);
  if (zero >= 0) return { reason: "binary", detail: `has a zero byte at ${zero}` };
  if (!isUtf8(bytes)) return { reason: "not UTF-8", detail: "has bytes that are not UTF-8; save it as UTF-8" };
  return { text: new TextDecoder("utf-8").decode(bytes) };
}

/** The byte order of UTF-16, by the mark that a file begins with. */
function utf16Of(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : undefined;
}

function decodeUtf16(bytes: Uint8Array, encoding: string): { readonly text: string } | Refusal {
  const text = decodeStrictly(bytes, encoding);
  if (text === undefined) {
    const detail = "begins with a UTF-16 mark, and has an odd byte or half a surrogate pair; save it as UTF-8";
    return { reason: "not UTF-16", detail };
  }
  const zero = text.indexOf("\0");
  return zero < 0 ? { text } : { reason: "binary", detail: `has a zero character at ${zero}` };
}

/** Text in a named encoding (WHATWG's labels); undefined where the name is unknown or a byte does not belong to it. */
export function decodeStrictly(bytes: Uint8Array, encoding: string): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}
