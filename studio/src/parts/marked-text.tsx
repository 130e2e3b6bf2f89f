/** @file A text with some of its stretches marked. */

import type { ComponentChildren } from "preact";
import type { TextSpan } from "../../../src/server/studio/wire/index.js";

/** @param spans within the text, in order, none over another. */
export function MarkedText({ text, spans }: { readonly text: string; readonly spans: readonly TextSpan[] }) {
  const parts: ComponentChildren[] = [];
  let at = 0;
  for (const { start, end } of spans) {
    parts.push(text.slice(at, start), <mark key={start}>{text.slice(start, end)}</mark>);
    at = end;
  }
  return (
    <>
      {parts}
      {text.slice(at)}
    </>
  );
}
