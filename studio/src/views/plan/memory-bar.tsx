/** @file The memory that a plan takes, in its parts, against the budget. */

import { useEffect, useRef } from "preact/hooks";
import type { MemoryParts } from "../../../../src/server/studio/wire/index.js";
import { bytes } from "../../format.js";

interface Part {
  readonly name: string;
  readonly about: string;
  of(memory: MemoryParts): number;
}

/** In the order of the bar. */
const parts: readonly Part[] = [
  { name: "Weights", about: "of the model", of: ({ weights }) => weights },
  { name: "Gradients", about: "of what is trained", of: ({ gradients }) => gradients },
  { name: "Optimizer", about: "its states", of: ({ optimizer }) => optimizer },
  {
    name: "Activations",
    about: "hidden states, and what is kept for the backward pass",
    of: ({ activations, residuals }) => activations + residuals,
  },
  { name: "Workspace", about: "inside programs: logits, attention", of: ({ workspace }) => workspace },
  { name: "Runtime", about: "Node.js and compiled programs", of: ({ runtime }) => runtime },
];

export interface MemoryBarProps {
  readonly memory: MemoryParts;
  readonly budget: number | undefined;
}

export function MemoryBar({ memory, budget }: MemoryBarProps) {
  const scale = Math.max(memory.total, budget ?? 0);
  const spoken = parts.map((part) => `${part.name} ${bytes(part.of(memory))}`).join(", ");
  return (
    <figure class="memory">
      <div class="bar" role="img" aria-label={`Memory at its peak: ${bytes(memory.total)}. ${spoken}`}>
        {parts.map((part, i) => (
          <Share key={part.name} share={part.of(memory) / scale} colour={i + 1} />
        ))}
        {budget !== undefined && <Mark at={budget / scale} />}
      </div>
      <p class="total">
        <strong>{bytes(memory.total)}</strong> at its peak
        {budget !== undefined && `, of ${bytes(budget)} that it may take`}
      </p>
      <dl class="legend">
        {parts.map((part, i) => (
          <div key={part.name}>
            <dt>
              <span class={`swatch colour-${i + 1}`} aria-hidden="true" />
              {part.name}
            </dt>
            <dd>
              {bytes(part.of(memory))} <span class="quiet">{part.about}</span>
            </dd>
          </div>
        ))}
      </dl>
    </figure>
  );
}

/** Widths are properties of the element: the page's policy allows no style in its text. */
function Share({ share, colour }: { readonly share: number; readonly colour: number }) {
  const element = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    element.current?.style.setProperty("width", `${100 * share}%`);
  }, [share]);
  return <span ref={element} class={`colour-${colour}`} />;
}

function Mark({ at }: { readonly at: number }) {
  const element = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    element.current?.style.setProperty("left", `${100 * at}%`);
  }, [at]);
  return <span ref={element} class="budget" />;
}
