/** @file Texts of a Studio's models, freely or from its documents, with the probabilities of their tokens. */

import { answerPrompt, evidence, type SourceOf, writtenAnswer } from "../../answer/index.js";
import { CapacityError } from "../../base/errors.js";
import { type PackedContext, type Passage, packContext, type ScoredChunk } from "../../retrieval/index.js";
import type { Prompt, TextPiece, TokenChance } from "../../server/openai/service.js";
import type { WriteService } from "../../server/studio/service.js";
import type { TokenProbability, Turn, WriteEvent, WriteRequest, WrittenToken } from "../../server/studio/wire/index.js";
import type { KnowledgeBase } from "../knowledge-base/knowledge-base.js";
import { ifUnchanged, isWithin, statementsOf } from "./ask.js";
import type { OpenKnowledge } from "./open-knowledge.js";
import type { OpenWriter, Writers } from "./writers.js";

/** Alternatives that are told of each token. */
const ALTERNATIVES = 5;

/** Passages from which a grounded text is written, as far as they fit. */
const PASSAGES = 8;

export class WriteControl implements WriteService {
  readonly #writers: Writers;
  readonly #knowledge: OpenKnowledge;

  constructor(writers: Writers, knowledge: OpenKnowledge) {
    this.#writers = writers;
    this.#knowledge = knowledge;
  }

  async *write(request: WriteRequest, signal: AbortSignal): AsyncGenerator<WriteEvent, void> {
    using writer = await this.#writers.open(request.writer, signal);
    if (!request.isGrounded) {
      yield* text(writer, [...request.earlier, asked(request.prompt)], request, signal);
      return;
    }
    const knowledge = await this.#knowledge.get();
    const sourceOf = cachedSource(knowledge);
    const packed = await ifUnchanged(passagesFor(writer, request, { knowledge, sourceOf, signal }));
    let written = "";
    for await (const event of text(writer, [asked(answerPrompt(request.prompt, packed.text))], request, signal)) {
      if (event.event === "token") written += event.data.text;
      if (event.event === "end") {
        const answer = await ifUnchanged(
          writtenAnswer(request.prompt, packed, { write: async () => written, sourceOf }),
        );
        yield { event: "checked", data: { statements: statementsOf(request.prompt, answer) } };
      }
      yield event;
    }
  }
}

const asked = (content: string): Turn => ({ role: "user", content });

/** The text after a prompt, from `start` to `end`. */
async function* text(
  { id, service }: OpenWriter,
  turns: readonly Turn[],
  { temperature, topP, maxTokens, seed }: WriteRequest,
  signal: AbortSignal,
): AsyncGenerator<WriteEvent, void> {
  const begin = performance.now();
  const prompt = await promptOf({ id, service }, turns);
  const { numPromptTokens, pieces } = await service.generate({
    model: id,
    prompt,
    sampling: { temperature, topP },
    maxTokens,
    seed,
    stop: [],
    logprobs: ALTERNATIVES,
    signal,
  });
  yield { event: "start", data: { form: prompt.kind === "chat" ? "chat" : "continuation", numPromptTokens } };
  let numTokens = 0;
  for await (const piece of pieces) {
    numTokens += piece.ids.length;
    for (const data of tokensOf(piece)) yield { event: "token", data };
    if (piece.finishReason === undefined) continue;
    const seconds = (performance.now() - begin) / 1000;
    yield { event: "end", data: { reason: piece.finishReason, numTokens, seconds } };
  }
}

/** A conversation where the model has a chat template, else one text that is gone on with. */
async function promptOf({ id, service }: Pick<OpenWriter, "id" | "service">, turns: readonly Turn[]): Promise<Prompt> {
  if (!service.hasChat) return { kind: "plain", text: turns.map(({ content }) => content).join("") };
  const messages = turns.map(({ role, content }) => ({ role, content }));
  const { text: rendered } = await service.renderChat({ model: id, messages, tools: [], variables: {} });
  return { kind: "chat", text: rendered };
}

/** A piece is one token; what comes after the last one is a rest of the text that no token is to be named for. */
function tokensOf({ text: added, logprobs = [] }: TextPiece): WrittenToken[] {
  const [logprob] = logprobs;
  if (logprob) return [{ text: added, ...chanceOf(logprob), top: logprob.top.map(chanceOf) }];
  return added === "" ? [] : [{ text: added, token: added, probability: 1, top: [] }];
}

const chanceOf = ({ token, bytes, logprob }: TokenChance): TokenProbability => ({
  token: token.includes("\ufffd") ? `<${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}>` : token,
  probability: Math.exp(logprob),
});

function cachedSource(knowledge: KnowledgeBase): SourceOf {
  const texts = new Map<string, Promise<string | undefined>>();
  return (path) => {
    const known = texts.get(path) ?? knowledge.text(path);
    texts.set(path, known);
    return known;
  };
}

/** What of passages says most of what is asked, for a context in which none of them fits. */
const sentencesOf = (question: string, passages: readonly Passage[]): ScoredChunk[] =>
  evidence(question, passages).flatMap((quote) => {
    const found = passages.find(({ chunk }) => chunk.path === quote.path && isWithin(quote, chunk));
    if (!found) return [];
    const { parent: _, ...chunk } = found.chunk;
    const { start, end, text: words } = quote;
    return [{ score: found.score, chunk: { ...chunk, id: `${chunk.id} ${start}`, start, end, text: words } }];
  });

/** Passages, or at least sentences of them, that leave room for the question and the answer. @throws CapacityError where none does. */
async function passagesFor(
  writer: OpenWriter,
  { prompt, maxTokens }: WriteRequest,
  { knowledge, sourceOf, signal }: { knowledge: KnowledgeBase; sourceOf: SourceOf; signal: AbortSignal },
): Promise<PackedContext> {
  const { service, tokenizer, contextLength, label } = writer;
  const around = await service.countTokens(await promptOf(writer, [asked(answerPrompt(prompt, ""))]));
  const budget = contextLength - maxTokens - around;
  const pack = { budget: Math.max(1, budget), counter: tokenizer, source: sourceOf };
  const { packed, passages } = await knowledge.retrieve(prompt, { limit: PASSAGES, pack, signal });
  if (packed && (packed.spans.length > 0 || passages.length === 0)) return packed;
  const few = await packContext(sentencesOf(prompt, passages), pack);
  if (few.spans.length > 0) return few;
  throw new CapacityError(
    `${label} reads ${contextLength} tokens at once: the question and what it is told take ${around}, the answer ${maxTokens}, and no passage fits in the rest; take fewer tokens, or a model with a longer context`,
  );
}
