/** @file The view of all trainings: their curves, what they write and come to, started and steered. */

import { useEffect, useState } from "preact/hooks";
import type { RunDetail, RunSummary } from "../../../../src/server/studio/wire/index.js";
import { get, messageOf } from "../../api.js";
import { runs } from "../../live.js";
import { Alert } from "../../parts/alert.js";
import { linkTo, route } from "../../route.js";
import { NewRun } from "./new-run.js";
import { RunCharts } from "./run-charts.js";
import { RunFacts } from "./run-facts.js";
import { RunList } from "./run-list.js";
import { Downloads, Facts, Samples } from "./run-outcome.js";
import "./runs.css";

export function RunsView() {
  const { query } = route.value;
  if (query.has("new")) return <NewRun query={query} />;
  const all = runs.value;
  const wanted = query.get("run");
  const selected = wanted === null ? all[0] : all.find(({ id }) => id === wanted);
  const compared = (query.get("with") ?? "").split(",").filter((id) => all.some((run) => run.id === id));
  return (
    <div class="runs-view">
      <div class="row between">
        <h1>Runs</h1>
        <a class="button primary" href={linkTo("runs", { new: "" })}>
          New run
        </a>
      </div>
      {all.length === 0 && (
        <p>
          Nothing has been trained here yet. <a href={linkTo("home")}>Start the main job</a>, which trains a model on
          the folder, or start a run of your own on a file of examples.
        </p>
      )}
      {wanted !== null && !selected && (
        <Alert>
          There is no run {JSON.stringify(wanted)} any more; <a href={linkTo("runs")}>look at the latest</a>.
        </Alert>
      )}
      {selected && <RunList runs={all} selected={selected} compared={compared} />}
      {selected && <OneRun key={selected.id} run={selected} others={all.filter(({ id }) => compared.includes(id))} />}
    </div>
  );
}

function OneRun({ run, others }: { readonly run: RunSummary; readonly others: readonly RunSummary[] }) {
  const { detail, error } = useDetail(run);
  return (
    <>
      <RunFacts run={run} detail={detail} />
      {error && <Alert>{error}</Alert>}
      <RunCharts shown={[run, ...others.filter(({ id }) => id !== run.id)]} />
      {detail && (
        <>
          <Samples samples={detail.samples} />
          <Downloads detail={detail} />
          <Facts title="Report" facts={detail.report?.facts ?? []} />
          <Facts title="Settings" facts={detail.settings} />
        </>
      )}
    </>
  );
}

/** Asked for again whenever there is something new to it. */
function useDetail({ id, revision, status }: RunSummary): { detail?: RunDetail; error?: string } {
  const [found, setFound] = useState<{ detail?: RunDetail; error?: string }>({});
  // what is asked for changes with these
  useEffect(() => {
    const abort = new AbortController();
    get<RunDetail>(`/api/runs/${encodeURIComponent(id)}`, abort.signal).then(
      (detail) => setFound({ detail }),
      (thrown) => {
        if (!abort.signal.aborted) setFound((before) => ({ ...before, error: messageOf(thrown) }));
      },
    );
    return () => abort.abort();
  }, [id, revision, status]);
  return found;
}
