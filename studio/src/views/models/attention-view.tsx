/** @file What each token of a short text looks at, by layer and head. */

import { useEffect, useState } from "preact/hooks";
import type { AttentionOffer, AttentionPicture } from "../../../../src/server/studio/wire/index.js";
import { messageOf, post } from "../../api.js";
import { Alert } from "../../parts/alert.js";
import { HeatMap } from "./heat-map.js";

export interface AttentionViewProps {
  readonly id: string;
  readonly offer: AttentionOffer;
  /** Small enough to be read without being asked for. */
  readonly isSmall: boolean;
}

const EXAMPLE = "The valve opens when the pressure is high, and it closes when the pressure falls.";

export function AttentionView({ id, offer: { isOffered, reason, numLayers }, isSmall }: AttentionViewProps) {
  const [text, setText] = useState(EXAMPLE);
  const [asked, setAsked] = useState(EXAMPLE);
  const [layer, setLayer] = useState(0);
  const [picture, setPicture] = useState<AttentionPicture>();
  const [error, setError] = useState<string>();
  const [isAsking, setAsking] = useState(false);
  async function show(of: string, at: number): Promise<void> {
    setAsking(true);
    setError(undefined);
    try {
      setPicture(await post<AttentionPicture>("/api/model/attention", { id, text: of, layer: at }));
      setLayer(at);
      setAsked(of);
    } catch (thrown) {
      setError(messageOf(thrown));
    } finally {
      setAsking(false);
    }
  }
  useEffect(() => {
    if (isOffered && isSmall) void show(EXAMPLE, 0);
  }, []);
  function submit(event: SubmitEvent): void {
    event.preventDefault();
    void show(text, layer);
  }
  return (
    <section class="sheet attention" aria-labelledby="attention">
      <h2 id="attention">What it looks at</h2>
      {!isOffered && <p class="quiet">Not shown: {reason}.</p>}
      {isOffered && (
        <>
          <form onSubmit={submit}>
            <div class="field">
              <label for="attention-text">A short text, up to 64 tokens</label>
              <div class="row fill">
                <input
                  id="attention-text"
                  value={text}
                  maxLength={2000}
                  required
                  onInput={(event) => setText(event.currentTarget.value)}
                />
                <button type="submit" class="primary" disabled={isAsking}>
                  {isAsking ? "Reading …" : "Look"}
                </button>
              </div>
            </div>
          </form>
          {error && <Alert>{error}</Alert>}
          {picture ? (
            <>
              <LayerChoice layer={layer} numLayers={numLayers} onChoose={(at) => void show(asked, at)} />
              <Layer picture={picture} />
            </>
          ) : (
            <p class="quiet">
              In every layer each token gathers from those before it. Look, and choose a token to see from which.
            </p>
          )}
        </>
      )}
    </section>
  );
}

interface LayerChoiceProps {
  readonly layer: number;
  readonly numLayers: number;
  readonly onChoose: (layer: number) => void;
}

const LayerChoice = ({ layer, numLayers, onChoose }: LayerChoiceProps) => (
  <div class="row">
    <label for="attention-layer">Layer</label>
    <input
      id="attention-layer"
      type="range"
      min={0}
      max={numLayers - 1}
      value={layer}
      disabled={numLayers === 1}
      onChange={(event) => onChoose(Number(event.currentTarget.value))}
    />
    <span>
      {layer} <span class="quiet">of 0 to {numLayers - 1}</span>
    </span>
  </div>
);

