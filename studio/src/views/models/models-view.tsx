/** @file The models from the inside: what they are made of, how their weights lie, what their attention looks at. */

import { useState } from "preact/hooks";
import type { ModelFacts } from "../../../../src/server/studio/wire/index.js";
import { bytes, count } from "../../format.js";
import { writers } from "../../live.js";
import { Alert } from "../../parts/alert.js";
import { useAnswer } from "../../parts/use-answer.js";
import { goTo, linkTo, route } from "../../route.js";
import { AttentionView } from "./attention-view.js";
import { PartsBar } from "./parts-bar.js";
import { TensorGroups } from "./tensor-groups.js";
import { WeightView } from "./weight-view.js";
import "./models.css";

export function ModelsView() {
  const known = writers.value;
  const asked = route.value.query.get("id");
  const id = asked ?? (known.find(({ kind }) => kind === "tuned") ?? known[0])?.id;
  const chosen = known.find((writer) => writer.id === id);
  // a model that was trained again is another one
  const [facts, error] = useAnswer<ModelFacts>(
    id === undefined ? undefined : `/api/model?${new URLSearchParams({ id })}`,
    chosen?.label,
  );
  if (id === undefined) {
    return (
      <>
        <h1>Models</h1>
        <p class="quiet">
          There is no model yet. <a href={linkTo("home")}>Train one on the folder</a>, or start with --base to bring
          one.
        </p>
      </>
    );
  }
  return (
    <div class="models">
      <header class="row">
        <h1>Model</h1>
        <select
          aria-label="Model to look into"
          value={id}
          onChange={(event) => goTo("models", { id: event.currentTarget.value })}
        >
          {known.map((writer) => (
            <option key={writer.id} value={writer.id}>
              {writer.label}
            </option>
          ))}
        </select>
      </header>
      {error && <Alert>{error}</Alert>}
      {facts ? <Model key={facts.id} facts={facts} /> : !error && <p class="quiet">Reading …</p>}
    </div>
  );
}

function Model({ facts }: { readonly facts: ModelFacts }) {
  const { id, groups, attention } = facts;
  const [tensor, setTensor] = useState(() => firstMatrix(facts));
  return (
    <>
      <section class="sheet" aria-labelledby="made-of">
        <h2 id="made-of">
          {count(facts.numParameters)} parameters in {bytes(facts.bytes)}
        </h2>
        <PartsBar parts={facts.parts} numParameters={facts.numParameters} />
        <dl class="facts">
          {facts.facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      <AttentionView id={id} offer={attention} isSmall={facts.numParameters < 50e6} />
      <div class="inside">
        <section class="sheet" aria-labelledby="tensors">
          <h2 id="tensors">Layer by layer</h2>
          <TensorGroups groups={groups} numParameters={facts.numParameters} chosen={tensor} onChoose={setTensor} />
        </section>
        {tensor !== undefined && <WeightView id={id} name={tensor} />}
      </div>
    </>
  );
}

/** Of the first layer, where there is one: what attention asks with. */
const firstMatrix = ({ groups }: ModelFacts): string | undefined =>
  (groups.find(({ name }) => /layer 0$/i.test(name)) ?? groups[0])?.tensors.find(({ shape }) => shape.length > 1)?.name;
