/** @file The first view: what was done with the folder, step by step, and what to do with it now. */

import { useState } from "preact/hooks";
import { type JobStage, jobStages, type MainJob, type StudioState } from "../../../../src/server/studio/wire/index.js";
import { messageOf, post } from "../../api.js";
import { bytes, count, duration, integer, plural, significant } from "../../format.js";
import { state } from "../../live.js";
import { Alert } from "../../parts/alert.js";
import { Topics } from "../../parts/topics.js";
import { goTo, linkTo } from "../../route.js";

export function HomeView() {
  const shown = state.value;
  if (!shown) return null;
  return (
    <div class="home">
      <h1>What Tessera does with {shown.folder}</h1>
      <p class="quiet">
        Your documents become an index that can be asked and a small language model that has learned from them. All of
        it happens on this machine; this page talks to no other.
      </p>
      <ol class="steps">
        {jobStages.map((stage) => (
          <Step key={stage} stage={stage} shown={shown} />
        ))}
      </ol>
      <JobControls job={shown.job} />
      {shown.index && <AskHere topics={shown.index.topics} />}
    </div>
  );
}

const titles: Readonly<Record<JobStage, string>> = {
  read: "Read",
  index: "Cut and index",
  plan: "Plan",
  train: "Train",
  ready: "Ready",
};

/** Where a step is shown at length. */
const more: Readonly<Record<JobStage, { readonly view: string; readonly title: string }>> = {
  read: { view: "documents", title: "See the documents" },
  index: { view: "documents", title: "See the chunks" },
  plan: { view: "plan", title: "See what takes memory and time" },
  train: { view: "runs", title: "See the curves" },
  ready: { view: "ask", title: "Ask, and let the model write" },
};

function Step({ stage, shown }: { readonly stage: JobStage; readonly shown: StudioState }) {
  const { job } = shown;
  const at = jobStages.indexOf(job.stage);
  const place = jobStages.indexOf(stage);
  const isOver = job.status === "done" || place < at;
  const isNow = place === at && (job.status === "running" || job.status === "stopping");
  const standing = isOver ? "done" : isNow ? "now" : place === at ? job.status : "waiting";
  return (
    <li class={`step ${standing}`} aria-current={isNow ? "step" : undefined}>
      <h2>
        <span class="mark" aria-hidden="true" />
        <a href={linkTo(more[stage].view)} title={more[stage].title}>
          {titles[stage]}
        </a>
      </h2>
      <StepText stage={stage} shown={shown} isWaiting={standing === "waiting"} />
    </li>
  );
}

function StepText({ stage, shown, isWaiting }: { stage: JobStage; shown: StudioState; isWaiting: boolean }) {
  const { index, job } = shown;
  if (stage === "read") {
    if (!index) return <p>Every file that holds text becomes a document; the others are named, with the reason.</p>;
    return (
      <p>
        <strong>{plural(index.numDocuments, "document")}</strong>
        {index.skipped.length > 0 && `, ${integer(index.skipped.length)} left out`}
      </p>
    );
  }
  if (stage === "index") {
    if (!index || (isWaiting && job.status === "running"))
      return <p>Documents are cut into chunks that can be searched by words and by meaning.</p>;
    return (
      <p>
        <strong>{plural(index.numChunks, "chunk")}</strong>, searched by words
        {index.embedder === "none" ? "" : " and by meaning"}
      </p>
    );
  }
  if (stage === "plan") {
    if (!job.plan) return <p>A model, its steps and its memory are chosen to fit this machine.</p>;
    const { numParameters, memory, predictedSeconds, steps } = job.plan;
    return (
      <p>
        <strong>{count(numParameters)} parameters</strong>, {plural(steps, "step")}, {bytes(memory.total)} of memory,{" "}
        {duration(predictedSeconds)}
      </p>
    );
  }
  if (stage === "train") return <TrainText job={job} />;
  if (!job.result) return <p>Ask the documents, and let the tuned model write.</p>;
  return (
    <p>
      Ask the documents, or let <strong>{nameOf(job.plan?.origin ?? "the model")}</strong> write, in{" "}
      {job.result.weights}
    </p>
  );
}

/** What a model is called, of the path that it came from. */
const nameOf = (origin: string): string => origin.split("/").at(-1) ?? origin;

function TrainText({ job: { progress, result, stage } }: { readonly job: MainJob }) {
  if (result) {
    return (
      <p>
        Perplexity on held-out text <strong>{significant(result.perplexityBefore)}</strong> →{" "}
        <strong>{significant(result.perplexityAfter)}</strong>
        {result.isCached ? ", from an earlier run" : ` in ${duration(result.seconds)}`}
        <span class="quiet aside">Between so many tokens it hesitates for the next one; less is better.</span>
      </p>
    );
  }
  if (!progress || stage !== "train")
    return <p>A language model learns from the documents, some of them held out to test it.</p>;
  const { step, steps, loss, heldOutLoss, secondsLeft } = progress;
  return (
    <p>
      Step {integer(step)} of {integer(steps)}
      {loss !== undefined && `, loss ${loss.toFixed(3)}`}
      {heldOutLoss !== undefined && `, held out ${heldOutLoss.toFixed(3)}`}
      {secondsLeft !== undefined && `, ${duration(secondsLeft)} left`}
    </p>
  );
}

function JobControls({ job }: { readonly job: MainJob }) {
  const [error, setError] = useState<string>();
  async function act(action: "start" | "stop"): Promise<void> {
    setError(undefined);
    await post("/api/job", { action }).catch((thrown) => setError(messageOf(thrown)));
  }
  const starts = { idle: "Index and train", stopped: "Go on", failed: "Try again", done: "Look for changes" };
  const isGoing = job.status === "running" || job.status === "stopping";
  return (
    <div class="row">
      {isGoing ? (
        <button type="button" disabled={job.status === "stopping"} onClick={() => act("stop")}>
          {job.status === "stopping" ? "Stopping …" : "Pause"}
        </button>
      ) : (
        <button type="button" class={job.status === "done" ? "" : "primary"} onClick={() => act("start")}>
          {starts[job.status as keyof typeof starts]}
        </button>
      )}
      {job.status === "stopped" && (
        <span class="quiet">Stopped with a checkpoint; nothing that was trained is lost.</span>
      )}
      {job.error && <Alert>{job.error}</Alert>}
      {error && <Alert>{error}</Alert>}
    </div>
  );
}

function AskHere({ topics }: { readonly topics: readonly string[] }) {
  function submit(event: SubmitEvent): void {
    event.preventDefault();
    const question = `${new FormData(event.currentTarget as HTMLFormElement).get("question")}`.trim();
    if (question !== "") goTo("ask", { question });
  }
  return (
    <section class="ask-here" aria-labelledby="ask-here">
      <h2 id="ask-here">Ask the documents</h2>
      <search>
        <form onSubmit={submit}>
          <div class="row fill">
            <input
              name="question"
              type="search"
              aria-labelledby="ask-here"
              placeholder="A question, or a few words"
              maxLength={2000}
            />
            <button type="submit" class="primary">
              Ask
            </button>
          </div>
        </form>
      </search>
      <Topics topics={topics} />
    </section>
  );
}
