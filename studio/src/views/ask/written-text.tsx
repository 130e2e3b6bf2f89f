/** @file A text as it is written, with how likely each of its tokens was. */

import { Component } from "preact";
import { useState } from "preact/hooks";
import type { Turn, WrittenToken } from "../../../../src/server/studio/wire/index.js";
import { integer, plural, significant } from "../../format.js";
import { Alert } from "../../parts/alert.js";
import { Statements } from "./statements.js";
import { isGoing, type Unit, type Written } from "./writing.js";

interface WrittenProps {
  readonly written: Written;
  /** The writer's name; undefined where nobody is to know it, nor what gives it away. */
  readonly name: string | undefined;
  /** From 1. */
  readonly place: number;
}

export function WrittenText({ written, name, place }: WrittenProps) {
  const title = name ?? `Text ${place}`;
  const { request, status, units, statements, error } = written;
  const [at, setAt] = useState<number>();
  function point({ target }: Event): void {
    const unit = target instanceof Element ? target.closest("[data-unit]")?.getAttribute("data-unit") : undefined;
    if (unit !== null && unit !== undefined) setAt(Number(unit));
  }
  const shown = at === undefined ? undefined : units[at];
  return (
    <article class="written sheet" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <p class="quiet" role="status">
          {name === undefined && !isGoing(written) ? "" : statusText(written)}
        </p>
      </header>
      {request.earlier.length > 0 && (
        <Earlier turns={[...request.earlier, { role: "user", content: request.prompt }]} />
      )}
      {units.length > 0 && (
        <>
          <p class="tokens" onPointerOver={point} onPointerDown={point}>
            {Array.from({ length: Math.ceil(units.length / BLOCK) }, (_, i) => {
              const from = i * BLOCK;
              const isHere = at !== undefined && at >= from && at < from + BLOCK;
              return (
                <Tokens
                  key={from}
                  units={units.slice(from, from + BLOCK)}
                  from={from}
                  shown={isHere ? at : undefined}
                />
              );
            })}
          </p>
          <div class="chances">
            <label class="row">
              <span class="quiet">Token</span>
              <input
                type="range"
                min={0}
                max={units.length - 1}
                value={at ?? 0}
                aria-label={`Token of ${title}`}
                aria-valuetext={valueText(shown ?? units[0]!)}
                onFocus={() => setAt(at ?? 0)}
                onInput={({ currentTarget }) => setAt(currentTarget.valueAsNumber)}
              />
              <span class="quiet number">{at === undefined ? "" : `${at + 1} of ${units.length}`}</span>
            </label>
            {shown ? (
              shown.tokens.map((token, i) => <Chances key={i} token={token} />)
            ) : (
              <p class="quiet">
                Shaded words were a gamble: the darker, the less likely. Point at one, or move the slider, to see what
                else the model considered.
              </p>
            )}
          </div>
        </>
      )}
      {statements && <Checked statements={statements} />}
      {status === "failed" && <Alert>{error}</Alert>}
    </article>
  );
}

function statusText({ status, start, end, units }: Written): string {
  if (status === "opening") return "The model is being opened …";
  if (!start) return status === "stopped" ? "Stopped before it began." : "";
  if (status === "failed") return "";
  // tokens of unfinished characters are one with those that finish them
  const numTokens = end?.numTokens ?? units.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const form = start.form === "chat" ? "Answers a message" : "Goes on with your text, as it knows no chats";
  // said aloud where it changes, so not with every token
  if (status === "writing") return `${form}. Writing …`;
  const length = `${plural(numTokens, "token")} after ${integer(start.numPromptTokens)}`;
  if (status === "stopped") return `${form}. ${length}, stopped.`;
  const why = end?.reason === "stop" ? "ended by itself" : "ended at the limit";
  const speed = end && end.seconds > 0 ? `, ${significant(end.numTokens / end.seconds)} tokens/s` : "";
  return `${form}. ${length}, ${why}${speed}.`;
}

function Earlier({ turns }: { readonly turns: readonly Turn[] }) {
  return (
    <ol class="earlier">
      {turns.map(({ role, content }, i) => (
        <li key={i} class={role}>
          <span class="unseen">{role === "user" ? "You: " : "The model: "}</span>
          {content}
        </li>
      ))}
    </ol>
  );
}

function Checked({ statements }: { readonly statements: NonNullable<Written["statements"]> }) {
  return (
    <section class="checked">
      <h3>Checked against the documents</h3>
      {statements.length === 0 ? <p>It says that the documents do not say.</p> : <Statements statements={statements} />}
    </section>
  );
}

/** Tokens that are drawn together, so that what is written is not drawn again with each that comes. */
const BLOCK = 64;

interface TokensProps {
  readonly units: readonly Unit[];
  /** Place of the first. */
  readonly from: number;
  /** Place of the one that is pointed at, where it is one of these. */
  readonly shown: number | undefined;
}

class Tokens extends Component<TokensProps> {
  override shouldComponentUpdate({ units, shown }: TokensProps): boolean {
    const { props } = this;
    return units.length !== props.units.length || units.at(-1) !== props.units.at(-1) || shown !== props.shown;
  }

  render() {
    const { units, from, shown } = this.props;
    return units.map((unit, i) => <Token key={i} unit={unit} place={from + i} isShown={from + i === shown} />);
  }
}

interface TokenProps {
  readonly unit: Unit;
  readonly place: number;
  readonly isShown: boolean;
}

function Token({ unit: { text, tokens }, place, isShown }: TokenProps) {
  const likelihood = tokens.reduce((product, { probability }) => product * probability, 1);
  return (
    <span class={`token ${levelOf(likelihood)}${isShown ? " shown" : ""}`} data-unit={place}>
      {text}
    </span>
  );
}

function levelOf(probability: number): string {
  if (probability >= 0.5) return "sure";
  if (probability >= 0.2) return "fair";
  return probability >= 0.05 ? "unsure" : "rare";
}

const valueText = ({ tokens }: Unit): string =>
  tokens.map(({ token, probability }) => `${visible(token)}, ${percent(probability)}`).join("; ");

/** The token that was drawn and the likeliest in its place. */
function Chances({ token: { token, probability, top } }: { readonly token: WrittenToken }) {
  const isAmong = top.some((other) => other.token === token);
  const listed = isAmong ? top : [{ token, probability }, ...top];
  return (
    <ol>
      {listed.map((other) => (
        <li key={other.token} class={other.token === token ? "drawn" : ""}>
          <code>{visible(other.token)}</code>
          <span class="bar" aria-hidden="true">
            <span style={{ width: `${Math.max(0.5, 100 * other.probability)}%` }} />
          </span>
          <span class="number">{percent(other.probability)}</span>
          {other.token === token && <span class="unseen">, written</span>}
        </li>
      ))}
    </ol>
  );
}

const visible = (token: string): string =>
  token === "" ? "(nothing)" : token.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll(" ", "␣");

function percent(probability: number): string {
  const value = 100 * probability;
  return value < 0.1 ? "< 0.1 %" : `${value >= 99.95 ? "100" : value.toFixed(1)} %`;
}
