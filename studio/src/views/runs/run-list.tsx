/** @file All runs in a table: which one is looked at, and which others its curves are compared with. */

import type { RunSummary } from "../../../../src/server/studio/wire/index.js";
import { significant } from "../../format.js";
import { goTo, linkTo } from "../../route.js";

/** As many as there are colours to tell apart. */
export const MOST_SHOWN = 6;

export interface RunListProps {
  readonly runs: readonly RunSummary[];
  readonly selected: RunSummary;
  /** Ids of the others that are drawn. */
  readonly compared: readonly string[];
}

export function RunList({ runs, selected, compared }: RunListProps) {
  const isFull = compared.length + 1 >= MOST_SHOWN;
  const toggle = (id: string): void => {
    const others = compared.includes(id) ? compared.filter((other) => other !== id) : [...compared, id];
    goTo("runs", { run: selected.id, with: others.length > 0 ? others.join(",") : undefined });
  };
  return (
    <section class="scroll" aria-label="All runs">
      <table class="runs">
        <thead>
          <tr>
            {runs.length > 1 && <th scope="col">Compare</th>}
            <th scope="col">Run</th>
            <th scope="col">State</th>
            <th scope="col">Method</th>
            <th scope="col">From</th>
            <th scope="col" class="number">
              Held-out loss
            </th>
            <th scope="col">Started</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => {
            const isSelected = run.id === selected.id;
            const isDrawn = isSelected || compared.includes(run.id);
            return (
              <tr key={run.id} class={isSelected ? "selected" : ""}>
                {runs.length > 1 && (
                  <td>
                    <input
                      type="checkbox"
                      aria-label={`Draw ${run.name}`}
                      checked={isDrawn}
                      disabled={isSelected || (isFull && !isDrawn)}
                      onChange={() => toggle(run.id)}
                    />
                  </td>
                )}
                <th scope="row">
                  <a href={linkTo("runs", { run: run.id })} aria-current={isSelected ? "true" : undefined}>
                    {run.name}
                  </a>
                </th>
                <td>
                  <Standing run={run} />
                </td>
                <td>{run.method}</td>
                <td>{run.base}</td>
                <td class="number">{lossText(run)}</td>
                <td>
                  {run.startedAt > 0 &&
                    new Date(run.startedAt).toLocaleString([], { dateStyle: "short", timeStyle: "short" })}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

export const standings: Readonly<Record<RunSummary["status"], string>> = {
  running: "running",
  stopping: "stopping …",
  stopped: "paused",
  done: "done",
  failed: "failed",
};

export function Standing({ run: { status, progress } }: { readonly run: RunSummary }) {
  const share = progress && progress.steps > 0 ? Math.floor((100 * progress.step) / progress.steps) : undefined;
  const isOpen = status === "running" || status === "stopped";
  return (
    <span class={`standing ${status}`}>
      {standings[status]}
      {isOpen && share !== undefined && `, ${share} %`}
    </span>
  );
}

function lossText({ lossBefore, best }: RunSummary): string {
  if (lossBefore === undefined) return "–";
  return best ? `${significant(lossBefore)} → ${significant(best.loss)}` : significant(lossBefore);
}
