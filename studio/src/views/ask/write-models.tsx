/** @file One prompt to one or two models, side by side, and which of the texts is better. */

import { signal } from "@preact/signals";
import type { WriteRequest } from "../../../../src/server/studio/wire/index.js";
import { writers } from "../../live.js";
import { linkTo } from "../../route.js";
import { Judge } from "./judge.js";
import { chosenWriters, settings, type WriteSettings } from "./settings.js";
import { WriteForm } from "./write-form.js";
import { isGoing, sides, stop, turnsOf, write } from "./writing.js";
import { WrittenText } from "./written-text.js";
import "./write.css";

/** Whether the names of the writers are hidden now. */
const isHidden = signal(settings.peek().isBlind);

/** Half of the time the other way round, where nobody is to know who writes where. */
const inOrder = <T,>(pair: readonly T[], isBlind: boolean): readonly T[] =>
  isBlind && crypto.getRandomValues(new Uint8Array(1))[0]! < 128 ? [...pair].reverse() : pair;

function requestsOf(asked: WriteSettings): readonly WriteRequest[] {
  const { prompt, temperature, topP, maxTokens, seed, isGrounded, isBlind } = asked;
  const [left, right] = chosenWriters(asked);
  const common = { earlier: [], prompt, temperature, topP, maxTokens, isGrounded };
  // the same model twice is to write two texts
  const requests = [left, right].flatMap((writer, i) =>
    writer === undefined ? [] : [{ ...common, writer, seed: seed + (i === 1 && left === right ? 1 : 0) }],
  );
  return inOrder(requests, isBlind);
}

function begin(asked = settings.value): void {
  isHidden.value = asked.isBlind;
  write(requestsOf(asked));
}

/** The same prompt with other seeds. */
function beginNext(): void {
  const [left, right] = chosenWriters(settings.value);
  settings.value = { ...settings.value, seed: (settings.value.seed + (left === right ? 2 : 1)) % 2 ** 31 };
  begin();
}

/** Each model goes on with its own conversation. */
function goOn(prompt: string): void {
  write(
    sides.value.map(({ written }) => {
      const { request } = written.value;
      return { ...request, prompt, earlier: turnsOf(written.value) };
    }),
  );
}

export function WriteModels() {
  if (writers.value.length === 0) {
    return (
      <p>
        There is no model yet. <a href={linkTo("home")}>Start the job</a> to train one on the documents, or start
        Tessera with <code>--base</code> and the folder of a model.
      </p>
    );
  }
  const shown = sides.value;
  const texts = shown.map(({ written }) => written.value);
  const isWriting = texts.some(isGoing);
  const isFree = texts.every(({ request }) => !request.isGrounded);
  // answers to conversations that went apart are no pair
  const isFirst = texts.every(({ request }) => request.earlier.length === 0);
  const { isBlind } = settings.value;
  const names = texts.map(({ request }) => nameOf(request.writer));
  return (
    <>
      <p>
        One prompt to one model or two: see what training on your documents has changed, how sure a model was of each
        word, and keep which text is better.
      </p>
      <WriteForm isWriting={isWriting} onWrite={() => begin()} onNext={beginNext} onStop={stop} />
      {shown.length > 0 && (
        <div class={shown.length > 1 ? "sides two" : "sides"}>
          {shown.map((side, i) => (
            <WrittenText
              key={i}
              written={side.written.value}
              name={isHidden.value ? undefined : names[i]!}
              place={i + 1}
            />
          ))}
        </div>
      )}
      {!isWriting && texts.some(({ status }) => status === "done" || status === "stopped") && isFree && (
        <FollowUp key={texts[0]!.request.earlier.length} onSend={goOn} />
      )}
      {texts.length === 2 && isFree && isFirst && (
        <Judge
          texts={[texts[0]!, texts[1]!]}
          isBlind={isBlind}
          onJudged={() => {
            isHidden.value = false;
            if (isBlind) beginNext();
          }}
        />
      )}
    </>
  );
}

function FollowUp({ onSend }: { onSend(prompt: string): void }) {
  function submit(event: SubmitEvent): void {
    event.preventDefault();
    const prompt = `${new FormData(event.currentTarget as HTMLFormElement).get("prompt")}`;
    if (prompt.trim() !== "") onSend(prompt);
  }
  return (
    <form class="row fill" onSubmit={submit}>
      <input
        name="prompt"
        aria-label="Next message"
        placeholder="Next message; each model goes on with its own text"
        maxLength={20_000}
      />
      <button type="submit">Go on</button>
    </form>
  );
}

const nameOf = (id: string): string => writers.value.find((writer) => writer.id === id)?.label ?? id;
