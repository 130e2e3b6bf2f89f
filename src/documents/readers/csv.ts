/** @file Tables of separated values (RFC 4180 and its relatives) as a Markdown table whose head is the first row. */
import Papa from "papaparse";
import { decodeText } from "../decode.js";
import type { Reader } from "../document.js";
import { markdownOf } from "../markdown-writer.js";

const SEPARATORS = [",", ";", "\t", "|"];
/** So many rows are looked at to find the separator. */
const ROWS_TO_LOOK_AT = 50;

export const csv: Reader = {
  name: "csv",
  mediaType: "text/markdown",
  extensions: [".csv", ".tsv"],
  fileNames: [],
  read(bytes) {
    const decoded = decodeText(bytes);
    if ("reason" in decoded) return decoded;
    const { data, errors } = parse(decoded.text, separatorOf(decoded.text));
    const fault = errors.find(({ type }) => type === "Quotes");
    if (fault) return { reason: "damaged", detail: `row ${(fault.row ?? 0) + 1}: ${fault.message}` };
    return markdownOf([{ kind: "table", rows: data }]);
  },
};

function parse(text: string, delimiter: string, preview = 0): Papa.ParseResult<string[]> {
  return Papa.parse<string[]>(text, { delimiter, preview, skipEmptyLines: "greedy" });
}

/** The separator that parts the head, and most rows into as many cells; more cells decide between equals. */
function separatorOf(text: string): string {
  let best = { separator: ",", share: 0, width: 1 };
  for (const separator of SEPARATORS) {
    const { data } = parse(text, separator, ROWS_TO_LOOK_AT);
    const width = data[0]?.length ?? 0;
    const share = data.filter(({ length }) => length === width).length / data.length;
    const isBetter = share > best.share || (share === best.share && width > best.width);
    if (width > 1 && isBetter) best = { separator, share, width };
  }
  return best.separator;
}
