// The words of the page: why a job waits, what it cost, and lengths of time.

const WAITS = {
  provider_quota: "Waits for the provider's quota",
  model_loading: "The model is being loaded",
  concurrency: "Waits for a free worker",
  provider_error: "The provider failed; it is tried again",
  provider_working: "Is being generated",
  coalesced: "Shares the result of an equal request that is on its way",
  account_paused: "The provider refuses this deployment for now; the operator is told",
  service_busy: "The service is busy; it goes on by itself",
  budget: "Waits for room in the daily cap",
};

export const usd = (amount) => `$${Number(amount).toLocaleString("en", { maximumFractionDigits: 4 })}`;

export function span(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

export const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} KB` : `${(bytes / 1e6).toFixed(1)} MB`);

export const time = (text) => new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

// How a job stands, in one line: the reason, its place in line, and what is left.
export function waiting(job, now) {
  const { reason, position } = job.wait ?? {};
  const place = position ? `, number ${position} in line` : "";
  const left = secondsLeft(job, now);
  const rest = left > 0 ? `about ${span(left)} left` : "it takes longer than usual";
  return `${WAITS[reason] ?? "Waits"}${place}; ${rest}.`;
}

// The estimate was made when the job was read, so it is counted down from then.
export const secondsLeft = (job, now) => Math.max(0, (job.wait?.eta_seconds ?? 0) - (now - job.readAt) / 1000);

export function portion(job, now) {
  const past = Math.max(0, (now - Date.parse(job.created_at)) / 1000);
  return Math.min(0.98, past / (past + secondsLeft(job, now) || 1));
}

// What a job that is over has cost.
export function cost({ cost: { charged_usd: charged, unknown_usd: unknown }, cached }) {
  if (cached) return "It cost nothing: an equal request had this result already.";
  if (unknown) return `${usd(charged)} was charged, and up to ${usd(unknown)} more: the provider did not say.`;
  return charged ? `${usd(charged)} was charged.` : "Nothing was charged.";
}

export function facts(output) {
  const pixels = output.width ? `${output.width} × ${output.height}` : "";
  const length = output.duration_seconds ? `${output.duration_seconds.toFixed(1)} s` : "";
  return [length, pixels, size(output.bytes)].filter(Boolean).join(" · ");
}
