/** @file Statements and their citations in what a model wrote. */

export interface CitedStatement {
  /** Without its citations. */
  readonly statement: string;
  readonly cited: readonly Citation[];
}

export interface Citation {
  /** Of the passage. */
  readonly number: number;
  /** What is copied from it; undefined where only the number is given. */
  readonly words?: string;
}

/** `[2: "words"]`, `[2]`, `[2, 3]`; straight or curly marks. A closing bracket may stand within the words. */
const citation = /\[\s*(\d+(?:\s*,\s*\d+)*)\s*(?::\s*(?:"([^"]*)"|“([^”]*)”|「([^」]*)」))?\s*\]/gu;

/** A statement ends where its citations end; what follows the last citation is one without any. */
export function citations(written: string): CitedStatement[] {
  const statements: { statement: string; cited: Citation[] }[] = [];
  let from = 0;
  for (const match of written.matchAll(citation)) {
    const words = match[2] ?? match[3] ?? match[4];
    const cited = match[1]!.split(",").map((number) => ({
      number: Number(number),
      ...(words !== undefined && { words }),
    }));
    const statement = plain(written.slice(from, match.index));
    from = match.index + match[0].length;
    const last = statements.at(-1);
    if (statement === "" && last) last.cited.push(...cited);
    else if (statement !== "") statements.push({ statement, cited });
  }
  const rest = plain(written.slice(from));
  return rest === "" ? statements : [...statements, { statement: rest, cited: [] }];
}

/** Without white space around it and the mark that a citation was put before. */
const plain = (text: string): string =>
  text
    .trim()
    .replace(/^[.,;:。，；：]\s*/u, "")
    .trim();
