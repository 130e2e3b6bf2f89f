/** @file The form that starts a tuning run; what is wrong is said at its field. */

import type { ComponentChildren, ComponentProps } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { RunChoices, RunRequest, RunSummary, Uploaded } from "../../../../src/server/studio/wire/index.js";
import { get, messageOf, post, postFile, ServerError } from "../../api.js";
import { bytes } from "../../format.js";
import { Alert } from "../../parts/alert.js";
import { Field } from "../../parts/field.js";
import { ModelPicker } from "../../parts/model-picker.js";
import { goTo, linkTo } from "../../route.js";
import "./runs.css";

/** What went wrong, at a field or with all of it. */
interface Fault {
  readonly field: string | undefined;
  readonly message: string;
}

/** @param query values that fields start with, by their names: the plan links here with its own. */
export function NewRun({ query }: { readonly query: URLSearchParams }) {
  const [choices, setChoices] = useState<RunChoices>();
  const [fault, setFault] = useState<Fault>();
  const [isGoing, setGoing] = useState(false);
  useEffect(() => {
    get<RunChoices>("/api/choices").then(setChoices, (thrown) => setFault(faultOf(thrown)));
  }, []);
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    setFault(undefined);
    setGoing(true);
    try {
      const { id } = await post<RunSummary>("/api/runs", requestOf(event.currentTarget as HTMLFormElement));
      goTo("runs", { run: id });
    } catch (thrown) {
      setFault(faultOf(thrown));
    }
    setGoing(false);
  }
  if (!choices) return fault ? <Alert>{fault.message}</Alert> : <p class="quiet">Asking the server …</p>;
  const isElsewhere = fault !== undefined && !fieldNames.includes(fault.field ?? "");
  return (
    <div class="runs-view">
      <h1>New run</h1>
      <p>
        A model learns from your examples; some of them are held out to test it. It can be paused and gone on with at
        any time.
      </p>
      <form class="sheet new-run" onSubmit={submit}>
        <CheckedField name="name" label="Name" fault={fault}>
          <input id="name" name="name" maxLength={80} defaultValue={query.get("name") ?? "Tuning run"} required />
        </CheckedField>
        <BaseField choices={choices} start={query.get("base")} fault={fault} />
        <DataField choices={choices} start={query.get("data") ?? ""} fault={fault} onFault={setFault} />
        <CheckedField name="method" label="Method" about={methodAbout} fault={fault}>
          <Options id="method" values={choices.methods} start={query.get("method") ?? "lora"} />
        </CheckedField>
        <NumberField
          name="epochs"
          label="Passes over the examples"
          fault={fault}
          min={0.1}
          max={10000}
          step="any"
          placeholder="3"
        />
        <NumberField
          name="steps"
          label="Steps, instead of passes"
          fault={fault}
          min={1}
          max={10000000}
          placeholder="by the passes"
        />
        <NumberField
          name="learningRate"
          label="Learning rate, at its peak"
          fault={fault}
          min={0}
          max={100}
          step="any"
          placeholder="2e-4 for adapters, 2e-5 for all weights"
        />
        <NumberField
          name="memory"
          label="Most memory, in GB"
          fault={fault}
          about={memoryAbout(choices)}
          min={0.1}
          step="any"
          defaultValue={query.get("memory") ?? ""}
          placeholder="no limit"
        />
        <details open={query.has("length") || fault?.field === "length"}>
          <summary>More settings</summary>
          <div class="more">
            <NumberField
              name="length"
              label="Tokens per row"
              fault={fault}
              min={8}
              max={1048576}
              defaultValue={query.get("length") ?? ""}
              placeholder="the longest example"
            />
            <NumberField
              name="batchSize"
              label="Rows per step"
              fault={fault}
              min={1}
              max={4096}
              defaultValue={query.get("batchSize") ?? ""}
              placeholder="8"
            />
            <CheckedField name="algorithm" label="Algorithm" fault={fault}>
              <Options
                id="algorithm"
                values={choices.algorithms}
                start={query.get("algorithm") ?? ""}
                usual="backprop"
              />
            </CheckedField>
            <CheckedField name="optimizer" label="Optimizer" fault={fault}>
              <Options
                id="optimizer"
                values={choices.optimizers}
                start={query.get("optimizer") ?? ""}
                usual="the algorithm's own"
              />
            </CheckedField>
            <CheckedField name="precision" label="Precision of what lies in memory" fault={fault}>
              <Options
                id="precision"
                values={choices.precisions}
                start={query.get("precision") ?? ""}
                usual="float32"
              />
            </CheckedField>
          </div>
        </details>
        {isElsewhere && <Alert>{fault.message}</Alert>}
        <div class="row">
          <button type="submit" class="primary" disabled={isGoing}>
            {isGoing ? "Reading examples and model …" : "Start"}
          </button>
          <a href={linkTo("runs")}>Back to the runs</a>
        </div>
      </form>
    </div>
  );
}

const methodAbout =
  "lora trains a small adapter beside the model; qlora does so over 4-bit weights; full trains every weight.";
