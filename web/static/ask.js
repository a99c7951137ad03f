// The form that asks for a generation.

import { html, nothing } from "./lib/lit-html/lit-html.js";
import { choose, chosen, generate } from "./jobs.js";
import { set, state } from "./store.js";
import { usd } from "./words.js";

const KINDS = { music: "Music", image: "Image", video: "Video" };
const TAKEN = ["image/png", "image/jpeg", "image/webp"];
const NO_IMAGE = { title: "This file cannot be started from", detail: "Choose a PNG, JPEG or WebP file." };
const NO_MODEL = { title: "No model here starts from an image", detail: "Choose another kind, or leave the image out." };
export const EXAMPLES = {
  music: ["upbeat techno with heavy bass", "slow pads over distant rain", "a string quartet in a stairwell"],
  image: ["a lighthouse in a storm, oil on canvas", "an old record player on the moon", "a paper city at night"],
  video: ["waves on a black beach at dawn", "a paper boat crosses a puddle", "snow falls on a quiet street"],
};

export const ask = () => html`
  <form @submit=${sent} @keydown=${pressed} @paste=${pasted} @dragover=${(event) => event.preventDefault()} @drop=${dropped}>
    ${kinds()}
    <label for="prompt">Prompt
      <textarea id="prompt" required maxlength="2000" .value=${state.prompt} placeholder=${EXAMPLES[state.kind][0]}
        aria-keyshortcuts="/" @input=${(event) => set({ prompt: event.target.value })}></textarea></label>
    ${models()} ${license()} ${options()} ${image()}
    <button aria-busy=${Boolean(state.busy)} ?disabled=${!state.prompt.trim() || !chosen()?.available}>${submitText()}</button>
    <p class="small">Ctrl + Enter sends. An equal request gets the same file, free of charge.</p>
    ${usage()}
  </form>`;

function sent(event) {
  event.preventDefault();
  generate();
}

function pressed(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
}

const kinds = () => html`<fieldset class="kinds"><legend class="unseen">Kind</legend>
  ${Object.entries(KINDS).map(([kind, title]) => html`<label><input type="radio" name="kind"
    .checked=${state.kind === kind} @change=${() => choose(kind)}>${title}</label>`)}</fieldset>`;

const models = () => html`<label for="model">Model
  <select id="model" @change=${(event) => set({ model: event.target.value, values: {} })}>
    ${fitting().map(choice)} ${fitting().length ? nothing : html`<option>None for this here</option>`}
  </select></label>`;

const fitting = () => state.models.filter(({ kind, from_image: fromImage }) => kind === state.kind && fromImage === Boolean(state.image));

const choice = ({ id, title, available }) => html`<option value=${id} .selected=${id === state.model} ?disabled=${!available}>
  ${title}${available ? "" : " (not set up here)"}</option>`;

function license() {
  const model = chosen();
  return model ? html`<p class="small">${model.license.notice ?? `License: ${model.license.name}.`}</p>` : nothing;
}

const options = () => html`<details><summary>More options</summary>
  <div class="pair">${Object.entries(chosen()?.parameters ?? {}).map(field)}</div>
  <label><input type="checkbox" role="switch" .checked=${state.fresh} @change=${(event) => set({ fresh: event.target.checked })}>
    Make a new one each time</label></details>`;

function field([name, bounds]) {
  const id = `p-${name}`;
  const written = (event) => set({ values: { ...state.values, [name]: event.target.value } });
  return html`<label for=${id}>${name.replaceAll("_", " ")}
    <input id=${id} type=${bounds.type === "string" ? "text" : "number"} min=${bounds.minimum ?? nothing}
      max=${bounds.maximum ?? nothing} step=${bounds.multipleOf ?? (bounds.type === "integer" ? 1 : "any")}
      maxlength=${bounds.maxLength ?? nothing} placeholder=${bounds.default ?? ""} .value=${state.values[name] ?? ""}
      aria-invalid=${refused(name) || nothing} @input=${written}>
    <small>${range(bounds)}</small></label>`;
}

const refused = (name) => state.problem?.errors?.some(({ pointer }) => pointer === `#/${name}`);

function range({ minimum, maximum, maxLength }) {
  if (maxLength !== undefined) return `up to ${maxLength} characters`;
  return minimum === undefined ? "" : `${minimum} to ${maximum}`;
}

const takesImages = () => state.models.some((model) => model.kind === state.kind && model.from_image && model.available);

function image() {
  if (state.image) {
    return html`<p class="small">Starts from ${state.image.name || "the pasted image"}.
      <button type="button" class="plain" @click=${() => start(null)}>Without it</button></p>`;
  }
  return takesImages() ? html`<label for="image">Start from an image: choose, drop or paste one
    <input id="image" type="file" accept=${TAKEN.join()} @change=${(event) => start(event.target.files[0])}></label>` : nothing;
}

function start(file) {
  if (file && !TAKEN.includes(file.type)) return set({ problem: NO_IMAGE });
  if (file && !takesImages()) return set({ problem: NO_MODEL });
  set({ image: file ?? null, problem: null });
  choose(state.kind);
}

function pasted(event) {
  const [file] = event.clipboardData.files;
  if (file) start(file);
}

function dropped(event) {
  event.preventDefault();
  start(event.dataTransfer.files[0]);
}

function submitText() {
  const price = chosen()?.routes[0]?.estimated_usd;
  if (state.busy) return state.busy;
  return price === undefined ? "Generate" : `Generate · ${price ? `about ${usd(price)}` : "free"}`;
}

function usage() {
  if (!state.usage) return nothing;
  const { today, caps = {} } = state.usage;
  const left = caps.usd_left === undefined ? "" : ` ${usd(caps.usd_left)} is left.`;
  return html`<p class="small" id="usage">Today: ${today.jobs} ${today.jobs === 1 ? "job" : "jobs"}, ${usd(today.charged_usd)}.${left}</p>`;
}
