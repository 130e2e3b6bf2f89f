/** @file How tokens become text: steps that each take tokens as they come and pass on what they make of them. */

/** One decoding under way. */
export interface StepState {
  /** The tokens that this one completes. */
  push(token: string): readonly string[];
  /** What is left when no more tokens come. */
  end(): readonly string[];
}

export interface DecoderStep {
  open(): StepState;
}

/** Decodes token by token. */
export interface TokenDecoder {
  open(): StepState;
}

/** One step after the other. */
export function decoderOf(steps: readonly DecoderStep[]): TokenDecoder {
  return {
    open() {
      const states = steps.map((step) => step.open());
      const through = (tokens: readonly string[], from: number): readonly string[] =>
        states.slice(from).reduce((current, state) => current.flatMap((token) => state.push(token)), tokens);
      return {
        push: (token) => through([token], 0),
        end: () => states.flatMap((state, i) => through(state.end(), i + 1)),
      };
    },
  };
}

const nothing: readonly string[] = [];

/** A step that maps each token for itself; `isFirst` is said of the first. */
export function eachToken(map: (token: string, isFirst: boolean) => string): DecoderStep {
  return {
    open() {
      let isFirst = true;
      return {
        push(token) {
          const mapped = map(token, isFirst);
          isFirst = false;
          return [mapped];
        },
        end: () => nothing,
      };
    },
  };
}

/** Makes one token of all: what comes after sees the text as a whole. */
export const fuse: DecoderStep = {
  open() {
    const tokens: string[] = [];
    return {
      push(token) {
        tokens.push(token);
        return nothing;
      },
      end: () => [tokens.join("")],
    };
  },
};
