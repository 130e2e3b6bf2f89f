/** @file What a run wrote on the way, what it came to, and its files. */

import { useState } from "preact/hooks";
import type { ExportChoice, RunDetail, RunFile, RunSamples } from "../../../../src/server/studio/wire/index.js";
import { messageOf, post } from "../../api.js";
import { bytes, integer } from "../../format.js";
import { Alert } from "../../parts/alert.js";

/** Samples that are shown before all are asked for. */
const FIRST = 2;

export function Samples({ samples }: { readonly samples: readonly RunSamples[] }) {
  const [isAll, setAll] = useState(false);
  if (samples.length === 0) return null;
  const shown = isAll ? samples : samples.slice(0, FIRST);
  return (
    <section aria-labelledby="samples">
      <h2 id="samples">What it writes</h2>
      <p class="quiet">The same held-out prompts after every evaluation, the latest first.</p>
      <ol class="samples">
        {shown.map(({ step, samples: texts }) => (
          <li key={step} class="sheet">
            <h3>{step === 0 ? "Before the first step" : `After step ${integer(step)}`}</h3>
            {texts.map(({ prompt, text, expected }, i) => (
              <dl key={i} class="sample">
                <dt>Prompt</dt>
                <dd>{prompt}</dd>
                <dt>It writes</dt>
                <dd class="written">{text === "" ? <span class="quiet">nothing</span> : text}</dd>
                <dt>In the data</dt>
                <dd>{expected}</dd>
              </dl>
            ))}
          </li>
        ))}
      </ol>
      {samples.length > FIRST && (
        <button type="button" class="plain" onClick={() => setAll(!isAll)}>
          {isAll ? "Show fewer" : `Show all ${samples.length}`}
        </button>
      )}
    </section>
  );
}

export function Facts({ title, facts }: { readonly title: string; readonly facts: RunDetail["settings"] }) {
  if (facts.length === 0) return null;
  return (
    <details>
      <summary>{title}</summary>
      <div class="scroll">
        <table>
          <tbody>
            {facts.map(([name, value]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

const kinds: readonly (readonly [kind: RunFile["kind"], title: string])[] = [
  ["adapter", "Adapter, for PEFT"],
  ["model", "Whole model, for Hugging Face libraries"],
  ["export", "Written for other programs"],
  ["record", "Records"],
];

export function Downloads({ detail: { id, files, exports } }: { readonly detail: RunDetail }) {
  if (files.length === 0) return null;
  return (
    <section aria-labelledby="downloads">
      <h2 id="downloads">Downloads</h2>
      {exports.length > 0 && <MakeExport id={id} choices={exports} />}
      <div class="downloads">
        {kinds.map(([kind, title]) => {
          const own = files.filter((file) => file.kind === kind);
          return (
            own.length > 0 && (
              <div key={kind}>
                <h3>{title}</h3>
                <ul>
                  {own.map(({ path, bytes: size }) => (
                    <li key={path}>
                      <a href={`/api/runs/${encodeURIComponent(id)}/files/${path}`} download>
                        {kind === "record" ? path : path.split("/").slice(1).join("/")}
                      </a>{" "}
                      <span class="quiet">{bytes(size)}</span>
                    </li>
                  ))}
                </ul>
              </div>
            )
          );
        })}
      </div>
    </section>
  );
}

function MakeExport({ id, choices }: { readonly id: string; readonly choices: readonly ExportChoice[] }) {
  const [format, setFormat] = useState("gguf");
  const [isGoing, setGoing] = useState(false);
  const [error, setError] = useState<string>();
  const choice = choices.find((one) => one.format === format) ?? choices[0]!;
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const dtype = new FormData(event.currentTarget as HTMLFormElement).get("dtype");
    setError(undefined);
    setGoing(true);
    await post(`/api/runs/${encodeURIComponent(id)}/exports`, { format: choice.format, dtype }).catch((thrown) =>
      setError(messageOf(thrown)),
    );
    setGoing(false);
  }
  return (
    <form class="row" onSubmit={submit}>
      <label for="format">Write it as</label>
      <select id="format" value={choice.format} onChange={(event) => setFormat(event.currentTarget.value)}>
        {choices.map((one) => (
          <option key={one.format} value={one.format}>
            {one.format}
          </option>
        ))}
      </select>
      <label for="dtype">weights</label>
      <select id="dtype" name="dtype" key={choice.format}>
        {choice.dtypes.map((dtype) => (
          <option key={dtype}>{dtype}</option>
        ))}
      </select>
      <button type="submit" disabled={isGoing}>
        {isGoing ? "Writing …" : "Write"}
      </button>
      <span class="quiet">{choice.about}; compared with the model before it can be downloaded</span>
      {error && <Alert>{error}</Alert>}
    </form>
  );
}