/** All heads small, one of them large, and one token of it in words. */
function Layer({ picture: { tokens, heads } }: { readonly picture: AttentionPicture }) {
  const [chosenHead, setHead] = useState(0);
  const [chosenToken, setToken] = useState<number>();
  const head = Math.min(chosenHead, heads.length - 1);
  const token = Math.min(chosenToken ?? tokens.length - 1, tokens.length - 1);
  const count = tokens.length;
  const values = heads[head]!;
  const row = values.slice(token * count, (token + 1) * count);
  const most = Math.max(...row);
  return (
    <div class="layer">
      <fieldset class="heads">
        <legend>Heads, each looking in its own way</legend>
        {heads.map((own, i) => (
          <button key={i} type="button" aria-pressed={i === head} onClick={() => setHead(i)}>
            <HeatMap rows={count} columns={count} values={own} largest={1} />
            <span>head {i}</span>
          </button>
        ))}
      </fieldset>
      <div class="one-head">
        <p class="tokens-row">
          {tokens.map((text, i) => (
            <button
              key={i}
              type="button"
              class="token"
              aria-pressed={i === token}
              style={{ "--seen": (row[i] ?? 0) / most }}
              title={i <= token ? `${((row[i] ?? 0) * 100).toFixed(1)} %` : "comes later"}
              onClick={() => setToken(i)}
            >
              {visible(text)}
            </button>
          ))}
        </p>
        <p aria-live="polite">
          In head {head} <strong>“{visible(tokens[token]!)}”</strong> looks at {wordsOf(row, tokens)}.
        </p>
        <Matrix tokens={tokens} values={values} token={token} onChoose={setToken} />
      </div>
    </div>
  );
}

/** Spaces and line breaks as one can see them. */
const visible = (text: string): string =>
  text.replaceAll("\n", "⏎").replace(/^ +| +$/g, (spaces) => "·".repeat(spaces.length));

function wordsOf(row: readonly number[], tokens: readonly string[]): string {
  const best = row
    .map((share, i) => ({ share, text: visible(tokens[i]!) }))
    .filter(({ share }) => share >= 0.005)
    .sort((a, b) => b.share - a.share)
    .slice(0, 4);
  return best.map(({ share, text }) => `“${text}” (${Math.round(100 * share)} %)`).join(", ");
}

interface MatrixProps {
  readonly tokens: readonly string[];
  readonly values: readonly number[];
  readonly token: number;
  readonly onChoose: (token: number) => void;
}

/** Who looks is a row, who is looked at a column. */
function Matrix({ tokens, values, token, onChoose }: MatrixProps) {
  const [cell, setCell] = useState<{ readonly row: number; readonly column: number }>();
  const count = tokens.length;
  const at = cell && values[cell.row * count + cell.column];
  return (
    <figure class="matrix">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: where it is wider than the page, keys scroll it */}
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields */}
      <div class="scroll" role="group" aria-label="Attention of each token to each" tabIndex={0}>
        <div class="matrix-grid" style={{ "--count": count }}>
          <ol class="columns" aria-hidden="true">
            {tokens.map((text, i) => (
              <li key={i} class={i === cell?.column ? "pointed" : ""}>
                {visible(text)}
              </li>
            ))}
          </ol>
          <ol class="rows" aria-hidden="true">
            {tokens.map((text, i) => (
              <li key={i} class={i === (cell?.row ?? token) ? "pointed" : ""}>
                {visible(text)}
              </li>
            ))}
          </ol>
          {/* biome-ignore lint/a11y/useKeyWithClickEvents lint/a11y/noStaticElementInteractions: tokens above are buttons */}
          <div class="cells" onClick={() => cell && onChoose(cell.row)}>
            <HeatMap
              label={`Attention of ${count} tokens (rows) to those before them (columns)`}
              rows={count}
              columns={count}
              values={values}
              largest={1}
              onPoint={setCell}
            />
          </div>
        </div>
      </div>
      <figcaption class="quiet">
        {cell && at !== undefined
          ? `${visible(tokens[cell.row]!)} looks at ${visible(tokens[cell.column]!)}: ${cell.column > cell.row ? "it comes later" : `${(100 * at).toFixed(1)} %`}`
          : "Rows look, columns are looked at; full ink is 100 %. Point at a cell for its number."}
      </figcaption>
    </figure>
  );
}
