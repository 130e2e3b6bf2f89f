/** @file Curves of one run or several: loss, learning rate, speed, memory. */

import { useMemo, useState } from "preact/hooks";
import type { RunSummary } from "../../../../src/server/studio/wire/index.js";
import { bytes, significant } from "../../format.js";
import { Alert } from "../../parts/alert.js";
import { Chart, type ChartLine } from "../../parts/chart.js";
import { type Line, smoothed } from "../../parts/thin-out.js";
import type { Quantity } from "./curve.js";
import { type Curves, useCurves } from "./use-curves.js";

/** Steps that a smooth line is the mean of, as a share of all. */
const SMOOTH = 1 / 50;

export function RunCharts({ shown }: { readonly shown: readonly RunSummary[] }) {
  const [isSmooth, setSmooth] = useState(true);
  const curves = useCurves(shown.map(({ id }) => id).join(","));
  const names = shown.map(({ name }) => name).join("\n");
  // of a summary only the name is drawn
  const loss = useMemo(() => lossLines(curves, shown, isSmooth), [curves, names, isSmooth]);
  const others = useOthers(curves, shown, names, isSmooth);
  if (curves.error) return <Alert>The curves could not be read: {curves.error}</Alert>;
  return (
    <section aria-labelledby="curves">
      <div class="row between">
        <h2 id="curves">Curves</h2>
        <label class="row">
          <input type="checkbox" checked={isSmooth} onChange={() => setSmooth(!isSmooth)} /> Smooth
        </label>
      </div>
      <div class="charts">
        <div class="wide">
          <Chart title="Loss (nats per token)" lines={loss} format={(value) => value.toFixed(3)} height={280} />
        </div>
        <Chart
          title="Learned tokens per second"
          lines={others.tokensPerSecond}
          format={significant}
          height={170}
          isFromZero
        />
        <Chart title="Memory of the process" lines={others.memoryBytes} format={bytes} height={170} isFromZero />
        <Chart title="Learning rate" lines={others.learningRate} format={rate} height={170} />
      </div>
      <p class="quiet">Drag over a chart to look closer; a double click shows all steps again.</p>
    </section>
  );
}

const rate = (value: number): string => (value === 0 ? "0" : value.toExponential(1));

/** By one run its quantities are told apart, by several the runs. */
function lossLines({ of }: Curves, shown: readonly RunSummary[], isSmooth: boolean): ChartLine[] {
  const isOne = shown.length === 1;
  return shown.flatMap(({ id, name }, i): ChartLine[] => {
    const curve = of.get(id);
    if (!curve) return [];
    const training = curve.line("loss");
    const window = windowOf(training);
    const prefix = isOne ? "" : `${name}, `;
    const colour = i + 1;
    const raw = { name: `${prefix}training`, line: training, colour };
    return [
      ...(isSmooth && window > 1
        ? [
            { ...raw, look: "faint" as const, isUnnamed: true },
            { ...raw, line: smoothed(training, window) },
          ]
        : [raw]),
      { name: `${prefix}held out`, line: curve.line("heldOutLoss"), colour: isOne ? 2 : colour, look: "dots" },
    ];
  });
}

const windowOf = ({ xs }: Line): number => Math.max(1, Math.round(xs.length * SMOOTH));

type Other = Exclude<Quantity, "loss" | "heldOutLoss">;
const otherQuantities: readonly Other[] = ["learningRate", "tokensPerSecond", "memoryBytes"];

function useOthers(
  curves: Curves,
  shown: readonly RunSummary[],
  names: string,
  isSmooth: boolean,
): Record<Other, ChartLine[]> {
  // of a summary only the name is drawn
  return useMemo(() => {
    const lines = (quantity: Other): ChartLine[] =>
      shown.flatMap(({ id, name }, i) => {
        const curve = curves.of.get(id);
        if (!curve) return [];
        const line = curve.line(quantity);
        // the learning rate is what it is; speed jumps with everything else that the machine does
        const isNoisy = quantity === "tokensPerSecond" && isSmooth;
        return [{ name, line: isNoisy ? smoothed(line, windowOf(line)) : line, colour: i + 1 }];
      });
    return Object.fromEntries(otherQuantities.map((quantity) => [quantity, lines(quantity)])) as Record<
      Other,
      ChartLine[]
    >;
  }, [curves, names, isSmooth]);
}
