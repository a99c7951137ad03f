// The page: asks for the key, then shows the form and the jobs.

import { repeat } from "./lib/lit-html/directives/repeat.js";
import { html, nothing, render } from "./lib/lit-html/lit-html.js";
import { ask, EXAMPLES } from "./ask.js";
import { card } from "./card.js";
import { list, open, over, showAlone, useKey } from "./jobs.js";
import { set, state, whenChanged } from "./store.js";

const root = document.getElementById("app");

const page = () => html`
  <header class="bar"><h1>Longplay</h1>${state.key ? keyLine() : nothing}</header>
  <main class="desk">${state.key ? desk() : door()}</main>`;

const keyLine = () => html`<p>Key ${state.key.split("_").slice(0, 2).join("_")}_…
  <button class="plain" @click=${() => useKey("")}>Forget it</button></p>`;

const desk = () => html`
  <section aria-labelledby="ask"><h2 id="ask" class="unseen">Ask</h2>${problem()} ${state.models ? ask() : loading()}</section>
  <section aria-labelledby="made"><h2 id="made" class="unseen" tabindex="-1">Made</h2>${history()}</section>`;

const loading = () => (state.problem ? html`<button @click=${open}>Try again</button>` : html`<p aria-busy="true">Loading…</p>`);

const door = () => html`<form class="door" @submit=${entered}>
  <h2>Your key</h2>${problem()}
  <label for="key">API key
    <input id="key" name="key" type="password" autocomplete="off" spellcheck="false" required placeholder="lp_…" aria-describedby="about-key"></label>
  <p id="about-key" class="small">The operator of this deployment issues keys: <code>make key OWNER=name</code>. It stays in this tab,
    and is sent to this API and to no other address.</p>
  <button>Open</button></form>`;

function entered(event) {
  event.preventDefault();
  useKey(event.target.key.value.trim());
}

function problem() {
  const { problem: found } = state;
  if (!found) return nothing;
  const money = { no: "It cost nothing.", unknown: "It is not known whether it cost anything.", yes: "It was charged." }[found.charged];
  return html`<div class="problem" role="alert"><p><strong>${found.title}</strong></p><p>${found.detail}</p>
    ${money ? html`<p class="small">${money}</p>` : nothing}
    <p class="small">${found.help ? html`<a href=${found.help}>About this refusal</a>` : nothing}
      ${found.request_id ? html` Request ${found.request_id}` : nothing}</p></div>`;
}

function history() {
  if (state.only) return alone(state.jobs.filter((job) => job.id === state.only));
  if (!state.models) return nothing;
  if (!state.jobs.length) return empty();
  return html`${cards(state.jobs)} ${state.next ? html`<button class="secondary" @click=${() => list({ older: true })}>Older</button>` : nothing}`;
}

const cards = (jobs) => repeat(jobs, (job) => job.id, card);

const alone = (jobs) => html`<p><a href="#">All jobs</a></p>${cards(jobs)}`;

const empty = () => html`<article><p><strong>Nothing here yet.</strong> Say what you would like to hear or see, or begin with one of these.
    A job goes on when this page is closed, and its result is kept.</p>
  <div class="acts">${EXAMPLES[state.kind].map((prompt) => html`<button class="secondary outline" @click=${() => begin(prompt)}>${prompt}</button>`)}</div></article>`;

function begin(prompt) {
  set({ prompt });
  document.getElementById("prompt").focus();
}

// The fragment has a job that is shown alone, or a key, which is not left in the address.
function route() {
  const [, key] = /^#key=(.+)$/.exec(location.hash) ?? [];
  if (key) return useKey(decodeURIComponent(key));
  const [, job] = /^#\/jobs\/([a-z0-9]+)$/.exec(location.hash) ?? [];
  return state.key ? showAlone(job ?? "") : undefined;
}

function typed(event) {
  const inField = event.target.closest("input, textarea, select");
  if (event.key !== "/" || inField || !document.getElementById("prompt")) return;
  event.preventDefault();
  document.getElementById("prompt").focus();
}

root.replaceChildren(); // what stood there until now
whenChanged(() => render(page(), root));
set({});
addEventListener("hashchange", route);
document.addEventListener("keydown", typed);
setInterval(() => state.jobs.some((job) => !over(job)) && set({}), 1000);
if (state.key && !location.hash.startsWith("#key=")) open();
route();
