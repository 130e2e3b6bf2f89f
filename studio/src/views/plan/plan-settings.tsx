/** @file The settings that decide memory and time. */

import type { PlanRequest, RunChoices } from "../../../../src/server/studio/wire/index.js";
import { bytes, integer } from "../../format.js";
import { Field } from "../../parts/field.js";
import { ModelPicker } from "../../parts/model-picker.js";

export interface PlanSettingsProps {
  readonly request: PlanRequest;
  readonly choices: RunChoices;
  readonly maxPositions: number;
  onChange(changes: Partial<PlanRequest>): void;
}

/** Budgets from a quarter of a gigabyte to the machine's memory, in steps that are fine where they are small. */
function budgets(machineBytes: number): number[] {
  const steps: number[] = [];
  for (let budget = 2 ** 28; budget < machineBytes; budget *= 2)
    steps.push(budget, 1.25 * budget, 1.5 * budget, 1.75 * budget);
  return [...steps.filter((budget) => budget < machineBytes), machineBytes];
}

export function PlanSettings({ request, choices, maxPositions, onChange }: PlanSettingsProps) {
  const { base, method, algorithm, optimizer = "", precision, length, batchSize, memoryBytes } = request;
  const allowed = budgets(choices.machineBytes);
  const nearest = allowed.findIndex((budget) => budget >= (memoryBytes ?? 0));
  const lengths = powers(64, maxPositions);
  const batches = powers(1, 64);
  return (
    <form class="sheet settings" onSubmit={(event) => event.preventDefault()}>
      <Field id="plan-model" label="Model">
        <ModelPicker id="plan-model" bases={choices.bases} path={base} onChange={(path) => onChange({ base: path })} />
      </Field>
      <Select
        id="plan-method"
        label="Method"
        value={method}
        values={choices.methods}
        onChange={(value) => onChange({ method: value })}
      />
      <Slider
        id="plan-length"
        label="Tokens per row"
        values={lengths}
        at={length}
        text={integer(length)}
        onChange={(value) => onChange({ length: value })}
      />
      <Slider
        id="plan-batch"
        label="Rows per step"
        values={batches}
        at={batchSize}
        text={integer(batchSize)}
        onChange={(value) => onChange({ batchSize: value })}
      />
      <Slider
        id="plan-memory"
        label="Memory it may take"
        values={allowed}
        at={allowed[nearest] ?? allowed.at(-1)!}
        text={memoryBytes === undefined ? "any" : bytes(memoryBytes)}
        onChange={(value) => onChange({ memoryBytes: value })}
      />
      <Select
        id="plan-algorithm"
        label="Algorithm"
        value={algorithm}
        values={choices.algorithms}
        onChange={(value) => onChange({ algorithm: value })}
      />
      <Select
        id="plan-optimizer"
        label="Optimizer"
        value={optimizer}
        values={["", ...choices.optimizers]}
        onChange={(value) => onChange({ optimizer: value })}
      />
      <Select
        id="plan-precision"
        label="Values in memory as"
        value={precision}
        values={choices.precisions}
        onChange={(value) => onChange({ precision: value })}
      />
    </form>
  );
}

/** Doubling, and the end itself. */
function powers(from: number, to: number): number[] {
  const values: number[] = [];
  for (let value = from; value < to; value *= 2) values.push(value);
  return [...values, to];
}

interface SelectProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly values: readonly string[];
  onChange(value: string): void;
}

const Select = ({ id, label, value, values, onChange }: SelectProps) => (
  <Field id={id} label={label}>
    <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {values.map((one) => (
        <option key={one} value={one}>
          {one === "" ? "the usual one" : one}
        </option>
      ))}
    </select>
  </Field>
);

interface SliderProps {
  readonly id: string;
  readonly label: string;
  readonly values: readonly number[];
  readonly at: number;
  readonly text: string;
  onChange(value: number): void;
}

const Slider = ({ id, label, values, at, text, onChange }: SliderProps) => (
  <Field
    id={id}
    label={
      <>
        {label}: <output for={id}>{text}</output>
      </>
    }
  >
    <input
      id={id}
      type="range"
      min={0}
      max={values.length - 1}
      value={Math.max(
        0,
        values.findIndex((value) => value >= at),
      )}
      aria-valuetext={text}
      onInput={(event) => onChange(values[event.currentTarget.valueAsNumber]!)}
    />
  </Field>
);
