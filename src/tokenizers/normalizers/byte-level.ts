/** @file Writes a text in the byte alphabet: one printable character per byte of its UTF-8. */

import { byteCharacters } from "../algorithms/byte-alphabet.js";
import { codePointAt, utf8Byte, utf8Width, utf16Width } from "../algorithms/utf8.js";
import { applyEdits, characterSeam, type EditSink, type TextChange } from "../text-change.js";

/** After this a vocabulary of bytes can be read like any other. */
export const inByteAlphabet: TextChange = {
  apply: (text) => applyEdits(inByteAlphabet, text, false),
  edit(text: string, _isFirst: boolean, edits: EditSink) {
    for (let at = 0; at < text.length; ) {
      const codePoint = codePointAt(text, at, text.length);
      const end = at + utf16Width(codePoint);
      const content = bytesOf(codePoint);
      if (content === text.slice(at, end)) edits.keep(at, end);
      else edits.replace(at, end, content);
      at = end;
    }
  },
  seam: (text, index) => characterSeam(inByteAlphabet, text, index),
};

function bytesOf(codePoint: number): string {
  const width = utf8Width(codePoint);
  let content = "";
  for (let k = 0; k < width; k++) content += byteCharacters[utf8Byte(codePoint, k, width)];
  return content;
}
