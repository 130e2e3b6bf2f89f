/** @file English contractions in full: don't → do not. */

import type { Edit, TextStep } from "../step.js";

/** What to write for all of a word that has lost more than its ending has. `ain't` could be six things; it becomes the commonest. */
const irregular: Readonly<Record<string, string>> = {
  "can't": "cannot",
  "won't": "will not",
  "shan't": "shall not",
  "ain't": "is not",
  "let's": "let us",
  "y'all": "you all",
  "'tis": "it is",
  "'twas": "it was",
  "'twere": "it were",
};

const pronoun = "i|you|he|she|it|we|they|who|that|this|there";
const question = "what|where|when|why|how";
/** After these an 's is a verb; after a noun or a name it is left, for it may be a possessive. */
const beforeIs = `he|she|it|who|that|this|there|here|${question}|everything|nothing|something|everyone|someone`;
const modal = "would|could|should|might|must|may";
const negated = `is|are|was|were|do|does|did|has|have|had|need|ought|dare|${modal}`;

const begins = String.raw`(?<![\p{L}\p{M}\p{N}'’])`;
const ends = String.raw`(?![\p{L}\p{M}\p{N}'’])`;
/** An ending after one of some words. That it has an apostrophe is asked first: most places have none. */
const ending = (words: string, written: string, follows = ends): string =>
  `(?=n?['’])(?<=${begins}(?:${words}))${written}${follows}`;

const contraction = new RegExp(
  [
    `${begins}(?<whole>can['’]t|won['’]t|shan['’]t|ain['’]t|let['’]s|y['’]all|['’]t(?:is|was|were))${ends}`,
    ending(negated, "(?<not>n['’]t)", `(?:${ends}|(?=['’]ve))`),
    ending(beforeIs, "(?<is>['’]s)"),
    ending("i", "(?<am>['’]m)"),
    ending(`you|we|they|who|there|these|those|${question}`, "(?<are>['’]re)"),
    ending(`${pronoun}|not|(?:${modal})(?:n['’]t)?|(?:${pronoun})['’](?:d|ll)`, "(?<have>['’]ve)"),
    ending(`${pronoun}|${question}`, "(?<will>['’]ll)", `(?:${ends}|(?=['’]ve))`),
    ending(pronoun, "(?<would>['’]d)", `(?:${ends}|(?=['’]ve))`),
    ending(question, "(?<did>['’]d)"),
  ].join("|"),
  "giu",
);

/** Words after 's and 'd that show a perfect tense: it's been, she's got, I'd been, you'd better. */
const afterHas =
  /^\s+(?:(?:just|already|always|never|not|only|also|since)\s+)?(?:been|got|had|become|gone|begun|taken|seen|given|shown)\b/i;
const afterHad =
  /^\s+(?:(?:just|already|always|never|not|only|also)\s+)?(?:better|been|gone|become|begun|taken|seen|given|shown)\b/i;

/**
 * Writes contractions out, with `'` or `’`, in the case of the source.
 *
 * The ambiguous ones: `'s` is expanded after pronouns, question words and `there`, `here`, to `has` before a few
 * participles (it's been) and else to `is`; after any other word it is a possessive or not to be told from one, and stays.
 * `'d` becomes `had` before a few participles and `better`, else `would`, but `did` after what, where, when, why and how.
 * `ain't` becomes `is not`. Contractions without an apostrophe (gonna) stay.
 */
export function contractions(): TextStep {
  return { name: "contractions", edits };
}

function* edits(text: string): Generator<Edit> {
  for (const match of text.matchAll(contraction)) {
    const written = match[0];
    const end = match.index + written.length;
    const content = inFull(match.groups!, text.slice(end, end + 64));
    yield { start: match.index, end, content: inCaseOf(written, content) };
  }
}

function inFull(found: Readonly<Record<string, string | undefined>>, next: string): string {
  // the pattern ignores case as Unicode does and so takes ſ for s
  if (found.whole !== undefined) return irregular[found.whole.normalize("NFKC").toLowerCase().replace("’", "'")]!;
  if (found.is !== undefined) return afterHas.test(next) ? " has" : " is";
  if (found.would !== undefined) return afterHad.test(next) ? " had" : " would";
  const verb = ["not", "am", "are", "have", "will", "did"].find((name) => found[name] !== undefined)!;
  return ` ${verb}`;
}

/** Upper case for upper case; a capital at the start for one at the start. */
function inCaseOf(written: string, content: string): string {
  if (written === written.toUpperCase()) return content.toUpperCase();
  return /^['’]?\p{Lu}/u.test(written) ? content.charAt(0).toUpperCase() + content.slice(1) : content;
}
