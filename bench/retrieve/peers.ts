/** @file Full-text search of other libraries behind one function, each as its documentation shows it. */

import { create, insertMultiple, search } from "@orama/orama";
import lunr from "lunr";
import MiniSearch from "minisearch";

export type Language = "en" | "es" | "zh";

/** Ranks the texts that it was made of: their places, best first. */
export type Ranker = (question: string, limit: number) => readonly number[] | Promise<readonly number[]>;

export interface Peer {
  readonly name: string;
  build(texts: readonly string[], language: Language): Ranker | Promise<Ranker>;
}

const segmenter = new Intl.Segmenter("zh", { granularity: "word" });

/** They cut at spaces, so Chinese is given to them in words; without that they find next to nothing. */
const spaced = (text: string, language: Language): string =>
  language === "zh" ? Array.from(segmenter.segment(text), ({ segment }) => segment).join(" ") : text;

const wordTokenizer = {
  language: "chinese",
  normalizationCache: new Map<string, string>(),
  tokenize: (text: string): string[] =>
    spaced(text, "zh")
      .split(/[\s\p{P}]+/u)
      .filter((word) => word !== ""),
};

export const peers: readonly Peer[] = [
  {
    name: "MiniSearch",
    build(texts, language) {
      const index = new MiniSearch<{ id: number; text: string }>({ fields: ["text"] });
      index.addAll(texts.map((text, id) => ({ id, text: spaced(text, language) })));
      return (question, limit) =>
        index
          .search(spaced(question, language))
          .slice(0, limit)
          .map(({ id }) => Number(id));
    },
  },
  {
    name: "Orama",
    async build(texts, language) {
      const index = create({
        schema: { text: "string" } as const,
        // its own tokenizers drop what is not Latin
        ...(language === "zh"
          ? { components: { tokenizer: wordTokenizer } }
          : { language: language === "es" ? "spanish" : "english" }),
      });
      await insertMultiple(
        index,
        texts.map((text, id) => ({ id: String(id), text })),
      );
      return async (question, limit) => {
        const { hits } = await search(index, { term: question, limit });
        return hits.map(({ id }) => Number(id));
      };
    },
  },
  {
    name: "lunr",
    build(texts, language) {
      const index = lunr((builder) => {
        builder.ref("id");
        builder.field("text");
        // it keeps Latin letters only
        if (language === "zh") builder.pipeline.remove(lunr.trimmer);
        for (const [id, text] of texts.entries()) builder.add({ id: String(id), text: spaced(text, language) });
      });
      return (question, limit) => {
        const words = lunr
          .tokenizer(spaced(question, language))
          .map((token) => token.toString().replace(/[?.,;:!¿¡]/g, ""));
        const found = index.query((query) => {
          for (const word of words) if (word !== "") query.term(word, {});
        });
        return found.slice(0, limit).map(({ ref }) => Number(ref));
      };
    },
  },
];
