/** @file One call over what fits: the whole document, the passages for the task, or the most telling sentences. */

import { type ChosenContext, chooseContext } from "../context/index.js";
import { Calls } from "./calls.js";
import { NO_ANSWER, type ReadingModel, type ReadingRequest, type ReadingStrategy } from "./reading.js";
import { chosenTemplates, fill } from "./template.js";

const templates = {
  select: `Parts of a document:

{chunk}

{task}
Use only what these parts say. If they say nothing about this, write ${NO_ANSWER}.
`,
};

/** The cheapest: one call whatever the length. What is left out cannot be answered from. */
export const select: ReadingStrategy = {
  name: "select",
  templates,
  async read(model, request) {
    const { select: template } = chosenTemplates(templates, request.templates);
    const calls = new Calls(model, request);
    if (request.document.trim() === "") return { text: NO_ANSWER, parts: [] };
    const promptOf = (chunk: string): string => fill(template, { chunk, task: request.task }, "select");
    const { text: kept, spans, reason } = await chosen(model, request, calls, promptOf);
    const [part] = await calls.all(
      [{ prompt: promptOf(kept), spans: spans.map(({ start, end }) => ({ start, end })) }],
      0,
    );
    return { text: part!.text, parts: calls.parts, note: reason };
  },
};

/** What fits beside the prompt. */
async function chosen(
  { counter }: ReadingModel,
  { document, task, format }: ReadingRequest,
  calls: Calls,
  promptOf: (chunk: string) => string,
): Promise<ChosenContext> {
  // counts need not add up where text and prompt meet, so what is over is taken off until it fits
  for (let budget = -(await calls.excess(promptOf(""))); budget > 0; ) {
    const context = await chooseContext({ document, question: task, budget, counter, ...(format && { format }) });
    const excess = await calls.excess(promptOf(context.text));
    if (excess <= 0) return context;
    budget -= excess;
  }
  throw calls.noRoom();
}
