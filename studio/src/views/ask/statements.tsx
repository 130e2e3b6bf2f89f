/** @file Statements of an answer with the quotes that they rest on. */

import type { AskedQuote, AskedStatement } from "../../../../src/server/studio/wire/index.js";
import { MarkedText } from "../../parts/marked-text.js";
import { PlaceLink } from "../../parts/place-link.js";

/** A statement that is its own quote is shown once. */
export function Statements({ statements }: { readonly statements: readonly AskedStatement[] }) {
  return (
    <ol class="statements">
      {statements.map((statement, i) => (
        <li key={i}>
          {statement.quotes[0]?.text !== statement.text && <p>{statement.text}</p>}
          {statement.quotes.length === 0 && <p class="caution">No support for this in the documents.</p>}
          {statement.quotes.map((quote) => (
            <Quoted key={`${quote.path} ${quote.start}`} quote={quote} />
          ))}
        </li>
      ))}
    </ol>
  );
}

const Quoted = ({ quote }: { readonly quote: AskedQuote }) => (
  <figure class="quote">
    <blockquote>
      <MarkedText text={quote.text} spans={quote.matches} />
    </blockquote>
    <figcaption>
      <PlaceLink {...quote} />
    </figcaption>
  </figure>
);
