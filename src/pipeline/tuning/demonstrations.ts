/** @file Examples with others of their kind before them, which show what an answer is and are not learned there. */

import { ConfigError } from "../../base/errors.js";
import { Rng } from "../../base/rng.js";
import type { ChatBody, CompletionBody, Example } from "../../datasets/index.js";
import { Bm25Similarity, bySimilarity, type Selection, selections } from "../../prompt/index.js";
import type { Demonstrations } from "./tune-config.js";

/** An example that can be shown. */
interface Shown {
  readonly hash: string;
  readonly body: ChatBody | CompletionBody;
}

/** Between completions, which have no template to part them. */
const BETWEEN = "\n\n";

/**
 * Every example with `count` of the pool before it, the nearest to its question last; never with itself.
 * @throws ConfigError for plain text, which asks nothing.
 */
export function withDemonstrations(
  examples: readonly Example[],
  pool: readonly Example[],
  { count, select }: Demonstrations,
  seed: number,
): Example[] {
  const selection: Selection = selections[select];
  const candidates = pool.map(shownOf);
  const similarity = new Bm25Similarity(candidates.map(({ body }) => questionOf(body)));
  const rng = new Rng(seed);
  // one more, since one may be the example itself
  const fixed = selection.isFixed && selection.select({ similarity, question: "", count: count + 1, rng });
  return examples.map((example) => {
    const { body, hash } = shownOf(example);
    const question = questionOf(body);
    const accepts = (i: number): boolean => candidates[i]!.hash !== hash && candidates[i]!.body.kind === body.kind;
    const chosen = fixed
      ? fixed.filter(accepts).slice(0, count)
      : selection.select({ similarity, question, count, accepts, rng });
    const shown = bySimilarity(chosen, similarity.toQuestion(question)).map((i) => candidates[i]!.body);
    return { ...example, body: shown.reduceRight(after, body) };
  });
}

function shownOf({ body, hash, place }: Example): Shown {
  if (body.kind !== "text") return { body, hash };
  throw new ConfigError(
    `demonstrations: ${place.file} is plain text, which has no question to show others before; leave out demonstrations and fewShot`,
  );
}

/** What is asked: the prompt, or the last message of the user. */
function questionOf(body: Shown["body"]): string {
  if (body.kind === "completion") return body.prompt;
  const last = body.messages.findLast(({ role }) => role === "user")?.content;
  return typeof last === "string" ? last : "";
}

/** A body after one demonstration. Its system message stays first. */
function after(body: Shown["body"], shown: Shown["body"]): Shown["body"] {
  if (body.kind === "completion" && shown.kind === "completion")
    return { ...body, prompt: `${shown.prompt}${shown.completion}${BETWEEN}${body.prompt}` };
  // of two kinds nothing can be joined; candidates are of one
  if (body.kind === "completion" || shown.kind === "completion") return body;
  const isSystem = body.messages[0]?.role === "system" ? 1 : 0;
  const inserted = shown.messages.filter(({ role }) => role !== "system");
  const messages = [...body.messages.slice(0, isSystem), ...inserted, ...body.messages.slice(isSystem)];
  const unlearned = [
    ...inserted.flatMap(({ role }, i) => (role === "assistant" ? [isSystem + i] : [])),
    ...(body.unlearned ?? []).map((i) => i + inserted.length),
  ];
  return { ...body, messages, unlearned };
}
