/** @file The view that asks: the documents, for quotes; models, for texts side by side. */

import { linkTo, route } from "../../route.js";
import { AskDocuments } from "./ask-documents.js";
import { WriteModels } from "./write-models.js";
import "./ask.css";

export function AskView() {
  const { query } = route.value;
  const isWriting = query.get("do") === "write";
  return (
    <div class="ask">
      <h1>{isWriting ? "Let the models write" : "Ask the documents"}</h1>
      <nav class="tabs" aria-label="Ways to ask">
        <a href={linkTo("ask")} aria-current={isWriting ? undefined : "page"}>
          The documents
        </a>
        <a href={linkTo("ask", { do: "write" })} aria-current={isWriting ? "page" : undefined}>
          The models
        </a>
      </nav>
      {isWriting ? <WriteModels /> : <AskDocuments question={query.get("question") ?? ""} />}
    </div>
  );
}
