/** @file Each chunk gives a short answer; the one that most chunks give is taken. */

import { Calls } from "./calls.js";
import { documentChunks } from "./document-chunks.js";
import { NO_ANSWER, type Part, type ReadingStrategy, saysNothing, type Votes } from "./reading.js";
import { chosenTemplates, fill } from "./template.js";

const templates = {
  vote: `A part of a document:

{chunk}

{task}
Answer in as few words as you can. If this part does not say, write ${NO_ANSWER}.
`,
};

/** Of answers with equally many votes the one that came first in the document wins. Parts that say nothing have no vote. */
export const vote: ReadingStrategy = {
  name: "vote",
  templates,
  async read(model, request) {
    const { vote: template } = chosenTemplates(templates, request.templates);
    const { task } = request;
    const calls = new Calls(model, request);
    const promptOf = (chunk: string): string => fill(template, { chunk, task }, "vote");
    const chunks = await documentChunks(model, request, calls, promptOf);
    const parts = await calls.all(
      chunks.map(({ start, end, text }) => ({ prompt: promptOf(text), spans: [{ start, end }] })),
      0,
    );
    const votes = tally(parts);
    return { text: votes[0]?.text ?? NO_ANSWER, parts, votes };
  },
};

/** Answers that differ in case, white space, quotes or the mark at the end are one. */
function tally(parts: readonly Part[]): Votes[] {
  const votes = new Map<string, { text: string; count: number; spans: Votes["spans"][number][] }>();
  for (const { text, spans } of parts) {
    if (saysNothing(text)) continue;
    const answer = text.trim();
    const key = answer
      .normalize("NFKC")
      .toLowerCase()
      .replace(/\s+/g, " ")
      .replace(/^["'“‘(]+|["'”’).,;:!?。！？]+$/g, "");
    const entry = votes.get(key) ?? { text: answer, count: 0, spans: [] };
    entry.count++;
    entry.spans.push(...spans);
    votes.set(key, entry);
  }
  return [...votes.values()].sort((a, b) => b.count - a.count);
}
