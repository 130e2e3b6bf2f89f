/** @file Methods and lengths side by side, filled in as the server answers. */

import { useEffect, useState } from "preact/hooks";
import type { PlanAnswer, PlanRequest } from "../../../../src/server/studio/wire/index.js";
import { messageOf, post } from "../../api.js";
import { bytes, duration, integer } from "../../format.js";
import { Alert } from "../../parts/alert.js";

const methods = ["full", "lora", "lora-fa", "qlora"];

/** The longest rows, each of which takes the server a moment. */
const COLUMNS = 4;

/** Settings that are waited for before the whole table is asked for anew. */
const PAUSE_MS = 400;

export interface PlanTableProps {
  readonly request: PlanRequest;
  readonly maxPositions: number;
  onChoose(set: Pick<PlanRequest, "method" | "length">): void;
}

export function PlanTable({ request, maxPositions, onChoose }: PlanTableProps) {
  const shown = [32, 64, 128, 256, 512, 1024, 2048, 4096, 8192]
    .filter((length) => length <= maxPositions)
    .slice(-COLUMNS);
  const { cells, error } = useCells(request, shown);
  return (
    <section aria-labelledby="side-by-side">
      <h2 id="side-by-side">Methods side by side</h2>
      <p class="quiet">
        Peak memory and time per step, with the other settings as above; choose a cell to look at it closer. Each is the
        fastest way that fits the budget; “and files”: only with what a step is not using kept on the disk.
      </p>
      {error && <Alert>{error}</Alert>}
      <div class="scroll">
        <table class="plans">
          <thead>
            <tr>
              <th scope="col">Method</th>
              {shown.map((length) => (
                <th scope="col" key={length} class="number">
                  {integer(length)} tokens
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {methods.map((method) => (
              <tr key={method}>
                <th scope="row">{method}</th>
                {shown.map((length) => (
                  <td key={length} class="number">
                    <Cell
                      answer={cells.get(`${method} ${length}`)}
                      label={`${method}, ${integer(length)} tokens`}
                      onChoose={() => onChoose({ method, length })}
                    />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface CellProps {
  readonly answer: PlanAnswer | undefined;
  readonly label: string;
  onChoose(): void;
}

function Cell({ answer, label, onChoose }: CellProps) {
  if (!answer) return <span class="quiet">…</span>;
  if (answer.fits) {
    return (
      <button type="button" class="plain" title={`Look at ${label}`} onClick={onChoose}>
        {bytes(answer.memory.total)}
        {answer.shape.isPaging && " and files"}, {duration(answer.secondsPerStep)}
      </button>
    );
  }
  const why = answer.neededBytes === undefined ? answer.reason : `needs ${bytes(answer.neededBytes)}`;
  return <span class="misfit">{why}</span>;
}

function useCells(
  request: PlanRequest,
  lengths: readonly number[],
): { readonly cells: ReadonlyMap<string, PlanAnswer>; readonly error?: string } {
  const [found, setFound] = useState<{ cells: ReadonlyMap<string, PlanAnswer>; error?: string }>({ cells: new Map() });
  const { method: _, length: __, ...others } = request;
  const key = JSON.stringify([others, lengths]);
  // what is asked for is what the key says
  useEffect(() => {
    const abort = new AbortController();
    const fill = async (): Promise<void> => {
      const cells = new Map<string, PlanAnswer>();
      for (const method of methods) {
        for (const length of lengths) {
          cells.set(
            `${method} ${length}`,
            await post<PlanAnswer>("/api/plan", { ...others, method, length }, abort.signal),
          );
          setFound({ cells: new Map(cells) });
        }
      }
    };
    const timer = setTimeout(() => {
      fill().catch((thrown) => {
        if (!abort.signal.aborted) setFound((before) => ({ ...before, error: messageOf(thrown) }));
      });
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key]);
  return found;
}
