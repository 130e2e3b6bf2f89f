/** @file Counters and histograms in Prometheus' text format 0.0.4. */

type Labels = Readonly<Record<string, string>>;

export interface Metric {
  /** Lines of the text format, with help and type. */
  render(): string[];
}

/** A sum by labels. */
export class Counter implements Metric {
  readonly #name: string;
  readonly #help: string;
  readonly #values = new Map<string, number>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(amount: number, labels: Labels = {}): void {
    const key = labelText(labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + amount);
  }

  render(): string[] {
    const values = [...this.#values].map(([labels, value]) => `${this.#name}${labels} ${value}`);
    return [...header(this.#name, this.#help, "counter"), ...values];
  }
}

/** Values that are read when they are asked for: of the moment, or sums that are kept elsewhere. */
export class Gauge implements Metric {
  readonly #name: string;
  readonly #help: string;
  readonly #read: () => Iterable<readonly [Labels, number]>;

  constructor(
    name: string,
    help: string,
    read: () => Iterable<readonly [Labels, number]>,
    private readonly type: "gauge" | "counter" = "gauge",
  ) {
    this.#name = name;
    this.#help = help;
    this.#read = read;
  }

  render(): string[] {
    const values = [...this.#read()].map(([labels, value]) => `${this.#name}${labelText(labels)} ${value}`);
    return [...header(this.#name, this.#help, this.type), ...values];
  }
}

/** Numbers of observations up to each bound. */
export class Histogram implements Metric {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  /** @param bounds upper bounds, ascending; one without limit is added. */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.#sum += value;
    this.#count++;
    for (const [i, bound] of this.#bounds.entries()) if (value <= bound) this.#counts[i]!++;
  }

  render(): string[] {
    const buckets = this.#bounds.map((bound, i) => `${this.#name}_bucket{le="${bound}"} ${this.#counts[i]}`);
    return [
      ...header(this.#name, this.#help, "histogram"),
      ...buckets,
      `${this.#name}_bucket{le="+Inf"} ${this.#count}`,
      `${this.#name}_sum ${this.#sum}`,
      `${this.#name}_count ${this.#count}`,
    ];
  }
}

function header(name: string, help: string, type: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}
