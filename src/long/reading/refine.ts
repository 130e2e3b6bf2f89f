/** @file One answer goes through the document and is made better by each chunk. */

import type { Span } from "../../chunk/index.js";
import { Calls } from "./calls.js";
import { documentChunks } from "./document-chunks.js";
import { NO_ANSWER, type ReadingStrategy } from "./reading.js";
import { chosenTemplates, fill } from "./template.js";

const templates = {
  first: `The beginning of a document:

{chunk}

{task}
Use only what this part says. If it says nothing about this, write ${NO_ANSWER}.
`,
  refine: `A document goes on:

{chunk}

{task}
The answer up to here was:

{answer}

Write it again with what this part adds or corrects; if that is nothing, as it is.
`,
};

/** Each call waits for the one before. The last answer that says anything is kept. */
export const refine: ReadingStrategy = {
  name: "refine",
  templates,
  async read(model, request) {
    const { first, refine: again } = chosenTemplates(templates, request.templates);
    const { task } = request;
    const calls = new Calls(model, request);
    const firstPrompt = (chunk: string): string => fill(first, { chunk, task }, "first");
    const nextPrompt = (chunk: string, answer: string): string => fill(again, { chunk, task, answer }, "refine");
    const chunks = await documentChunks(model, request, calls, firstPrompt);
    // an answer of full length has to fit beside the text
    const longest = "x ".repeat(calls.answerTokens);
    const pieces =
      chunks.length <= 1 ? chunks : await documentChunks(model, request, calls, (chunk) => nextPrompt(chunk, longest));
    let answer: string | undefined;
    const read: Span[] = [];
    for (const [first, { start, end, text }] of pieces.entries()) {
      read.push({ start, end });
      const prompt = answer === undefined ? firstPrompt(text) : nextPrompt(text, answer.trim());
      const [part] = await calls.all([{ prompt, spans: [...read] }], 0, { first, count: pieces.length });
      if (answer === undefined || part!.text.trim() !== "") answer = part!.text;
    }
    return { text: answer ?? NO_ANSWER, parts: calls.parts };
  },
};
