/** @file The passages that a search found, with the ranks and scores that put them where they are. */

import { useState } from "preact/hooks";
import type { ConsideredPassage } from "../../../../src/server/studio/wire/index.js";
import { significant } from "../../format.js";
import { MarkedText } from "../../parts/marked-text.js";
import { PlaceLink } from "../../parts/place-link.js";

type ListName = "words" | "meaning" | "fused";

const labels: Readonly<Record<ListName, string>> = { words: "By words", meaning: "By meaning", fused: "Together" };

export function Considered({ passages }: { readonly passages: readonly ConsideredPassage[] }) {
  const lists: readonly ListName[] = passages.some(({ meaning }) => meaning)
    ? ["words", "meaning", "fused"]
    : ["words", "fused"];
  const best = (list: ListName): number => Math.max(...passages.map((passage) => passage[list]?.score ?? 0));
  return (
    <table class="considered">
      <thead>
        <tr>
          <th scope="col" class="number">
            Place
          </th>
          <th scope="col">Passage</th>
          {lists.map((list) => (
            <th key={list} scope="col">
              {labels[list]}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {passages.map((passage) => (
          <tr key={`${passage.path} ${passage.start}`}>
            <td class="number rank">{passage.fused.rank}</td>
            <td class="passage">
              <p>
                <PlaceLink {...passage} /> {passage.isQuoted && <span class="quoted">quoted above</span>}
              </p>
              <Excerpt passage={passage} />
            </td>
            {lists.map((list) => (
              <td key={list} class="why" data-label={labels[list]}>
                <Why list={list} passage={passage} best={best(list)} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface WhyProps {
  readonly list: ListName;
  readonly passage: ConsideredPassage;
  /** Score of the first of the list that is shown. */
  readonly best: number;
}

function Why({ list, passage, best }: WhyProps) {
  const place = passage[list];
  if (!place) {
    const isOther = list === "words" && passage.matches.length === 0;
    return <span class="quiet">{isOther ? "no word in common" : "not among the first 50"}</span>;
  }
  const { rank, score } = place;
  return (
    <>
      <span class="ordinal">{ordinal(rank)}</span> <span class="quiet">{significant(score)}</span>
      <span class="bar" aria-hidden="true">
        <span style={{ width: `${best > 0 ? Math.max(2, (100 * score) / best) : 0}%` }} />
      </span>
    </>
  );
}

const plurals = new Intl.PluralRules("en", { type: "ordinal" });
const endings: Readonly<Record<Intl.LDMLPluralRule, string>> = {
  one: "st",
  two: "nd",
  few: "rd",
  other: "th",
  zero: "th",
  many: "th",
};
const ordinal = (rank: number): string => `${rank}${endings[plurals.select(rank)]}`;

/** Characters before the first word that is shared. */
const LEAD = 60;

/** Some lines from the first word that is shared on, and the rest when it is asked for. */
function Excerpt({ passage: { text, matches, fused } }: { readonly passage: ConsideredPassage }) {
  const [isWhole, setWhole] = useState(false);
  const first = text.lastIndexOf(" ", (matches[0]?.start ?? 0) - LEAD) + 1;
  const from = isWhole ? 0 : first;
  const spans = matches.map(({ start, end }) => ({ start: start - from, end: end - from }));
  return (
    <>
      <p class={isWhole ? "excerpt" : "excerpt short"}>
        {from > 0 && "… "}
        <MarkedText text={text.slice(from)} spans={spans} />
      </p>
      <button type="button" class="plain" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
        {isWhole ? "Less" : "Whole passage"}
        <span class="unseen"> of place {fused.rank}</span>
      </button>
    </>
  );
}
