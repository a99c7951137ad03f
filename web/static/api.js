// Requests to the API.

import { state } from "./store.js";

// The page is at the API's root, so its folder is the API.
export const ROOT = new URL(".", location.href).href;

// A refusal, with the members of its document (RFC 9457).
export class Problem extends Error {
  constructor(document) {
    super(document.detail);
    Object.assign(this, document);
  }
}

const UNREACHABLE = {
  title: "Longplay cannot be reached",
  detail: "Look at your connection, then try again. A request that was sent before is found again, and not made twice.",
  code: "unreachable",
  retryable: true,
};

// The document that a request is answered with, and the seconds after which to ask again.
export async function call(path, { headers, ...options } = {}) {
  const answer = await fetched(ROOT + path, { ...options, headers: { "x-api-key": state.key, ...headers } });
  const document = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
  if (!answer.ok) throw refusal(document, answer.status);
  return { document, after: Number(answer.headers.get("Retry-After")) || 2 };
}

export async function fetched(address, options) {
  try {
    return await fetch(address, options);
  } catch {
    throw new Problem(UNREACHABLE);
  }
}

function refusal(document, status) {
  const unread = { title: "That did not work", detail: `The API answered ${status}.`, code: "unknown" };
  return new Problem({ ...unread, ...document, status });
}

// A POST that is repeated has the same key, so that nothing is made twice.
export async function post(path, body) {
  const options = { method: "POST", body: body && JSON.stringify(body), headers: { "Idempotency-Key": crypto.randomUUID() } };
  try {
    return await call(path, options);
  } catch (problem) {
    if (problem.code !== "unreachable" && problem.status < 500) throw problem;
    return call(path, options);
  }
}

// The value for `image` of a file that the caller has, or of an image that is there already.
export async function upload(image) {
  if (image.reference) return image.reference;
  const { document: form } = await post("uploads");
  const data = new FormData();
  for (const [name, value] of Object.entries(form.fields)) data.append(name, value);
  data.append("file", image);
  const answer = await fetched(form.url, { method: form.method, body: data });
  if (!answer.ok) throw new Problem({ code: "not_taken", title: "The image was not taken", detail: `It may have ${Math.floor(form.largest / 1e6)} MB at most.` });
  return form.image;
}

// Where a file can be had without the key for as long as the job is kept.
export const fileOf = (output) => (output.link ? ROOT + output.link : output.url);
