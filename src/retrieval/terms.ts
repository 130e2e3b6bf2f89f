/**
 * @file Text to search terms, for documents and queries alike.
 *
 * A change here needs a new format version in `stores/`, because an index holds the terms of its chunks.
 */

/** Scripts written without spaces between words: their runs are cut into overlapping pairs of characters. */
const unspaced = String.raw`\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}ー`;
const word = new RegExp(String.raw`[${unspaced}]+|(?:(?![${unspaced}])[\p{L}\p{M}\p{N}])+`, "gu");
const unspacedStart = new RegExp(`^[${unspaced}]`, "u");

/** How often each term of a text occurs, and the number of places at which one starts (the length that BM25 asks for). */
export interface TermCounts {
  readonly counts: ReadonlyMap<string, number>;
  readonly numPositions: number;
}

/**
 * Terms of a chunk: words without case, accents and English plural endings; in scripts without spaces single characters
 * and pairs, so that a query of any length finds them.
 */
export function documentTerms(text: string): TermCounts {
  const counts = new Map<string, number>();
  let numPositions = 0;
  for (const run of runs(text)) {
    if (unspacedStart.test(run)) {
      const characters = [...run];
      numPositions += characters.length;
      for (const term of [...characters, ...pairs(characters)]) increment(counts, term);
    } else {
      numPositions++;
      increment(counts, withoutPlural(run));
    }
  }
  return { counts, numPositions };
}

/** Terms of a query with their counts. A run of two or more characters without spaces is searched by its pairs only. */
export function queryTerms(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const run of runs(text)) {
    if (unspacedStart.test(run)) {
      const characters = [...run];
      for (const term of characters.length === 1 ? characters : pairs(characters)) increment(counts, term);
    } else {
      increment(counts, withoutPlural(run));
    }
  }
  return counts;
}

function runs(text: string): readonly string[] {
  return fold(text).match(word) ?? [];
}

/** One form for letters that differ in case, width or accent. */
function fold(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text.toLowerCase();
  const unaccented = text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  return unaccented.toLowerCase().normalize("NFC");
}

function pairs(characters: readonly string[]): string[] {
  return characters.slice(1).map((character, i) => characters[i]! + character);
}

/**
 * Folds English plurals: queries, indexes, caches and classes meet query, index, cache and class. The S-stemmer of Harman
 * ("How effective is suffixing?", 1991) with a rule for -es; weaker than Porter's, and so seldom joins words of other meaning.
 */
function withoutPlural(term: string): string {
  if (term.length > 4 && term.endsWith("ies")) return `${term.slice(0, -3)}y`;
  const singular = term.length > 3 && term.endsWith("s") && !term.endsWith("ss") ? term.slice(0, -1) : term;
  return /(?:ss|x|ch|sh)e$/.test(singular) ? singular.slice(0, -1) : singular;
}

function increment(counts: Map<string, number>, term: string): void {
  counts.set(term, (counts.get(term) ?? 0) + 1);
}
