/** @file The view that plans: memory and time of a training before it begins, as its settings move. */

import { useEffect, useState } from "preact/hooks";
import type { PlanAnswer, PlanChange, PlanRequest, RunChoices } from "../../../../src/server/studio/wire/index.js";
import { get, messageOf } from "../../api.js";
import { bytes, count, duration, integer, plural } from "../../format.js";
import { runs } from "../../live.js";
import { Alert } from "../../parts/alert.js";
import { linkTo } from "../../route.js";
import { Measured } from "./measured.js";
import { MemoryBar } from "./memory-bar.js";
import { PlanSettings } from "./plan-settings.js";
import { PlanTable } from "./plan-table.js";
import { usePlan } from "./use-plan.js";
import "./plan.css";

export function PlanView() {
  const [choices, setChoices] = useState<RunChoices>();
  const [error, setError] = useState<string>();
  // a run that is done is one more model to start from
  const numDone = runs.value.filter(({ status }) => status === "done").length;
  useEffect(() => {
    get<RunChoices>("/api/choices").then(setChoices, (thrown) => setError(messageOf(thrown)));
  }, [numDone]);
  return (
    <div class="plan-view">
      <h1>Plan a training</h1>
      <p>
        What a training takes follows from the model's sizes; nothing is run. Move the settings and see whether it fits.
      </p>
      {error && <Alert>{error}</Alert>}
      {choices && <Planner choices={choices} />}
      <Measured runs={runs.value} />
    </div>
  );
}

const gigabyte = 2 ** 30;

function Planner({ choices }: { readonly choices: RunChoices }) {
  const [request, setRequest] = useState<PlanRequest>(() => ({
    base: choices.bases[0]?.path ?? "",
    method: "lora",
    algorithm: "backprop",
    precision: "float32",
    length: 512,
    batchSize: 8,
    memoryBytes: Math.min(4, Math.floor(choices.machineBytes / gigabyte / 2)) * gigabyte,
  }));
  const set = (changes: Partial<PlanRequest>): void => setRequest((before) => ({ ...before, ...changes }));
  const planned = usePlan(request.base === "" ? undefined : request);
  const { answer, changes, error } = planned;
  const most = answer?.maxPositions;
  // a model of fewer positions than the last one had
  useEffect(() => {
    if (most !== undefined && request.length > most) set({ length: most });
  }, [most]);
  return (
    <>
      <div class="planner">
        <PlanSettings request={request} choices={choices} maxPositions={most ?? 2048} onChange={set} />
        <section class="sheet outcome" aria-labelledby="outcome" aria-live="polite">
          <h2 id="outcome">{titleOf(answer)}</h2>
          {error && <Alert>{error}</Alert>}
          {request.base === "" && <p>Choose a model on the left, or give the path of one.</p>}
          {answer && !error && <Outcome request={request} answer={answer} changes={changes} onChange={set} />}
        </section>
      </div>
      {answer && <PlanTable request={request} maxPositions={answer.maxPositions} onChoose={set} />}
    </>
  );
}

const titleOf = (answer: PlanAnswer | undefined): string =>
  answer === undefined
    ? "The plan"
    : answer.fits
      ? "It fits"
      : answer.reason === undefined
        ? "It does not fit"
        : "It cannot be done";

interface OutcomeProps {
  readonly request: PlanRequest;
  readonly answer: PlanAnswer;
  readonly changes: readonly PlanChange[] | undefined;
  onChange(changes: Partial<PlanRequest>): void;
}

function Outcome({ request, answer, changes, onChange }: OutcomeProps) {
  if (!answer.fits) {
    const { reason, neededBytes } = answer;
    if (reason !== undefined) return <Alert>{reason}</Alert>;
    return (
      <>
        <p>
          It needs at least <strong>{neededBytes === undefined ? "more" : bytes(neededBytes)}</strong>
          {request.memoryBytes !== undefined && `, and may take ${bytes(request.memoryBytes)}`}. Any one of these would
          do:
        </p>
        {changes === undefined ? (
          <p class="quiet">Looking for changes …</p>
        ) : (
          <ul class="changes">
            {changes.map((change) => (
              <li key={changeText(change)}>
                <button type="button" onClick={() => onChange(change.set)}>
                  {changeText(change)}
                </button>
                <span class="quiet">then it takes {bytes(change.totalBytes)}</span>
              </li>
            ))}
          </ul>
        )}
      </>
    );
  }
  const { memory, secondsPerStep, tokensPerSecond, shape, numParameters, flopsPerSecond } = answer;
  const { rowsAtOnce, microBatches, save, attentionTile, lossTile, isPaging } = shape;
  const { base, method, algorithm, optimizer, precision, length, batchSize, memoryBytes } = request;
  return (
    <>
      <MemoryBar memory={memory} budget={memoryBytes} />
      {isPaging && (
        <p class="caution">
          It fits only with files: what a step is not using is kept on the disk, and reading it back takes time that is
          not predicted here. More memory or shorter rows may do without.
        </p>
      )}
      <dl class="facts">
        <div>
          <dt>Time per step</dt>
          <dd>{duration(secondsPerStep)}</dd>
        </div>
        <div>
          <dt>Speed</dt>
          <dd>{integer(tokensPerSecond)} tokens/s</dd>
        </div>
        <div>
          <dt>A step</dt>
          <dd>
            {plural(microBatches, "micro-batch").replace("batchs", "batches")} of {plural(rowsAtOnce, "row")}
          </dd>
        </div>
        <div>
          <dt>Kept for the backward pass</dt>
          <dd>{algorithm === "mezo" ? "nothing: there is none" : kept[save]}</dd>
        </div>
        <div>
          <dt>Tiles</dt>
          <dd>
            attention {integer(attentionTile)} queries, logits {integer(lossTile[0])} × {integer(lossTile[1])}
          </dd>
        </div>
        <div>
          <dt>Model</dt>
          <dd>
            {count(numParameters)} parameters, at {integer(flopsPerSecond / 1e9)} GFLOP/s of this machine
          </dd>
        </div>
      </dl>
      <a
        class="button primary"
        href={linkTo("runs", {
          ...{ new: "", base, method, algorithm, optimizer, precision, length, batchSize },
          memory: memoryBytes === undefined ? undefined : memoryBytes / gigabyte,
        })}
      >
        Start a run with these settings
      </a>
    </>
  );
}

const kept = {
  all: "everything, nothing is computed twice",
  selective: "the least from which the backward pass can start",
  inputs: "inputs of layers; the rest is computed again",
} as const;

function changeText({ set }: PlanChange): string {
  const { length, method, algorithm, precision, memoryBytes } = set;
  if (length !== undefined) return `Rows of ${integer(length)} tokens`;
  if (method !== undefined) return `Method ${method}`;
  if (algorithm !== undefined) return `Algorithm ${algorithm}`;
  if (precision !== undefined) return `Keep values in ${precision}`;
  return `Allow ${bytes(memoryBytes ?? 0)}`;
}
