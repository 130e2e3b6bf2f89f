/** @file Tables of separated values (RFC 4180 and its relatives) as a Markdown table whose head is the first row. */
import Papa from "papaparse";
import { decodeText } from "../decode.js";
import type { Reader } from "../document.js";
import { markdownOf } from "../markdown-writer.js";

/** The separator is found by trying which one gives rows of like length. */
export const csv: Reader = {
  name: "csv",
  mediaType: "text/markdown",
  extensions: [".csv", ".tsv"],
  fileNames: [],
  read(bytes) {
    const decoded = decodeText(bytes);
    if ("reason" in decoded) return decoded;
    const { data, errors } = Papa.parse<string[]>(decoded.text, { skipEmptyLines: "greedy" });
    const fault = errors.find(({ type }) => type === "Quotes");
    if (fault) return { reason: "damaged", detail: `row ${(fault.row ?? 0) + 1}: ${fault.message}` };
    return markdownOf([{ kind: "table", rows: data }]);
  },
};
