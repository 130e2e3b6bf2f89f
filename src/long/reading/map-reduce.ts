/** @file Each chunk is answered from by itself; the answers are joined, in levels, until one is left. */

import { CapacityError } from "../../base/errors.js";
import { Calls } from "./calls.js";
import { documentChunks } from "./document-chunks.js";
import {
  NO_ANSWER,
  type Part,
  type ReadingModel,
  type ReadingRequest,
  type ReadingStrategy,
  saysNothing,
} from "./reading.js";
import { chosenTemplates, fill, type Template } from "./template.js";

const templates = {
  map: `A part of a document:

{chunk}

{task}
Use only what this part says. If it says nothing about this, write ${NO_ANSWER}.
`,
  combine: `Answers that were given from successive parts of one document:

{answers}

{task}
Make one answer of them.
`,
};

/** Calls of one level run together. Answers that say nothing are left out where answers are joined. */
export const mapReduce: ReadingStrategy = {
  name: "map-reduce",
  templates,
  async read(model, request) {
    const { map, combine } = chosenTemplates(templates, request.templates);
    const { task } = request;
    const calls = new Calls(model, request);
    const promptOf = (chunk: string): string => fill(map, { chunk, task }, "map");
    const chunks = await documentChunks(model, request, calls, promptOf);
    const maps = await calls.all(
      chunks.map(({ start, end, text }) => ({ prompt: promptOf(text), spans: [{ start, end }] })),
      0,
    );
    const telling = maps.filter(({ text }) => !saysNothing(text));
    const text = telling.length === 0 ? NO_ANSWER : await reduced(model, request, { calls, combine, answers: telling });
    return { text, parts: calls.parts };
  },
};

interface Reduction {
  readonly calls: Calls;
  readonly combine: Template;
  readonly answers: readonly Part[];
}

async function reduced({ contextLength }: ReadingModel, { task }: ReadingRequest, from: Reduction): Promise<string> {
  const { calls, combine } = from;
  let { answers } = from;
  const promptOf = (group: readonly Part[]): string => {
    const listed = group.map(({ text }, i) => `[${i + 1}] ${text.trim()}`).join("\n\n");
    return fill(combine, { answers: listed, task }, "combine");
  };
  for (let level = 1; answers.length > 1; level++) {
    const groups = await groupsOf(answers, async (group) => (await calls.excess(promptOf(group))) <= 0);
    const stuck = groups.find((group, i) => group.length === 1 && i + 1 < groups.length);
    if (stuck) {
      throw new CapacityError(
        `reading: two answers of up to ${calls.answerTokens} tokens do not fit into a context of ${contextLength} with the combine template; take a smaller answerTokens`,
      );
    }
    const joined = groups.filter((group) => group.length > 1);
    const made = await calls.all(
      joined.map((group) => ({ prompt: promptOf(group), spans: group.flatMap(({ spans }) => spans) })),
      level,
    );
    // a last one that is left over goes on as it is
    answers = [...made, ...groups.slice(joined.length).flat()];
  }
  return answers[0]!.text;
}

/** Neighbours together, as many as fit. */
async function groupsOf(
  answers: readonly Part[],
  fits: (group: readonly Part[]) => Promise<boolean>,
): Promise<Part[][]> {
  const groups: Part[][] = [];
  for (const answer of answers) {
    const last = groups.at(-1);
    if (last && (await fits([...last, answer]))) last.push(answer);
    else groups.push([answer]);
  }
  return groups;
}
