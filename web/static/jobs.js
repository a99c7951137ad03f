// The caller's jobs: reads them, follows them until they are over, and changes them.

import { call, post, upload } from "./api.js";
import { say, set, state } from "./store.js";

const NOT_ACCEPTED = {
  title: "This key is not accepted",
  detail: "Look whether it is complete, or ask the operator for a new one.",
};
const OVER = ["succeeded", "failed", "canceled"];
const LOOKS = 4; // seconds between two looks at most: a person watches
const followed = new Set();

export const over = (job) => OVER.includes(job.status);

// Reads models, usage and the newest jobs; the key has to be good for that.
export async function open() {
  await attempt(async () => {
    set({ problem: null });
    const { document } = await call("models");
    set({ models: document.models });
    choose(state.kind);
    await Promise.all([list(), readUsage()]);
  });
}

export function choose(kind) {
  const fitting = state.models.filter((model) => model.kind === kind && model.from_image === Boolean(state.image));
  const model = fitting.find((each) => each.default && each.available) ?? fitting.find((each) => each.available);
  set({ kind, model: model?.id ?? "", values: {} });
}

export const chosen = () => state.models?.find((model) => model.id === state.model);

async function readUsage() {
  set({ usage: (await call("usage?days=1")).document });
}

export async function list({ older = false } = {}) {
  await attempt(async () => {
    const cursor = older ? `&cursor=${encodeURIComponent(state.next)}` : "";
    const { document } = await call(`jobs?limit=20${cursor}`);
    set({ next: document.next_cursor ?? "" });
    document.jobs.forEach(take);
  });
}

// Puts a job where it belongs in the history, and follows it if it is not over.
function take(job) {
  job.readAt = Date.now();
  const others = state.jobs.filter((other) => other.id !== job.id);
  set({ jobs: [job, ...others].sort((one, other) => (one.created_at < other.created_at ? 1 : -1)) });
  if (!over(job)) follow(job.id, 1);
}

async function follow(id, after) {
  if (followed.has(id)) return;
  followed.add(id);
  await new Promise((resolve) => setTimeout(resolve, 1000 * (document.hidden ? after : Math.min(after, LOOKS))));
  followed.delete(id);
  if (state.key && state.jobs.some((job) => job.id === id)) await look(id);
}

async function look(id) {
  try {
    const { document: job, after } = await call(`jobs/${id}`);
    if (state.problem?.passing) set({ problem: null });
    if (over(job)) ended(job);
    else follow(id, after);
    take(job);
  } catch (problem) {
    const passing = problem.retryable || problem.status >= 500;
    if (passing) follow(id, 5);
    show(Object.assign(problem, { passing }));
  }
}

function ended(job) {
  say({ succeeded: `Your ${job.kind} is here.`, failed: `Your ${job.kind} failed.`, canceled: "Canceled." }[job.status]);
  attempt(readUsage);
}

// Shows one job alone, also an old one.
export async function showAlone(id) {
  set({ only: id, problem: null });
  if (id && !state.jobs.some((job) => job.id === id)) await attempt(async () => take((await call(`jobs/${id}`)).document));
}

export async function generate() {
  if (!state.prompt.trim() || state.busy || !chosen()?.available) return;
  set({ busy: "Sending", problem: null });
  await attempt(async () => {
    const body = request();
    if (state.image) body.image = await upload(state.image);
    const { document: job } = await post("generate", body);
    say(over(job) ? "An equal request had this result already; it cost nothing." : "Your request is taken.");
    location.hash = ""; // where one job was shown alone
    set({ only: "" });
    take(job);
    document.querySelector("article header").scrollIntoView({ block: "nearest" }); // on a phone it is far below
  });
  set({ busy: "" });
}

// The body of a request as the form stands; a parameter that is left empty has its default.
function request() {
  const filled = Object.entries(chosen().parameters).filter(([name]) => (state.values[name] ?? "") !== "");
  const values = filled.map(([name, { type }]) => [name, type === "string" ? state.values[name] : Number(state.values[name])]);
  const fresh = state.fresh ? { fresh: true } : {};
  return { prompt: state.prompt, model: state.model, ...Object.fromEntries(values), ...fresh };
}

// Fills the form with what a job was asked for.
export function useAgain(job) {
  location.hash = "";
  const image = job.image ? { reference: job.image, name: "the image of that job" } : null;
  set({ kind: job.kind, model: job.model, prompt: job.prompt, values: { ...job.parameters }, image, fresh: true, only: "" });
  document.getElementById("prompt").focus();
}

export const cancel = (job) => attempt(async () => take((await post(`jobs/${job.id}/cancel`)).document));

export const retry = (job) => attempt(async () => take((await post(`jobs/${job.id}/retry`)).document));

export async function erase(job) {
  if (!confirm("Erase the prompt and the files of this job? What it cost stays on record.")) return;
  await attempt(async () => {
    await call(`jobs/${job.id}`, { method: "DELETE" });
    set({ jobs: state.jobs.filter((other) => other.id !== job.id), only: "" });
    say("Erased.");
    document.getElementById("made").focus();
  });
}

// Shows the problem of what was tried, if there is one; a key that is not accepted is forgotten.
export async function attempt(action) {
  try {
    await action();
  } catch (problem) {
    show(problem);
  }
}

function show(problem) {
  if (!("code" in problem)) throw problem; // a fault of the page
  const refused = problem.status === 401 || problem.status === 403;
  if (refused) forget();
  set({ problem: refused ? NOT_ACCEPTED : problem });
}

function forget() {
  sessionStorage.removeItem("key");
  set({ key: "", models: null, usage: null, jobs: [], next: "", problem: null });
}

// Begins again, so that no answer to the one key arrives under the other.
export function useKey(key) {
  if (key) sessionStorage.setItem("key", key);
  else sessionStorage.removeItem("key");
  location.replace(location.pathname);
}
