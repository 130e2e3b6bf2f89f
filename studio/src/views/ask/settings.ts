/** @file What is asked of the writers, kept over a reload of the page. */

import { effect, signal } from "@preact/signals";
import { writers } from "../../live.js";

export interface WriteSettings {
  readonly prompt: string;
  /** Ids of writers; undefined: the usual one. `""` on the right: none. */
  readonly left?: string | undefined;
  readonly right?: string | undefined;
  readonly temperature: number;
  readonly topP: number;
  readonly maxTokens: number;
  readonly seed: number;
  readonly isGrounded: boolean;
  /** Names are hidden and sides drawn by lot until a text has been preferred. */
  readonly isBlind: boolean;
}

const KEY = "tessera-write";

const usual: WriteSettings = {
  prompt: "",
  temperature: 0.8,
  topP: 1,
  maxTokens: 128,
  seed: 0,
  isGrounded: false,
  isBlind: false,
};

export const settings = signal<WriteSettings>({
  ...usual,
  ...(JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as Partial<WriteSettings>),
});
effect(() => sessionStorage.setItem(KEY, JSON.stringify(settings.value)));

export function change(parts: Partial<WriteSettings>): void {
  settings.value = { ...settings.value, ...parts };
}

/**
 * Ids of the two writers: the chosen ones as far as they are there; else the base beside the tuned model, or the only
 * one. Undefined on the right: none.
 */
export function chosenWriters({ left, right }: WriteSettings): readonly [string | undefined, string | undefined] {
  const known = writers.value.map(({ id }) => id);
  const first = left !== undefined && known.includes(left) ? left : known[0];
  const second = right !== undefined && (right === "" || known.includes(right)) ? right : known[1];
  return [first, second === "" ? undefined : second];
}
