/**
 * @file Cuts what the runtime's dictionary takes for one Chinese word but is a phrase with a function word.
 *
 * ICU's dictionary holds common phrases (我的, 很好, 一个, 不是, 昨天晚上). Corpora such as Peking University's count their words.
 */

const numeral = "一二三四五六七八九十两几半百千万亿零〇";
const classifier = "个种本次位条张杯块只件家座名项台部辆篇段句颗头匹把份秒";

/** Function words that begin a phrase: what stands before the mark ▮ is a word of its own. */
const leading: readonly RegExp[] = [
  /^[我你他她它谁](?=[的是在有和就也都不会要想说跟对给把被让])/,
  /^[我你他她它]们(?=.)/,
  /^[很太](?!多$|过$|阳)/,
  /^请(?=[在把给你您])/,
  /^不(?=(?:是|能|会|要|想|太|再|知道|可以|应该|可能)$)/,
  /^[都也](?=(?:是|在|有|没有|没|不|不是|要|会|能|可以|想)$)/,
  /^[才就还只](?=[能会]$)/,
  /^比(?=[上下这那])/,
  new RegExp(`^(?:[${numeral}]+|每|[这那](?!个))(?=[${classifier}]$)`),
];

/** Function words that end one. */
const trailing: readonly RegExp[] = [
  /(?<=.)(?<!^[目似有])的$/,
  /(?<=.)(?<!^[为除罢])了$/,
  /(?<=..)[是就]$/,
  /(?<=^[说看跑写做走听长过吃唱玩])得$/,
];

const fourIdeographs = /^\p{sc=Han}{4}$/u;

/** Lengths of the words that a segment of the dictionary is made of; one if it is a word. `isWord` asks the dictionary. */
export function wordLengths(segment: string, isWord: (part: string) => boolean): readonly number[] {
  if (segment.length < 2) return [segment.length];
  const first = leading.map((rule) => rule.exec(segment)?.[0].length).find((length) => length !== undefined);
  const last = trailing.map((rule) => rule.exec(segment)?.[0].length).find((length) => length !== undefined);
  if (first !== undefined) return [first, ...wordLengths(segment.slice(first), isWord)];
  if (last !== undefined) return [...wordLengths(segment.slice(0, -last), isWord), last];
  // idioms stay whole: their halves are seldom words
  const isPair = fourIdeographs.test(segment) && isWord(segment.slice(0, 2)) && isWord(segment.slice(2));
  return isPair ? [2, 2] : [segment.length];
}
