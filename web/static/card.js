// A job as a card: how it stands, what it cost, its files, and what can be done with it.

import { html, nothing } from "./lib/lit-html/lit-html.js";
import { fetched, fileOf } from "./api.js";
import { asked, CODE, endOf } from "./code.js";
import { attempt, cancel, erase, over, retry, useAgain } from "./jobs.js";
import { heal } from "./media.js";
import { say, set, state } from "./store.js";
import { cost, facts, portion, time, waiting } from "./words.js";

const WORDS = { queued: "waits", running: "in the making", succeeded: "done", failed: "failed", canceled: "canceled" };

export const card = (job) => html`
  <article aria-labelledby=${`t-${job.id}`}>
    <header><h3 id=${`t-${job.id}`}>${job.prompt || "(erased)"}</h3>
      <span class="chip ${job.status}">${job.cached ? "found" : WORDS[job.status]}</span></header>
    <p class="small">${job.model} · <a href=${`#/jobs/${job.id}`}>${time(job.created_at)}</a>${job.served_by ? ` · by ${job.served_by}` : ""}</p>
    ${over(job) ? ended(job) : underWay(job)}
    <div class="acts">${over(job) ? afterwards(job) : html`<button class="secondary" @click=${() => cancel(job)}>Cancel</button>`}
      ${Object.keys(CODE).map((language) => copying(job, language))}</div>
  </article>`;

function underWay(job) {
  const now = Date.now();
  return html`<p>${waiting(job, now)}</p>
    <progress aria-label="Progress" max="1" .value=${portion(job, now)}></progress>
    <p class="small">${job.wait?.basis}</p>`;
}

const ended = (job) => html`
  ${job.outputs.map((output) => media(job, output))}
  ${job.error ? html`<div class="problem"><p>${job.error.message}</p></div>` : nothing}
  ${job.status === "canceled" ? html`<p>This was canceled.</p>` : nothing}
  <p class="small">${cost(job)}${job.outputs.length ? ` Kept until ${time(job.expires_at)}.` : ""}</p>`;

const media = (job, output) => html`${player(job, output)}
  <p class="small">${facts(output)}${output.warnings ? html`<br>${output.warnings.join(" ")}` : nothing}</p>`;

function player(job, output) {
  if (output.content_type.startsWith("image/")) {
    return html`<img class="result" src=${fileOf(output)} alt=${job.prompt} width=${output.width ?? nothing}
      height=${output.height ?? nothing} loading="lazy" @error=${heal}>`;
  }
  if (output.content_type.startsWith("video/")) {
    return html`<video class="result" src=${fileOf(output)} aria-label=${job.prompt} controls preload="metadata" playsinline
      @error=${heal}></video>`;
  }
  return html`<longplay-track .output=${output} .name=${job.prompt}></longplay-track>`;
}

const afterwards = (job) => html`
  ${job.outputs.map((output, n) => html`<button class="secondary" @click=${() => download(job, output, n)}>Download</button>`)}
  ${job.urls.retry ? html`<button class="secondary" @click=${() => retry(job)}>Try again</button>` : nothing}
  <button class="secondary outline" @click=${() => useAgain(job)}>Use again</button>
  <button class="secondary outline" @click=${() => erase(job)}>Delete</button>`;

// A browser opens a file of another origin and does not save it, so it is fetched first.
async function download(job, output, n) {
  await attempt(async () => {
    const answer = await fetched(fileOf(output));
    const address = URL.createObjectURL(await answer.blob());
    const name = `${job.id.slice(0, 8)}-${n}.${endOf(output)}`;
    Object.assign(document.createElement("a"), { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  });
}

function copying(job, language) {
  const mark = job.id + language;
  return html`<button class="secondary outline" @click=${() => copy(job, language, mark)}>
    ${state.copied === mark ? "Copied" : `Copy as ${language}`}</button>`;
}

async function copy(job, language, mark) {
  const [output] = job.outputs;
  await navigator.clipboard.writeText(CODE[language](asked(job), output ? endOf(output) : "bin"));
  set({ copied: mark });
  say(`Copied as ${language}.`);
}
