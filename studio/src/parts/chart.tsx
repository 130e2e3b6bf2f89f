/** @file Lines over steps, drawn by uPlot: zoomed by dragging, whole again by a double click. */

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "./chart.css";
import { integer } from "../format.js";
import { type Line, thinOut, within } from "./thin-out.js";

export interface ChartLine {
  readonly name: string;
  readonly line: Line;
  /** Which of the six colours of the style, from 1. */
  readonly colour: number;
  /** Noise behind a smooth line; or few values, each of which counts. */
  readonly look?: "faint" | "dots";
  /** Left out of the legend. */
  readonly isUnnamed?: boolean;
}

export interface ChartProps {
  readonly title: string;
  readonly lines: readonly ChartLine[];
  /** How a value is written. */
  format(value: number): string;
  readonly height?: number;
  /** Values begin at zero, so that a small change looks small. Default: where the least one is. */
  readonly isFromZero?: boolean;
}

/** Changes when light turns to dark: colours of a canvas do not follow by themselves. */
const scheme = signal(0);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  scheme.value++;
});

type Range = readonly [from: number, to: number];

export function Chart({ title, lines, format, height = 220, isFromZero = false }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [range, setRange] = useState<Range>();
  const kinds = lines.map(({ name, colour, look }) => `${name} ${colour} ${look}`).join("|");
  const shades = scheme.value;
  // another chart for other lines or colours alone
  useEffect(() => {
    const at = place.current;
    if (!at) return;
    const made = new uPlot(optionsOf({ lines, format, height, isFromZero }, at.clientWidth, setRange), [[]], at);
    plot.current = made;
    const follow = new ResizeObserver(() => made.setSize({ width: at.clientWidth, height }));
    follow.observe(at);
    return () => {
      follow.disconnect();
      made.destroy();
    };
  }, [kinds, shades, height]);
  // a chart that was made anew is drawn anew
  useEffect(() => {
    plot.current?.setData(alignedData(lines, range, place.current?.clientWidth ?? 300));
  }, [lines, range, shades]);
  return (
    <figure class="chart">
      <figcaption>
        {title}
        {range && (
          <button type="button" class="plain" onClick={() => setRange(undefined)}>
            Show all steps
          </button>
        )}
      </figcaption>
      <div ref={place} role="img" aria-label={spoken(title, lines, format)} />
    </figure>
  );
}

/** What a line does, for those who do not see it. */
function spoken(title: string, lines: readonly ChartLine[], format: (value: number) => string): string {
  const parts = lines
    .filter(({ isUnnamed, line }) => !isUnnamed && line.xs.length > 0)
    .map(({ name, line: { xs, ys } }) => {
      const [first, last] = [ys[0], ys.at(-1)];
      return `${name} from ${format(first ?? 0)} at step ${integer(xs[0]!)} to ${format(last ?? 0)} at step ${integer(xs.at(-1)!)}`;
    });
  return `${title}: ${parts.join("; ") || "no points yet"}`;
}

function alignedData(lines: readonly ChartLine[], range: Range | undefined, width: number): uPlot.AlignedData {
  const tables = lines.map(({ line }) => {
    const { xs, ys } = thinOut(range ? within(line, ...range) : line, Math.max(100, width));
    return [xs, ys] satisfies uPlot.AlignedData;
  });
  return tables.length === 0 ? [[]] : uPlot.join(tables);
}

function optionsOf(
  { lines, format, height, isFromZero }: Required<Omit<ChartProps, "title">>,
  width: number,
  onRange: (range: Range | undefined) => void,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: colour("quiet"),
    grid: { stroke: colour("line"), width: 1 },
    ticks: { stroke: colour("line"), width: 1 },
    font: "12px system-ui, sans-serif",
  };
  return {
    width,
    height,
    scales: {
      x: { time: false },
      ...(isFromZero && { y: { range: (_, __, most) => [0, Math.max(1.05 * (most ?? 0), Number.MIN_VALUE)] } }),
    },
    cursor: {
      sync: { key: "steps" },
      drag: { x: true, y: false, setScale: false },
      // by the chart's own range, as points between those that are drawn are to be seen when it is narrow
      bind: {
        dblclick: () => () => {
          onRange(undefined);
          return null;
        },
      },
    },
    hooks: {
      setSelect: [
        (self) => {
          const { left, width: wide } = self.select;
          if (wide > 4) onRange([self.posToVal(left, "x"), self.posToVal(left + wide, "x")]);
          self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
    axes: [
      { ...axis, values: (_, splits) => splits.map((value) => (Number.isInteger(value) ? integer(value) : "")) },
      { ...axis, size: 64, values: (_, splits) => splits.map((value) => (value === null ? "" : format(value))) },
    ],
    series: [
      { label: "Step", value: (_, value) => (value === null ? "–" : integer(value)) },
      ...lines.map(({ name, colour: number, look, isUnnamed }): uPlot.Series => {
        const stroke = colour(`series-${number}`);
        return {
          label: isUnnamed ? "" : name,
          ...(isUnnamed && { class: "unnamed" }),
          stroke,
          alpha: look === "faint" ? 0.3 : 1,
          width: look === "faint" ? 1 : 2,
          ...(look === "dots" && { dash: [5, 4] }),
          points: look === "dots" ? { show: true, size: 7, fill: stroke } : { show: false },
          spanGaps: true,
          value: (_, value) => (value === null || value === undefined ? "–" : format(value)),
        };
      }),
    ],
  };
}
