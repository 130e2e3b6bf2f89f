/** @file Retrieval: quality and speed of search by words and vectors beside other libraries, at 100,000 chunks, under edits and again. */

import type { Benchmark } from "../bench.js";
import { editFigures } from "./edit.js";
import { hotFigures } from "./hot.js";
import { reuseFigures } from "./reuse.js";
import { scaleFigures } from "./scale.js";
import { textFigures } from "./text.js";

const parts = { text: textFigures, scale: scaleFigures, edit: editFigures, reuse: reuseFigures, hot: hotFigures };

export const retrieveBench: Benchmark = {
  name: "retrieve",
  about: `search beside other libraries; arguments name parts: ${Object.keys(parts).join(", ")}; default all`,
  async run(context) {
    const figures = [];
    for (const [name, figuresOf] of Object.entries(parts)) {
      if (context.args.length > 0 && !context.args.includes(name)) continue;
      context.log(name);
      figures.push(...(await figuresOf(context)));
    }
    return figures;
  },
};
