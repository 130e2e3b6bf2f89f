/** @file Numbers from 0 to a largest one as a picture: the larger, the more of the ink. */

import { useEffect, useRef } from "preact/hooks";

export interface HeatMapProps {
  /** Absent where what is around the picture says it. */
  readonly label?: string;
  readonly rows: number;
  readonly columns: number;
  /** Row by row. */
  readonly values: readonly number[];
  /** What is drawn in full ink. */
  readonly largest: number;
  /** Hears of the cell that is pointed at; of none when the pointer leaves. */
  readonly onPoint?: (cell: { readonly row: number; readonly column: number } | undefined) => void;
}

/** A canvas of one pixel a cell, which the browser enlarges without smoothing. */
export function HeatMap({ label, rows, columns, values, largest, onPoint }: HeatMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const target = canvas.current;
    const context = target?.getContext("2d");
    if (!target || !context) return;
    const draw = (): void => {
      const [red, green, blue] = inkOf(target);
      const image = context.createImageData(columns, rows);
      for (const [i, value] of values.entries()) {
        const share = largest > 0 ? Math.min(1, value / largest) : 0;
        image.data.set([red, green, blue, Math.round(255 * share)], 4 * i);
      }
      context.putImageData(image, 0, 0);
    };
    draw();
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    return () => scheme.removeEventListener("change", draw);
  }, [rows, columns, values, largest]);
  function point(event: PointerEvent): void {
    const { width, height } = canvas.current!.getBoundingClientRect();
    const row = Math.min(rows - 1, Math.max(0, Math.floor((event.offsetY / height) * rows)));
    const column = Math.min(columns - 1, Math.max(0, Math.floor((event.offsetX / width) * columns)));
    onPoint?.({ row, column });
  }
  return (
    <canvas
      class="heat"
      ref={canvas}
      {...(label === undefined ? { "aria-hidden": true } : { role: "img", "aria-label": label })}
      width={columns}
      height={rows}
      onPointerMove={onPoint && point}
      onPointerLeave={onPoint && (() => onPoint(undefined))}
    />
  );
}

/** The colour of the element's text, as the page's theme has it. */
function inkOf(element: Element): readonly [number, number, number] {
  const [red = 0, green = 0, blue = 0] = (getComputedStyle(element).color.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}
