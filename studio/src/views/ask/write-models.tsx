/** @file One prompt to one or two models, side by side, and which of the texts is better. */

import { signal } from "@preact/signals";
import type { WriteRequest } from "../../../../src/server/studio/wire/index.js";
import { writers } from "../../live.js";
import { linkTo } from "../../route.js";
import { Judge } from "./judge.js";
import { chosenWriters, settings, type WriteSettings } from "./settings.js";
import { WriteForm } from "./write-form.js";
import { isGoing, sides, stop, write } from "./writing.js";
import { WrittenText } from "./written-text.js";
import "./write.css";

/** Whether the names of the writers are hidden now. */
const isHidden = signal(false);

/** Half of the time the other way round, where nobody is to know who writes where. */
const inOrder = <T,>(pair: readonly T[], isBlind: boolean): readonly T[] =>
  isBlind && crypto.getRandomValues(new Uint8Array(1))[0]! < 128 ? [...pair].reverse() : pair;

function requestsOf(asked: WriteSettings): readonly WriteRequest[] {
  const { prompt, temperature, topP, maxTokens, seed, isGrounded, isBlind } = asked;
  const [left, right] = chosenWriters(asked);
  const common = { prompt, temperature, topP, maxTokens, isGrounded };
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
  const isWriting = shown.some(({ written }) => isGoing(written.value));
  const { isBlind, isGrounded } = settings.value;
  const names = shown.map(({ written }) => nameOf(written.value.request.writer));
  return (
    <>
      <WriteForm isWriting={isWriting} onWrite={() => begin()} onNext={beginNext} onStop={stop} />
      {shown.length > 0 && (
        <div class={shown.length > 1 ? "sides two" : "sides"}>
          {shown.map((side, i) => (
            <WrittenText key={i} written={side.written.value} title={isHidden.value ? `Text ${i + 1}` : names[i]!} />
          ))}
        </div>
      )}
      {shown.length === 2 && !isGrounded && (
        <Judge
          texts={[shown[0]!.written.value, shown[1]!.written.value]}
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

const nameOf = (id: string): string => writers.value.find((writer) => writer.id === id)?.label ?? id;
