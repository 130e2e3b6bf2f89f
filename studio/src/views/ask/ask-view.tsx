/** @file The view that asks: the documents, for quotes; models, for texts side by side. */

import { route } from "../../route.js";
import "./ask.css";
import { AskDocuments } from "./ask-documents.js";

export function AskView() {
  const { query } = route.value;
  return <AskDocuments question={query.get("question") ?? ""} />;
}
