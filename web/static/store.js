// What the page knows; each change draws it again.

export const state = {
  key: sessionStorage.getItem("key") ?? "",
  models: null,
  usage: null,
  kind: "music",
  model: "",
  prompt: "",
  values: {}, // the parameters that were filled in, by name
  image: null, // a File to start from, or the reference of an image that is there
  fresh: false,
  busy: "", // the part of sending that goes on
  jobs: [],
  next: "", // the cursor of older jobs
  only: "", // the job that is shown alone
  problem: null,
  copied: "",
};

let draw = () => {};

export function whenChanged(change) {
  draw = change;
}

export function set(changes) {
  Object.assign(state, changes);
  draw();
}

// Tells people who cannot see the page.
export function say(text) {
  document.getElementById("said").textContent = text;
}
