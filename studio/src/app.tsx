/** @file The frame around every view: where one is, what goes on, and what went wrong. */

import { signal } from "@preact/signals";
import { Component, type ComponentChildren, type ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { messageOf, post } from "./api.js";
import { connection, follow, state, work } from "./live.js";
import { Alert } from "./parts/alert.js";
import { ProgressBar } from "./parts/progress-bar.js";
import { linkTo, route } from "./route.js";
import { HomeView } from "./views/home/home-view.js";
import { type ViewName, views } from "./views/index.js";

export function App() {
  useEffect(follow, []);
  if (connection.value === "locked") return <SignIn />;
  const { name } = route.value;
  return (
    <>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <header class="top">
        <a class="brand" href={linkTo("home")}>
          <span class="tiles" aria-hidden="true" />
          <span class="folder">{state.value?.folder ?? "Tessera"}</span>
        </a>
        <nav aria-label="Views">
          {Object.entries(views).map(([key, { label }]) => (
            <a key={key} href={linkTo(key)} aria-current={name === key ? "page" : undefined}>
              {label}
            </a>
          ))}
        </nav>
      </header>
      <div class="going-on" role="status">
        {connection.value === "lost" && <p class="lost">The server does not answer; trying again …</p>}
        {work.value.map(({ id, label, share, detail }) => (
          <ProgressBar key={id} label={label} share={share} detail={detail} />
        ))}
      </div>
      <main id="main" tabIndex={-1}>
        <Boundary key={name}>
          <View name={name} />
        </Boundary>
      </main>
    </>
  );
}

const isView = (name: string): name is ViewName => name in views;

function View({ name }: { readonly name: string }) {
  if (state.value === undefined) return <p class="quiet">Asking the server …</p>;
  if (name === "home") return <HomeView />;
  if (!isView(name)) {
    return (
      <Alert>
        There is no view {JSON.stringify(name)}; choose one above, or <a href={linkTo("home")}>start at the first</a>.
      </Alert>
    );
  }
  return <LazyView name={name} />;
}

const loaded = signal<Readonly<Partial<Record<ViewName, ComponentType>>>>({});

/** A view whose code is fetched when it is first shown. */
function LazyView({ name }: { readonly name: ViewName }) {
  const [error, setError] = useState<string>();
  const Shown = loaded.value[name];
  useEffect(() => {
    if (Shown) return;
    views[name]!.load().then(
      (view) => {
        loaded.value = { ...loaded.value, [name]: view };
      },
      (thrown) => setError(messageOf(thrown)),
    );
  }, [name, Shown]);
  if (error) return <Alert>This view could not be loaded ({error}); load the page anew.</Alert>;
  return Shown ? <Shown /> : <p class="quiet">Opening …</p>;
}

/** One view that fails does not take the others with it. */
class Boundary extends Component<{ readonly children: ComponentChildren }, { readonly error?: string }> {
  override componentDidCatch(thrown: unknown): void {
    console.error(thrown);
    this.setState({ error: messageOf(thrown) });
  }

  render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return <Alert>This view failed: {error}. The others still work; please report it.</Alert>;
  }
}

/** The server asks for the key that it was started with. */
function SignIn() {
  const [error, setError] = useState<string>();
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const key = new FormData(event.currentTarget as HTMLFormElement).get("key");
    try {
      await post("/api/sign-in", { key });
      connection.value = "opening";
      follow();
    } catch (thrown) {
      setError(messageOf(thrown));
    }
  }
  return (
    <main class="sign-in">
      <h1>
        <span class="tiles" aria-hidden="true" /> Tessera Studio
      </h1>
      <form onSubmit={submit}>
        <label for="key">The key that this server was started with (its terminal shows it)</label>
        <div class="row">
          <input id="key" name="key" type="password" autocomplete="current-password" required />
          <button type="submit" class="primary">
            Open
          </button>
        </div>
      </form>
      {error && <Alert>{error}</Alert>}
    </main>
  );
}
