/** @file A question to the documents: their own words as the answer, and what was considered for it. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { AskResponse } from "../../../../src/server/studio/wire/index.js";
import { messageOf, post } from "../../api.js";
import { duration, plural } from "../../format.js";
import { state, writers } from "../../live.js";
import { Alert } from "../../parts/alert.js";
import { Topics } from "../../parts/topics.js";
import { goTo, linkTo } from "../../route.js";
import { Considered } from "./considered.js";
import { change } from "./settings.js";
import { Statements } from "./statements.js";

/** @param question that of the address; asked at once unless empty. */
export function AskDocuments({ question }: { readonly question: string }) {
  const [answer, setAnswer] = useState<AskResponse>();
  const [error, setError] = useState<string>();
  const [asked, setAsked] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (input.current) input.current.value = question;
    setAnswer(undefined);
    setError(undefined);
    if (question === "") return;
    const abort = new AbortController();
    post<AskResponse>("/api/ask", { question }, abort.signal).then(setAnswer, (thrown) => {
      if (!abort.signal.aborted) setError(messageOf(thrown));
    });
    return () => abort.abort();
  }, [question, asked]);

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    const typed = input.current?.value.trim() ?? "";
    if (typed === question) setAsked(asked + 1);
    else goTo("ask", typed === "" ? {} : { question: typed });
  }
  return (
    <div class="ask-documents">
      <search>
        <form class="row fill" onSubmit={submit}>
          <input
            ref={input}
            type="search"
            aria-label="Question"
            placeholder="A question, or a few words"
            maxLength={2000}
          />
          <button type="submit" class="primary">
            Ask
          </button>
        </form>
      </search>
      {error && <Alert>{error}</Alert>}
      {question === "" ? <Start /> : !error && <Found answer={answer} />}
    </div>
  );
}

function Start() {
  const index = state.value?.index;
  if (!index) {
    return (
      <p>
        Nothing is indexed yet. <a href={linkTo("home")}>Start the job</a>, and come back when the documents are cut.
      </p>
    );
  }
  return (
    <>
      <p>
        The answer is what {plural(index.numDocuments, "document")} say, word for word, each quote with its place. What
        they do not say is not answered.
      </p>
      <Topics topics={index.topics} />
    </>
  );
}

function Found({ answer }: { readonly answer: AskResponse | undefined }) {
  return (
    <>
      <div aria-live="polite" aria-busy={!answer}>
        {!answer ? (
          <p class="quiet">Searching …</p>
        ) : answer.statements.length === 0 ? (
          <div class="sheet nothing">
            <h2>Nothing in the documents supports an answer</h2>
            <p>
              {answer.passages.length > 0
                ? "No sentence holds enough of what is asked. Below is what came nearest; other words may find more."
                : "No passage shares a word or a meaning with the question; other words may find some."}
            </p>
          </div>
        ) : (
          <div class="sheet answer">
            <h2>The documents say</h2>
            <Statements statements={answer.statements} />
            {writers.value.length > 0 && (
              <p>
                <a
                  href={linkTo("ask", { do: "write" })}
                  onClick={() => change({ prompt: answer.question, isGrounded: true })}
                >
                  Let a model answer from these passages
                </a>{" "}
                <span class="quiet">what it quotes is checked</span>
              </p>
            )}
          </div>
        )}
      </div>
      {answer && answer.passages.length > 0 && (
        <section aria-labelledby="considered">
          <h2 id="considered">What was considered, and why</h2>
          <p class="quiet">
            {plural(answer.numChunks, "passage")} searched in {duration(answer.seconds)}; these came first.{" "}
            {answer.passages.some(({ meaning }) => meaning)
              ? "Two searches rank them: one by the words they share with the question (BM25; rare words count more), one by meaning (how near the two texts' vectors are). Both scores are brought to one scale and added, words weighing more."
              : "They are ranked by the words that they share with the question (BM25; rare words count more)."}
          </p>
          <Considered passages={answer.passages} />
        </section>
      )}
    </>
  );
}
