/** @file Formats dates as Python's `strftime` does in its default locale, for the templates that name today's date. */

import { UnsupportedError } from "../../base/errors.js";

const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const months = "January February March April May June July August September October November December".split(" ");

const padded = (value: number, width = 2): string => String(value).padStart(width, "0");
const dayOfYear = (date: Date): number =>
  Math.round(
    (new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime() -
      new Date(date.getFullYear(), 0, 1).getTime()) /
      86_400_000,
  ) + 1;

const directives: Readonly<Record<string, (date: Date) => string>> = {
  a: (date) => days[date.getDay()]!.slice(0, 3),
  A: (date) => days[date.getDay()]!,
  b: (date) => months[date.getMonth()]!.slice(0, 3),
  B: (date) => months[date.getMonth()]!,
  d: (date) => padded(date.getDate()),
  H: (date) => padded(date.getHours()),
  I: (date) => padded(date.getHours() % 12 || 12),
  j: (date) => padded(dayOfYear(date), 3),
  m: (date) => padded(date.getMonth() + 1),
  M: (date) => padded(date.getMinutes()),
  p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
  S: (date) => padded(date.getSeconds()),
  y: (date) => padded(date.getFullYear() % 100),
  Y: (date) => String(date.getFullYear()),
  "%": () => "%",
};

/**
 * `date` in local time. `%-d` is `%d` without leading zeros.
 * @throws UnsupportedError on a directive that is not known.
 */
export function strftime(date: Date, format: string): string {
  return format.replace(/%(-?)(.?)/gs, (directive, minus: string, letter: string) => {
    const write = Object.hasOwn(directives, letter) ? directives[letter] : undefined;
    if (write === undefined) {
      throw new UnsupportedError(
        `chat template: strftime_now("${format}"): ${directive} is not supported; known are ${Object.keys(directives).join(" ")}`,
      );
    }
    return minus === "-" ? write(date).replace(/^0+(?=\d)/, "") : write(date);
  });
}
