/** @file What decides where chunks end, and the two ways that know no structure: whole sentences, and words. */
import { Strength } from "./strength.js";
import type { UnitQueue } from "./unit-queue.js";

/** A rule for the ends of chunks. It looks no further than what could be in the chunk, so that a stream needs no more. */
export interface ChunkBreaks {
  /** End of the chunk that begins with unit `first` and holds at most `room` tokens, though at least one unit. */
  end(queue: UnitQueue, first: number, room: number, maxTokens: number): number;
  /** Tokens from unit `first` on that should stay in one chunk, though it repeats less of the one before. Default 0. */
  wholeTokens?(queue: UnitQueue, first: number): number;
}

/** As many whole sentences as fit; parts of a sentence where one fits no chunk. */
export const sentenceBreaks: ChunkBreaks = {
  end: (queue, first, room) => {
    let best = -1;
    for (let end = first + 1; ; end++) {
      const isEnd = !queue.has(end) || queue.at(end).strength === Strength.must;
      if (isEnd || queue.at(end).strength >= Strength.sentence) best = end;
      if (isEnd) return end;
      if (!queue.fits(first, end + 1, room)) return best < 0 ? end : best;
    }
  },
};

/** One sentence, or a part of it where it does not fit. */
export const singleSentenceBreaks: ChunkBreaks = {
  end: (queue, first, room) => {
    for (let end = first + 1; ; end++) {
      if (!queue.has(end) || queue.at(end).strength >= Strength.sentence || !queue.fits(first, end + 1, room))
        return end;
    }
  },
};

/** As many words as fit, wherever that is. */
export const wordBreaks: ChunkBreaks = {
  end: (queue, first, room) => {
    for (let end = first + 1, split = -1; ; end++) {
      if (!queue.has(end) || queue.at(end).strength === Strength.must) return end;
      if (queue.fits(first, end + 1, room)) continue;
      if (split === end) return end;
      split = end;
      queue.split(end);
      end--;
    }
  },
};
