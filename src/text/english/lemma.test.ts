/** @file Lemmas of regular and irregular words, by part of speech and without. */

import { describe, expect, it } from "vitest";
import { lemmaOf, type PartOfSpeech } from "./lemma.js";

/** Rows of form and lemma. */
const verbs = `
stopped stop · planned plan · hoped hope · hopped hop · rated rate · heated heat · created create · visited visit · united unite
running run · making make · seeing see · dying die · studies study · studied study · goes go · went go · was be · has have
added add · called call · controlled control · travelled travel · filled fill · quizzed quiz · agreed agree · needed need
argued argue · issued issue · danced dance · changed change · hanged hang · belonged belong · judged judge · used use
focused focus · increased increase · handled handle · decided decide · avoided avoid · loaded load · coded code · included include
combined combine · joined join · opened open · mentioned mention · phoned phone · tuned tune · compared compare · entered enter
required require · repaired repair · explored explore · measured measure · scaled scale · labeled label · compiled compile
scheduled schedule · named name · timed time · assumed assume · escaped escape · developed develop · baked bake · liked like
described describe · wrote write · written write · brought bring · leaves leave · lives live · found find · panicked panic
needs need · watches watch · fixes fix · passes pass · tries try · uses use · causes cause · sing sing · bring bring · feed feed
`;
const nouns = `
cats cat · boxes box · churches church · wishes wish · classes class · buses bus · viruses virus · houses house · horses horse
cities city · boys boy · movies movie · heroes hero · shoes shoe · leaves leaf · knives knife · children child · mice mouse
analyses analysis · criteria criterion · indices index · matrices matrix · people person · physics physics · series series
news news · species species · dog's dog · bus bus · lens lens · status status · statuses status · sizes size · quizzes quiz
databases database · responses response · uses use · causes cause · photos photo · kisses kiss · topics topic · building building
`;
const adjectives = `
bigger big · biggest big · happier happy · happiest happy · nicer nice · larger large · fast fast · faster fast · smaller small
better good · worst bad · simpler simple · older old · finest fine · latest late · smartest smart · freer free
`;
const unknown = `
leaves leaf · lives life · saw see · left leave · running run · cats cat · better good · water water · paper paper · forest forest
this this · his his · evening evening · nothing nothing · hundred hundred · need need · is be · were be · children child
thing thing · red red · us us · always always · economics economics · data datum · used use · string string · class class · bus bus
`;

const cases: readonly (readonly [PartOfSpeech | undefined, string])[] = [
  ["verb", verbs],
  ["noun", nouns],
  ["adjective", adjectives],
  [undefined, unknown],
];

describe("lemmas", () => {
  it.each(cases)("of words read as %s", (partOfSpeech, rows) => {
    const pairs = rows.trim().split(/\s*[·\n]\s*/);
    expect(pairs.map((pair) => `${pair.split(" ")[0]} ${lemmaOf(pair.split(" ")[0]!, partOfSpeech)}`)).toEqual(pairs);
  });
});
