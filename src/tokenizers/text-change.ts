/** @file Changes of a text before it is encoded, each with the way back to the source. */

import type { SourceMap } from "./source-map.js";

/** Takes what becomes of a text, from left to right; together the calls cover all of it. */
export interface EditSink {
  /** `[start, end)` stays as it is. */
  keep(start: number, end: number): void;
  /** `[start, end)` becomes `content`; either may be empty. */
  replace(start: number, end: number, content: string): void;
}

/** Which stretches a change treats as the first. `origin`: the one at the text's first character. `text`: that, or one after marks such as BOS. */
export type FirstStretch = "origin" | "text";

export interface TextChange {
  /** Which stretches get `isFirst`; absent when it makes no difference. */
  readonly first?: FirstStretch;
  /** What the text becomes; the same string when nothing changes. */
  apply(text: string, isFirst: boolean): string;
  /** Says the same as `apply`, piece by piece. */
  edit(text: string, isFirst: boolean, edits: EditSink): void;
  /**
   * When any stretch of `text` can be changed in two parts, cut at `index`: what the two code units there become (they may
   * still take up marks that follow, which does not change their kind). Undefined where that is not known. Neither may be
   * half a surrogate pair.
   * @param goesOn the second part is known to go on with a text, so that it is no first stretch. Default false.
   */
  seam(text: string, index: number, goesOn?: boolean): string | undefined;
}

/** Builds the changed text from its edits. */
class EditedText implements EditSink {
  readonly #text: string;
  result = "";

  constructor(text: string) {
    this.#text = text;
  }

  keep(start: number, end: number): void {
    this.result += this.#text.slice(start, end);
  }

  replace(_start: number, _end: number, content: string): void {
    this.result += content;
  }
}

/** Notes for each code unit of the changed text where it comes from. */
class EditedOrigins implements EditSink {
  readonly starts: number[] = [];
  readonly ends: number[] = [];

  keep(start: number, end: number): void {
    for (let i = start; i < end; i++) {
      this.starts.push(i);
      this.ends.push(i + 1);
    }
  }

  replace(start: number, end: number, content: string): void {
    for (let i = 0; i < content.length; i++) {
      this.starts.push(start);
      this.ends.push(end);
    }
  }
}

/** `apply` by way of `edit`, for changes that have no faster way. */
export function applyEdits(change: Pick<TextChange, "edit">, text: string, isFirst: boolean): string {
  const edited = new EditedText(text);
  change.edit(text, isFirst, edited);
  return edited.result === text ? text : edited.result;
}

/**
 * The way back from what `change` makes of `text`, which begins at `start` of what `outer` leads back from. Computed
 * when first asked.
 */
export function changeMap(
  change: TextChange,
  text: string,
  isFirst: boolean,
  start: number,
  outer: SourceMap | undefined,
): SourceMap {
  let origins: EditedOrigins | undefined;
  const found = (): EditedOrigins => {
    if (origins === undefined) {
      origins = new EditedOrigins();
      change.edit(text, isFirst, origins);
    }
    return origins;
  };
  return {
    start(position) {
      const at = start + (found().starts[position] ?? text.length);
      return outer === undefined ? at : outer.start(at);
    },
    end(position) {
      const at = start + (found().ends[position - 1] ?? 0);
      return outer === undefined || position === 0 ? (outer?.start(at) ?? at) : outer.end(at);
    },
  };
}

/** The seam of a change that treats each character for itself. */
export function characterSeam(change: TextChange, text: string, index: number): string | undefined {
  const before = change.apply(text.charAt(index - 1), false);
  const after = change.apply(text.charAt(index), false);
  return before === "" || after === "" ? undefined : before.charAt(before.length - 1) + after.charAt(0);
}

/** One change after the other. */
export function changesInSequence(changes: readonly TextChange[]): TextChange | undefined {
  if (changes.length <= 1) return changes[0];
  const first = changes.find((change) => change.first !== undefined)?.first;
  const apply = (text: string, isFirst: boolean): string =>
    changes.reduce((result, change) => change.apply(result, isFirst), text);
  return {
    ...(first === undefined ? {} : { first }),
    apply,
    edit(text, isFirst, edits) {
      let map: SourceMap | undefined;
      let current = text;
      for (const change of changes) {
        const next = change.apply(current, isFirst);
        if (next !== current) map = changeMap(change, current, isFirst, 0, map);
        current = next;
      }
      if (map === undefined) edits.keep(0, text.length);
      else replay(text, current, map, edits);
    },
    seam(text, index, goesOn) {
      let pair = text.slice(index - 1, index + 1);
      for (const change of changes) {
        const next = change.seam(pair, 1, goesOn);
        if (next === undefined) return undefined;
        pair = next;
      }
      return pair;
    },
  };
}

/** The edits that a map stands for: each code unit replaces its origin. Origins that overlap are only named once. */
function replay(text: string, changed: string, map: SourceMap, edits: EditSink): void {
  for (let i = 0; i < changed.length; i++) {
    const [start, end] = [map.start(i), map.end(i + 1)];
    if (end === start + 1 && text[start] === changed[i]) edits.keep(start, end);
    else edits.replace(start, Math.max(start, end), changed.charAt(i));
  }
}
