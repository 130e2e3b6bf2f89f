/** @file A run in a few numbers, planned beside measured, and what can be done with it. */

import { useState } from "preact/hooks";
import type { RunAction, RunDetail, RunPlan, RunSummary } from "../../../../src/server/studio/wire/index.js";
import { messageOf, post } from "../../api.js";
import { bytes, count, duration, integer, significant } from "../../format.js";
import { Alert } from "../../parts/alert.js";
import { goTo } from "../../route.js";
import { Standing } from "./run-list.js";

export function RunFacts({ run, detail }: { readonly run: RunSummary; readonly detail: RunDetail | undefined }) {
  const { progress, error } = run;
  return (
    <section class="sheet run-facts" aria-labelledby="run-name">
      <div class="row between">
        <h2 id="run-name">
          {run.name} <Standing run={run} />
        </h2>
        <RunControls run={run} />
      </div>
      {run.status === "failed" && error && <Alert>{error}</Alert>}
      {progress && progress.steps > 0 && run.status !== "done" && (
        <div class="progress">
          <progress max={1} value={progress.step / progress.steps} aria-label="Steps taken" />
          <span class="quiet">
            step {integer(progress.step)} of {integer(progress.steps)}
            {run.status === "running" &&
              progress.secondsLeft !== undefined &&
              `, ${duration(progress.secondsLeft)} left`}
          </span>
        </div>
      )}
      <dl class="facts">
        {factsOf(run, detail).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function factsOf(run: RunSummary, detail: RunDetail | undefined): (readonly [string, string])[] {
  const { lossBefore, best, predictedBytes } = run;
  const plan = detail?.plan;
  const report = detail?.report;
  const peak = Math.max(report?.peakBytes ?? 0, run.peakBytes ?? 0);
  const perplexity = (loss: number): string => `${loss.toFixed(3)} (perplexity ${significant(Math.exp(loss))})`;
  const speed = report?.tokensPerSecond ?? run.progress?.tokensPerSecond;
  return [
    ["Held-out loss before", lossBefore === undefined ? "not measured yet" : perplexity(lossBefore)],
    [
      run.status === "done" ? "Best, which was kept" : "Best so far",
      best ? `${perplexity(best.loss)} at step ${integer(best.step)}` : "not measured yet",
    ],
    ["From", run.base],
    ["Trains", plan ? `${trainedText(plan)} parameters, by ${run.method}` : run.method],
    ...(plan ? [["Step", `${integer(plan.rowsPerStep)} rows of ${integer(plan.time)} tokens`] as const] : []),
    [
      "Memory",
      [
        ...(predictedBytes === undefined ? [] : [`${bytes(predictedBytes)} planned`]),
        ...(peak > 0 ? [`${bytes(peak)} measured`] : []),
      ].join(", ") || "not planned yet",
    ],
    ...(plan
      ? [
          [
            "Time",
            `${duration(plan.predictedSeconds)} planned${report ? `, ${duration(report.seconds)} measured for ${integer(report.steps)} steps` : ""}`,
          ] as const,
        ]
      : []),
    ...(speed === undefined ? [] : [["Speed", `${integer(speed)} learned tokens/s`] as const]),
    ...(report ? [["Ended", endings[report.reason] ?? report.reason] as const] : []),
  ];
}

const trainedText = ({ numTrainable, numParameters }: RunPlan): string =>
  numTrainable === numParameters ? `all ${count(numParameters)}` : `${count(numTrainable)} of ${count(numParameters)}`;

const endings: Readonly<Record<string, string>> = {
  finished: "after its last step",
  "early stop": "early: held-out loss no longer fell",
  ended: "early: it was ended by hand",
};

interface Control {
  readonly action: RunAction;
  readonly label: string;
  readonly about: string;
  readonly isFirst?: true;
}

const pause: Control = { action: "pause", label: "Pause", about: "Ends after this step with a checkpoint" };
const end: Control = { action: "stop", label: "End for good", about: "Keeps the best so far and writes the model" };
const remove: Control = { action: "remove", label: "Remove", about: "Deletes the run with its files" };
const resume: Control = { action: "resume", label: "Resume", about: "Goes on from the checkpoint", isFirst: true };

const controls: Readonly<Record<RunSummary["status"], readonly Control[]>> = {
  running: [pause, end],
  stopping: [],
  stopped: [resume, end, remove],
  failed: [{ ...resume, label: "Try again" }, remove],
  done: [remove],
};

function RunControls({ run: { id, kind, status, name } }: { readonly run: RunSummary }) {
  const [error, setError] = useState<string>();
  const [isAsking, setAsking] = useState(false);
  const act = async (action: RunAction): Promise<void> => {
    setError(undefined);
    setAsking(false);
    try {
      await post(`/api/runs/${encodeURIComponent(id)}`, { action });
      if (action === "remove") goTo("runs");
    } catch (thrown) {
      setError(messageOf(thrown));
    }
  };
  // the main job's runs are its own to begin and to keep
  const offered = controls[status].filter(
    ({ action }) => kind === "tune" || (action !== "remove" && !(action === "stop" && status === "stopped")),
  );
  return (
    <div class="row">
      {isAsking ? (
        <>
          <span>Delete {name} with its files?</span>
          <button type="button" onClick={() => act("remove")}>
            Delete
          </button>
          <button type="button" onClick={() => setAsking(false)}>
            Keep
          </button>
        </>
      ) : (
        offered.map(({ action, label, about, isFirst }) => (
          <button
            key={action}
            type="button"
            title={about}
            class={isFirst ? "primary" : ""}
            onClick={() => (action === "remove" ? setAsking(true) : act(action))}
          >
            {label}
          </button>
        ))
      )}
      {error && <Alert>{error}</Alert>}
    </div>
  );
}
