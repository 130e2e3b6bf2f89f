/** @file What earlier plans said, beside what was measured. */

import type { RunSummary } from "../../../../src/server/studio/wire/index.js";
import { bytes, duration } from "../../format.js";
import { linkTo } from "../../route.js";

export function Measured({ runs }: { readonly runs: readonly RunSummary[] }) {
  const known = runs.filter(({ predictedBytes, peakBytes }) => predictedBytes !== undefined && peakBytes !== undefined);
  if (known.length === 0) return null;
  return (
    <section aria-labelledby="measured">
      <h2 id="measured">Planned and measured</h2>
      <p class="quiet">Runs of this folder. Other work on the machine makes steps slower than planned.</p>
      <div class="scroll">
        <table class="plans">
          <thead>
            <tr>
              <th scope="col">Run</th>
              <th scope="col" class="number">
                Memory planned
              </th>
              <th scope="col" class="number">
                measured
              </th>
              <th scope="col" class="number">
                Step planned
              </th>
              <th scope="col" class="number">
                measured
              </th>
            </tr>
          </thead>
          <tbody>
            {known.map(({ id, name, predictedBytes, peakBytes, plannedSecondsPerStep, secondsPerStep }) => (
              <tr key={id}>
                <th scope="row">
                  <a href={linkTo("runs", { run: id })}>{name}</a>
                </th>
                <td class="number">{bytes(predictedBytes!)}</td>
                <td class="number">{bytes(peakBytes!)}</td>
                <td class="number">{plannedSecondsPerStep === undefined ? "–" : duration(plannedSecondsPerStep)}</td>
                <td class="number">{secondsPerStep === undefined ? "–" : duration(secondsPerStep)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
