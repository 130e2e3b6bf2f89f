/** @file What a model's parameters are for, as one bar with its numbers. */

import type { ModelPart, PartName } from "../../../../src/server/studio/wire/index.js";
import { bytes, count } from "../../format.js";

export const partWords: Readonly<Record<PartName, string>> = {
  embedding: "tokens to vectors",
  attention: "looks at other tokens",
  mlp: "works on each token",
  norm: "keeps sizes even",
  head: "vectors to tokens",
  adapter: "was trained on top",
  other: "everything else",
};

export function PartsBar({
  parts,
  numParameters,
}: {
  readonly parts: readonly ModelPart[];
  readonly numParameters: number;
}) {
  let from = 0;
  return (
    <div class="parts">
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        {parts.map(({ name, numParameters: own }) => {
          const width = (100 * own) / numParameters;
          from += width;
          return <rect key={name} class={`part-${name}`} x={from - width} y={0} width={width} height={6} />;
        })}
      </svg>
      <ul>
        {parts.map(({ name, numParameters: own, bytes: size }) => (
          <li key={name}>
            <span class={`part-swatch part-${name}`} aria-hidden="true" />
            <strong>{name}</strong> <span class="quiet">{partWords[name]}</span>
            <span class="numbers">
              {count(own)} · {bytes(size)} · {((100 * own) / numParameters).toFixed(1)} %
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
