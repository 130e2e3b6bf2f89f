/** @file Questions that a model writes to passages; what it gives as the answer must stand there. */

import { z } from "zod";
import type { Write } from "../../answer/index.js";
import { recursive } from "../../chunk/index.js";
import type { Document } from "../../documents/index.js";
import type { Pair, PairOptions } from "./pairs.js";

const answerSchema = z.array(z.object({ question: z.string().trim().min(1), answer: z.string().min(1) }));

export interface WrittenPairs {
  readonly pairs: readonly Pair[];
  /** Answers that do not stand in their passage, and passages for which no list of pairs came. */
  readonly refused: number;
}

const promptFor = (passage: string, count: number): string => `Passage:

${passage}

Write ${count} questions that this passage answers, in its language, each understandable without it. Give only a JSON list: [{"question": "…", "answer": "words copied exactly from the passage"}]
`;

/** Questions to each passage of a document, about `perPassage` of each. */
export async function writtenPairs(
  { text, mediaType }: Pick<Document, "text" | "mediaType">,
  write: Write,
  { counter, maxTokens = 256, perPassage = 2 }: PairOptions & { readonly perPassage?: number },
): Promise<WrittenPairs> {
  const pairs: Pair[] = [];
  let refused = 0;
  const format = mediaType === "text/markdown" ? "markdown" : "plain";
  for (const chunk of recursive.chunk(text, { counter, maxTokens, format })) {
    const listed = listIn(await write(promptFor(chunk.text, perPassage)));
    if (!listed) refused++;
    for (const { question, answer } of listed ?? []) {
      const at = chunk.text.indexOf(answer);
      if (at < 0) refused++;
      else {
        const start = chunk.start + at;
        pairs.push({ kind: "written", instruction: question, output: answer, start, end: start + answer.length });
      }
    }
  }
  return { pairs, refused };
}

/** The first JSON list in a text. */
function listIn(written: string): z.infer<typeof answerSchema> | undefined {
  const [from, to] = [written.indexOf("["), written.lastIndexOf("]")];
  if (from < 0 || to < from) return undefined;
  try {
    return answerSchema.safeParse(JSON.parse(written.slice(from, to + 1))).data;
  } catch {
    return undefined;
  }
}