const memoryAbout = ({ machineBytes }: RunChoices): string =>
  `The plan is made to fit. This machine has ${bytes(machineBytes)}.`;

const fieldNames = [
  ...["name", "base", "data", "method", "epochs", "steps", "learningRate", "memory", "length", "batchSize"],
  ...["algorithm", "optimizer", "precision"],
];

function faultOf(thrown: unknown): Fault {
  const field = thrown instanceof ServerError ? thrown.field : undefined;
  return { field: field === "memoryBytes" ? "memory" : field, message: messageOf(thrown) };
}

/** What is left empty is left to the server. */
function requestOf(form: HTMLFormElement): RunRequest {
  const values = new FormData(form);
  const text = (name: string): string => `${values.get(name) ?? ""}`.trim();
  const number = (name: string): number | undefined => (text(name) === "" ? undefined : Number(text(name)));
  const given = Object.fromEntries(
    ["epochs", "steps", "learningRate", "length", "batchSize"].flatMap((name) => {
      const value = number(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const chosen = Object.fromEntries(
    ["algorithm", "optimizer", "precision"].flatMap((name) => (text(name) === "" ? [] : [[name, text(name)]])),
  );
  const memory = number("memory");
  return {
    name: text("name"),
    base: text("base"),
    data: text("data"),
    method: text("method"),
    ...given,
    ...chosen,
    ...(memory !== undefined && { memoryBytes: Math.round(memory * 2 ** 30) }),
  };
}

interface CheckedFieldProps {
  readonly name: string;
  readonly label: string;
  readonly about?: string;
  readonly fault: Fault | undefined;
  readonly children: ComponentChildren;
}

function CheckedField({ name, label, about, fault, children }: CheckedFieldProps) {
  return (
    <Field id={name} label={label}>
      {children}
      {about && <span class="quiet">{about}</span>}
      {fault?.field === name && <Alert>{fault.message}</Alert>}
    </Field>
  );
}

type NumberFieldProps = Omit<CheckedFieldProps, "children"> &
  Pick<ComponentProps<"input">, "min" | "max" | "step" | "defaultValue" | "placeholder">;

function NumberField({ name, label, about, fault, ...input }: NumberFieldProps) {
  return (
    <CheckedField name={name} label={label} fault={fault} {...(about !== undefined && { about })}>
      <input id={name} name={name} type="number" {...input} />
    </CheckedField>
  );
}

interface OptionsProps {
  readonly id: string;
  readonly values: readonly string[];
  readonly start: string;
  /** What is taken where nothing is chosen. */
  readonly usual?: string;
}

const Options = ({ id, values, start, usual }: OptionsProps) => (
  <select id={id} name={id}>
    {usual !== undefined && (
      <option value="" selected={start === ""}>
        usual ({usual})
      </option>
    )}
    {values.map((value) => (
      <option key={value} value={value} selected={value === start}>
        {value}
      </option>
    ))}
  </select>
);

interface BaseFieldProps {
  readonly choices: RunChoices;
  readonly start: string | null;
  readonly fault: Fault | undefined;
}

function BaseField({ choices: { bases }, start, fault }: BaseFieldProps) {
  const [path, setPath] = useState(start ?? bases[0]?.path ?? "");
  return (
    <CheckedField name="base" label="Start from the model" fault={fault}>
      <ModelPicker id="base" bases={bases} path={path} onChange={setPath} />
      <input type="hidden" name="base" value={path} />
    </CheckedField>
  );
}

interface DataFieldProps {
  readonly choices: RunChoices;
  readonly start: string;
  readonly fault: Fault | undefined;
  onFault(fault: Fault | undefined): void;
}

function DataField({ choices, start, fault, onFault }: DataFieldProps) {
  const [path, setPath] = useState(start);
  const [note, setNote] = useState<string>();
  async function upload(file: File | undefined): Promise<void> {
    if (!file) return;
    onFault(undefined);
    setNote(`Sending ${file.name} …`);
    try {
      const kept = await postFile<Uploaded>(`/api/uploads?name=${encodeURIComponent(file.name)}`, file);
      setPath(kept.path);
      setNote(`${file.name}, ${bytes(kept.bytes)}`);
    } catch (thrown) {
      setNote(undefined);
      onFault({ field: "data", message: messageOf(thrown) });
    }
  }
  return (
    <CheckedField name="data" label="Examples to learn from" fault={fault}>
      <input
        id="data"
        name="data"
        value={path}
        onInput={(event) => setPath(event.currentTarget.value)}
        placeholder="/path/to/rows.jsonl, or a folder"
        required
      />
      <label class="row quiet">
        or send a file of at most {bytes(choices.uploadBytes)}:{" "}
        <input
          type="file"
          accept=".jsonl,.ndjson,.json,.txt,.md"
          onChange={(event) => upload(event.currentTarget.files?.[0])}
        />
      </label>
      <span class="quiet">{note ?? "JSON or JSONL with instructions and answers, chats, or plain text"}</span>
    </CheckedField>
  );
}
