/**
 * @file How a prompt with demonstrations is written, as data; and the format that does best on a development set, since format
 * alone can move a model by tens of points (Sclar et al. 2023, arXiv:2310.11324).
 */

import { ConfigError, DataError } from "../base/errors.js";

export interface Demonstration {
  readonly input: string;
  readonly output: string;
}

export interface PromptFormat {
  readonly name: string;
  /** Before an input and before an output, such as `Question: ` and `\nAnswer: `. */
  readonly input: string;
  readonly output: string;
  /** Between demonstrations. */
  readonly between: string;
}

/** Usual ways to write questions and answers. */
export const promptFormats: readonly PromptFormat[] = [
  { name: "question-answer", input: "Question: ", output: "\nAnswer: ", between: "\n\n" },
  { name: "q-a", input: "Q: ", output: "\nA: ", between: "\n\n" },
  { name: "input-output", input: "Input: ", output: "\nOutput: ", between: "\n\n" },
  { name: "headings", input: "### Instruction:\n", output: "\n\n### Response:\n", between: "\n\n" },
  { name: "arrow", input: "", output: " => ", between: "\n" },
  { name: "lines", input: "", output: "\n", between: "\n\n" },
];

/**
 * The text up to where the answer begins.
 * @throws DataError when a text holds what separates the parts, so that nobody could tell them apart.
 */
export function writePrompt(format: PromptFormat, demonstrations: readonly Demonstration[], input: string): string {
  const { between, output } = format;
  for (const text of [...demonstrations.flatMap(({ input, output }) => [input, output]), input]) {
    const mark = [between, output].find((mark) => text.includes(mark));
    if (mark !== undefined)
      throw new DataError(
        `prompt format ${format.name}: ${JSON.stringify(text.slice(0, 60))} holds ${JSON.stringify(mark)}, which separates its parts; take another format`,
      );
  }
  const shown = demonstrations.map((one) => `${format.input}${one.input}${output}${one.output}${between}`);
  return `${shown.join("")}${format.input}${input}${output}`;
}

/** What `writePrompt` has written. @throws DataError for another text. */
export function readPrompt(
  format: PromptFormat,
  prompt: string,
): { readonly demonstrations: readonly Demonstration[]; readonly input: string } {
  const parts: [input: string, output: string][] = [];
  let rest = prompt;
  const take = (mark: string): string => {
    const at = rest.indexOf(mark);
    if (at < 0)
      throw new DataError(
        `prompt format ${format.name}: expected ${JSON.stringify(mark)} in ${JSON.stringify(rest.slice(0, 60))}`,
      );
    const taken = rest.slice(0, at);
    rest = rest.slice(at + mark.length);
    return taken;
  };
  do {
    if (!rest.startsWith(format.input)) take(format.input);
    rest = rest.slice(format.input.length);
    const input = take(format.output);
    parts.push([input, rest === "" ? "" : take(format.between)]);
  } while (rest !== "");
  const last = parts.pop()!;
  return { demonstrations: parts.map(([input, output]) => ({ input, output })), input: last[0] };
}

export interface FormatScore {
  readonly format: PromptFormat;
  readonly score: number;
}

/**
 * Scores formats on a development set, the best first; of equal ones the earlier in the list.
 * @param score of a format over the set, the higher the better; what the model is and what is right is the caller's.
 * @throws ConfigError without formats.
 */
export async function searchFormats(
  formats: readonly PromptFormat[],
  score: (format: PromptFormat) => Promise<number>,
): Promise<FormatScore[]> {
  if (formats.length === 0) throw new ConfigError("format search: there is no format; give some (promptFormats)");
  const scored: FormatScore[] = [];
  for (const format of formats) scored.push({ format, score: await score(format) });
  return scored.sort((a, b) => b.score - a.score);
}
