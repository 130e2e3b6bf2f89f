/** @file English words with a period that need not end their sentence, and words that begin one. */

const words = (list: string): ReadonlySet<string> => new Set(list.split(/\s+/));

/** After these a name, an example or a number follows, never a new sentence. */
export const neverLast = words(
  `dr mr mrs ms mx messrs mme mlle prof st mt rev hon gen col capt lt sgt maj cpl pvt adm cmdr gov sen rep pres insp supt
  vs cf viz eg ie esp approx resp incl misc`,
);

/** These end a sentence if the next word is one that begins sentences. */
export const seldomLast = words("jr sr inc ltd co corp bros etc al dept univ ave blvd rd");

/** These end a sentence unless a number follows. */
export const beforeNumber = words(
  `no nos fig figs eq eqs sec secs ch chap vol vols p pp art ver v ex tab ref refs
  jan feb mar apr jun jul aug sep sept oct nov dec`,
);

const starters = `the this that these those there here it he she they we you i his her its their our my your a an
  in on at by for from with to as of after before during since until when while where why who what which how if then now so yet
  but and or because although though however moreover meanwhile instead thus therefore nevertheless still also even only once
  some many most all each every both few several such other another no not yes one two three nobody everyone
  do does did is are was were can could should would have has had let please perhaps maybe today yesterday tomorrow`;

/** A capital word that begins sentences and seldom names, at the start of what is looked at. Not an initial. */
const starter = new RegExp(`^["'“‘(\\[]*(?:${starters.split(/\s+/).join("|")})(?![\\p{L}\\p{N}.])`, "iu");

/** Whether what follows an abbreviation looks like a sentence of its own. */
export function beginsSentence(next: string): boolean {
  return /^["'“‘([]*\p{Lu}/u.test(next) && starter.test(next);
}

const verbs =
  "said|says|asked|asks|cried|shouted|replied|answered|whispered|yelled|added|called|exclaimed|insisted|demanded";
const reporting = new RegExp(
  `^(?:(?:the|his|her|my|our|their)\\s+)?(?:\\p{L}[\\p{L}'’-]*\\s+){1,2}(?:${verbs})\\b|^(?:${verbs})\\s+\\p{L}`,
  "iu",
);

/** Whether a quoted sentence goes on with who says it: "Stop!" John shouted. */
export function reportsSpeech(next: string): boolean {
  return reporting.test(next);
}
