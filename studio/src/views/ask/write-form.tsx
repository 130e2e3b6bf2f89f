/** @file What to write, with which models, and how tokens are drawn. */

import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { writers } from "../../live.js";
import { Field } from "../../parts/field.js";
import { change, chosenWriters, settings } from "./settings.js";

interface FormProps {
  readonly isWriting: boolean;
  onWrite(): void;
  onNext(): void;
  onStop(): void;
}

export function WriteForm({ isWriting, onWrite, onNext, onStop }: FormProps) {
  const { prompt, temperature, topP, maxTokens, seed, isGrounded, isBlind } = settings.value;
  const [left, right] = chosenWriters(settings.value);
  const isTwice = left === right && temperature === 0;
  function submit(event: Event): void {
    event.preventDefault();
    if (prompt.trim() !== "") onWrite();
  }
  return (
    <form class="write-form sheet" onSubmit={submit}>
      <NamedField label={isGrounded ? "Question to the documents" : "Prompt"}>
        {(id) => (
          <textarea
            id={id}
            rows={3}
            maxLength={20_000}
            value={prompt}
            placeholder={isGrounded ? "What to find out" : "The beginning of a text, or a message to the model"}
            onInput={({ currentTarget }) => change({ prompt: currentTarget.value })}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
            }}
          />
        )}
      </NamedField>
      <div class="fields">
        <WriterField label="Left" value={left} onChange={(id) => change({ left: id })} />
        <WriterField label="Right" value={right ?? ""} mayBeNone onChange={(id) => change({ right: id })} />
      </div>
      <details>
        <summary>
          Sampling{" "}
          <span class="quiet">{`temperature ${temperature}, top-p ${topP}, ${maxTokens} tokens, seed ${seed}`}</span>
        </summary>
        <div class="fields">
          <NumberField
            label="Temperature"
            hint="0 takes the likeliest token, 2 is wild"
            value={temperature}
            range={[0, 2, 0.1]}
            onChange={(value) => change({ temperature: value })}
          />
          <NumberField
            label="Top-p"
            hint="only the likeliest tokens that reach this share"
            value={topP}
            range={[0, 1, 0.05]}
            onChange={(value) => change({ topP: value })}
          />
          <NumberField
            label="Most tokens"
            hint="where the text ends at the latest"
            value={maxTokens}
            range={[1, 4096, 1]}
            onChange={(value) => change({ maxTokens: value })}
          />
          <NumberField
            label="Seed"
            hint="the same seed gives the same text"
            value={seed}
            range={[0, 2 ** 31 - 1, 1]}
            onChange={(value) => change({ seed: value })}
          />
        </div>
      </details>
      <div class="row">
        <label class="check">
          <input
            type="checkbox"
            checked={isGrounded}
            onChange={({ currentTarget }) => change({ isGrounded: currentTarget.checked })}
          />
          From the documents
          <span class="quiet">passages are put before the question, and what is quoted of them is checked</span>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={isBlind}
            disabled={right === undefined}
            onChange={({ currentTarget }) => change({ isBlind: currentTarget.checked })}
          />
          Judge blindly
          <span class="quiet">names are hidden, sides are drawn by lot, and each judgement brings the next pair</span>
        </label>
      </div>
      <div class="row">
        <button type="submit" class="primary" disabled={prompt.trim() === ""}>
          Write
        </button>
        <button type="button" disabled={prompt.trim() === ""} onClick={onNext}>
          Another sample
        </button>
        <button type="button" disabled={!isWriting} onClick={onStop}>
          Stop
        </button>
        {isTwice && (
          <span class="quiet">The same model twice at temperature 0 writes the same text; raise the temperature.</span>
        )}
      </div>
    </form>
  );
}

function NamedField({ label, children }: { readonly label: string; children(id: string): ComponentChildren }) {
  const id = useId();
  return (
    <Field id={id} label={label}>
      {children(id)}
    </Field>
  );
}

interface WriterFieldProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly mayBeNone?: boolean;
  onChange(id: string): void;
}

function WriterField({ label, value, mayBeNone, onChange }: WriterFieldProps) {
  return (
    <NamedField label={label}>
      {(id) => (
        <select id={id} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
          {mayBeNone && <option value="">no second model</option>}
          {writers.value.map((writer) => (
            <option key={writer.id} value={writer.id}>
              {writer.label}
            </option>
          ))}
        </select>
      )}
    </NamedField>
  );
}

interface NumberFieldProps {
  readonly label: string;
  readonly hint: string;
  readonly value: number;
  readonly range: readonly [least: number, most: number, step: number];
  onChange(value: number): void;
}

function NumberField({ label, hint, value, range: [least, most, step], onChange }: NumberFieldProps) {
  return (
    <NamedField label={label}>
      {(id) => (
        <>
          <input
            id={id}
            type="number"
            required
            min={least}
            max={most}
            step={step}
            value={value}
            aria-describedby={`${id}-hint`}
            onInput={({ currentTarget }) => {
              if (currentTarget.value !== "" && currentTarget.validity.valid) onChange(currentTarget.valueAsNumber);
            }}
          />
          <span id={`${id}-hint`} class="quiet">
            {hint}
          </span>
        </>
      )}
    </NamedField>
  );
}
