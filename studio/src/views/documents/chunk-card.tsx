/** @file One chunk in words: its size, its place, its headings. */

import type { Signal } from "@preact/signals";
import type { CutChunk } from "../../../../src/server/studio/wire/index.js";
import { integer, plural } from "../../format.js";

export function chunkWords({ numTokens, page, headingPath }: CutChunk, index: number, count: number): string {
  const parts = [`Chunk ${index + 1} of ${count}`, `${numTokens} tokens`];
  if (page !== undefined) parts.push(`page ${page}`);
  return [...parts, ...headingPath].join(", ");
}

export interface ChunkCardProps {
  readonly chunks: readonly CutChunk[];
  readonly maxTokens: number;
  readonly current: Signal<number | undefined>;
}

/** The chunk that is pointed at. */
export function ChunkCard({ chunks, maxTokens, current }: ChunkCardProps) {
  const index = current.value;
  const chunk = index === undefined ? undefined : chunks[index];
  if (index === undefined || !chunk) return null;
  const { start, end, numTokens, headingPath, page, parent } = chunk;
  const repeated = Math.max(0, (chunks[index - 1]?.end ?? 0) - start);
  return (
    <section class="sheet chunk-card" aria-label="Chunk">
      <h2>
        Chunk {integer(index + 1)} <span class="quiet">of {integer(chunks.length)}</span>
      </h2>
      <p class="headings">{headingPath.length > 0 ? headingPath.join(" › ") : "no heading above it"}</p>
      <dl>
        <Fact name="Tokens">{`${integer(numTokens)} of at most ${integer(maxTokens)}`}</Fact>
        {page !== undefined && <Fact name="Page">{integer(page)}</Fact>}
        <Fact name="Characters" isMinor>{`${integer(start)} to ${integer(end)}`}</Fact>
        {repeated > 0 && <Fact name="Repeats">{`${plural(repeated, "character")} of the one before`}</Fact>}
        {parent && (
          <Fact name="Read with">{`what stands around it, ${integer(parent.start)} to ${integer(parent.end)}`}</Fact>
        )}
      </dl>
    </section>
  );
}

/** @param isMinor left out where there is little room. */
const Fact = ({ name, children, isMinor }: { name: string; children: string; isMinor?: boolean }) => (
  <div class={isMinor ? "minor" : ""}>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);
