/** @file How the document is cut: changed by hand, seen at once, and then used for the whole index. */

import { useState } from "preact/hooks";
import type {
  ChunkerFacts,
  CutChunk,
  CutSettings,
  IndexCutting,
  Indexing,
} from "../../../../src/server/studio/wire/index.js";
import { messageOf, post } from "../../api.js";
import { integer, plural } from "../../format.js";
import { Alert } from "../../parts/alert.js";
import { Field } from "../../parts/field.js";
import { type CutSummary, summaryOf } from "./blocks.js";
import { chunkerWords } from "./chunker-words.js";

export interface CutPanelProps {
  /** Of the index. */
  readonly cutting: IndexCutting;
  readonly indexing: Indexing | undefined;
  readonly settings: CutSettings;
  readonly onChange: (settings: CutSettings) => void;
  readonly chunkers: readonly ChunkerFacts[];
  readonly chunks: readonly CutChunk[] | undefined;
  /** Why these settings do not cut. */
  readonly error: string | undefined;
}

export const isSameCut = (a: CutSettings, b: CutSettings): boolean =>
  a.chunker === b.chunker && a.maxTokens === b.maxTokens && a.overlapTokens === b.overlapTokens;

const BY_KIND = "";

export function CutPanel(props: CutPanelProps) {
  const { cutting, settings, onChange, chunkers, chunks, error } = props;
  const { chunker, maxTokens, overlapTokens } = settings;
  const summary = chunks && summaryOf(chunks, maxTokens);
  function choose(name: string): void {
    onChange({ maxTokens, overlapTokens, ...(name !== BY_KIND && { chunker: name }) });
  }
  return (
    <div class="cut-panel">
      <div class="field">
        <label for="chunker">Cut</label>
        <select
          id="chunker"
          value={chunker ?? BY_KIND}
          aria-describedby="chunker-words"
          onChange={(event) => choose(event.currentTarget.value)}
        >
          <option value={BY_KIND}>by kind of document</option>
          {chunkers.map(({ name, isOffered }) => (
            <option key={name} value={name} disabled={!isOffered}>
              {name}
              {isOffered ? "" : " (needs an index with vectors)"}
            </option>
          ))}
        </select>
        <p class="quiet" id="chunker-words">
          {chunkerWords(chunker)}
        </p>
      </div>
      <Tokens
        id="max-tokens"
        label="Tokens of a chunk, at most"
        value={maxTokens}
        range={[16, 1024]}
        least={1}
        onChange={(value) =>
          onChange({ ...settings, maxTokens: value, overlapTokens: Math.min(overlapTokens, value - 1) })
        }
      />
      <Tokens
        id="overlap-tokens"
        label="Tokens repeated from the chunk before"
        value={overlapTokens}
        range={[0, Math.max(1, maxTokens >> 1)]}
        least={0}
        onChange={(value) => onChange({ ...settings, overlapTokens: value })}
      />
      {error && (
        <Alert>
          {overlapTokens < maxTokens
            ? error
            : `A chunk has at most ${maxTokens} tokens; let it repeat fewer than that.`}
        </Alert>
      )}
      {summary && <Summary summary={summary} maxTokens={maxTokens} />}
      <ForIndex key={JSON.stringify(cutting)} {...props} />
    </div>
  );
}

interface TokensProps {
  readonly id: string;
  readonly label: string;
  readonly value: number;
  /** Of the slider; the number may be outside. */
  readonly range: readonly [least: number, most: number];
  readonly least: number;
  readonly onChange: (value: number) => void;
}

function Tokens({ id, label, value, range, least, onChange }: TokensProps) {
  const read = (text: string): void => {
    const number = Number(text);
    if (text !== "" && Number.isInteger(number) && number >= least) onChange(number);
  };
  return (
    <Field id={id} label={label}>
      <div class="row fill tokens">
        <input
          type="range"
          min={range[0]}
          max={range[1]}
          value={value}
          aria-label={`${label}, as a slider`}
          onInput={(event) => read(event.currentTarget.value)}
        />
        <input
          id={id}
          type="number"
          min={least}
          step={1}
          value={value}
          onInput={(event) => read(event.currentTarget.value)}
        />
      </div>
    </Field>
  );
}

function Summary({ summary, maxTokens }: { readonly summary: CutSummary; readonly maxTokens: number }) {
  const { numChunks, least, median, most, repeated, bars } = summary;
  const highest = Math.max(...bars);
  const step = 100 / bars.length;
  return (
    <section class="summary" aria-label="What this comes to" aria-live="polite">
      <p>
        <strong>{plural(numChunks, "chunk")}</strong> of {integer(least)} to {integer(most)} tokens, half of them above{" "}
        {integer(median)}
        {repeated > 0 && `; ${(100 * repeated).toFixed(repeated < 0.1 ? 1 : 0)} % of the text is repeated`}
      </p>
      <svg viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label={`Chunks by size, up to ${maxTokens}`}>
        {bars.map((count, i) => {
          const height = (23 * count) / highest;
          return <rect key={i} x={i * step + 0.4} y={24 - height} width={step - 0.8} height={height} />;
        })}
      </svg>
      <p class="axis quiet" aria-hidden="true">
        <span>0</span>
        <span>{integer(maxTokens)} tokens</span>
      </p>
    </section>
  );
}

/** From this document to all. */
function ForIndex({ cutting, indexing, settings, onChange, error }: CutPanelProps) {
  const [code, setCode] = useState(cutting.code);
  const [failure, setFailure] = useState<string>();
  const isSame = isSameCut(cutting, settings);
  const isRunning = indexing?.status === "running";
  const { chunker, maxTokens, overlapTokens } = cutting;
  async function use(): Promise<void> {
    setFailure(undefined);
    await post("/api/index", { ...settings, code }).catch((thrown) => setFailure(messageOf(thrown)));
  }
  return (
    <section class="for-index" aria-label="For the whole index">
      <p class="quiet">
        {isSame
          ? "The index is cut this way."
          : `Tried on this document only. The index is cut ${
              chunker ? `by ${chunker}` : "by kind of document"
            }, ${maxTokens} tokens, ${overlapTokens} repeated.`}
      </p>
      <label class="row">
        <input type="checkbox" checked={code} onChange={(event) => setCode(event.currentTarget.checked)} />
        Index source code too
      </label>
      <div class="row">
        <button
          type="button"
          class="primary"
          disabled={isRunning || error !== undefined || (isSame && code === cutting.code)}
          onClick={use}
        >
          {isRunning ? "Indexing …" : "Use for the index"}
        </button>
        {!isSame && (
          <button
            type="button"
            onClick={() => onChange({ maxTokens, overlapTokens, ...(chunker !== undefined && { chunker }) })}
          >
            Undo
          </button>
        )}
      </div>
      {indexing?.status === "failed" && <Alert>{indexing.error}</Alert>}
      {failure && <Alert>{failure}</Alert>}
    </section>
  );
}
