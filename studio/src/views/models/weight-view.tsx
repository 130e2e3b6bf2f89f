/** @file One matrix of weights: where they are large, and how they are spread. */

import { useState } from "preact/hooks";
import type { WeightPicture } from "../../../../src/server/studio/wire/index.js";
import { Alert } from "../../parts/alert.js";
import { useAnswer } from "../../parts/use-answer.js";
import { HeatMap } from "./heat-map.js";

export function WeightView({ id, name }: { readonly id: string; readonly name: string }) {
  const [picture, error] = useAnswer<WeightPicture>(`/api/model/weights?${new URLSearchParams({ id, name })}`, name);
  return (
    <section class="sheet weights" aria-labelledby="weights">
      <h2 id="weights">Weights</h2>
      <p class="tensor-name">{name}</p>
      {error && <Alert>{error}</Alert>}
      {picture ? <Picture key={picture.name} picture={picture} /> : !error && <p class="quiet">Reading …</p>}
    </section>
  );
}

const small = (value: number): string => (value === 0 ? "0" : value.toPrecision(3));

function Picture({ picture }: { readonly picture: WeightPicture }) {
  const { name, shape, rows, columns, cells, mean, std, largest, histogram } = picture;
  const [cell, setCell] = useState<{ readonly row: number; readonly column: number }>();
  const [height, width] = [shape.slice(0, -1).reduce((a, b) => a * b, 1), shape.at(-1) ?? 1];
  const darkest = cells.reduce((a, b) => Math.max(a, b), 0);
  const range = (index: number, of: number, size: number): string => {
    const [from, to] = [Math.ceil((index * size) / of), Math.ceil(((index + 1) * size) / of) - 1];
    return from === to ? `${from}` : `${from}–${to}`;
  };
  return (
    <>
      <HeatMap
        label={`Mean size of the weights of ${name}, ${rows} by ${columns} cells`}
        {...{ rows, columns, largest: darkest }}
        values={cells}
        onPoint={setCell}
      />
      <p class="scale" aria-hidden="true">
        <span>0</span>
        <span class="ramp" />
        <span>{small(darkest)}</span>
      </p>
      <p class="quiet" aria-live="polite">
        {cell
          ? `Rows ${range(cell.row, rows, height)}, columns ${range(cell.column, columns, width)}: mean size ${small(cells[cell.row * columns + cell.column]!)}`
          : `${shape.join(" × ")} weights; each cell is the mean size |w| of ${Math.round((height * width) / (rows * columns))}. Point at one for its number.`}
      </p>
      <Histogram counts={histogram} largest={largest} />
      <p>
        mean {small(mean)}, standard deviation {small(std)}, largest size {small(largest)}
      </p>
    </>
  );
}

function Histogram({ counts, largest }: { readonly counts: readonly number[]; readonly largest: number }) {
  const highest = Math.max(...counts);
  const step = 100 / counts.length;
  return (
    <figure class="histogram">
      <svg viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label="How many weights have which value">
        {counts.map((count, i) => {
          const height = (23.5 * count) / highest;
          return <rect key={i} x={i * step} y={24 - height} width={step - 0.2} height={height} />;
        })}
      </svg>
      <figcaption class="quiet">
        <span>{small(-largest)}</span>
        <span>value of a weight</span>
        <span>{small(largest)}</span>
      </figcaption>
    </figure>
  );
}
