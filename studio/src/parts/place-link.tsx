/** @file The place of a stretch in a document, as a link that opens it there. */

import { linkTo } from "../route.js";

export interface Place {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly headingPath: readonly string[];
  readonly page?: number;
}

export function PlaceLink({ path, start, end, headingPath, page }: Place) {
  return (
    <span class="place">
      <a href={linkTo("documents", { path, start, end })} title="Open the document at these words">
        {path}
        {page !== undefined && `, page ${page}`}
      </a>
      {headingPath.length > 0 && <span class="quiet"> {headingPath.join(" › ")}</span>}
    </span>
  );
}
