// A job's request as code that asks for the same, in three languages.

import { ROOT } from "./api.js";

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const ENDS = { "audio/wav": "wav", "audio/mpeg": "mp3", "audio/flac": "flac", "audio/ogg": "ogg", "image/png": "png" };
const MORE = { "image/jpeg": "jpg", "image/webp": "webp", "video/mp4": "mp4", "video/webm": "webm" };

export const endOf = (output) => ({ ...ENDS, ...MORE })[output.content_type] ?? "bin";

const python = (value) => JSON.stringify(value).replace(/^true$/, "True").replace(/^false$/, "False");

export const CODE = {
  curl: (body) => `curl ${ROOT}generate -H "x-api-key: $LONGPLAY_API_KEY" \\\n  -d ${quoted(JSON.stringify(body))}`,
  Python: (body, end) => `import os
import requests

api = "${ROOT}"
key = {"x-api-key": os.environ["LONGPLAY_API_KEY"]}
body = {${Object.entries(body).map(([name, value]) => `"${name}": ${python(value)}`).join(", ")}}
job = requests.post(f"{api}generate", headers=key, json=body).json()
while job["status"] in ("queued", "running"):
    job = requests.get(f"{api}jobs/{job['id']}?wait=20", headers=key).json()
with open("result.${end}", "wb") as file:
    file.write(requests.get(api + job["outputs"][0]["link"]).content)
`,
  JavaScript: (body) => `const api = "${ROOT}";
const headers = { "x-api-key": process.env.LONGPLAY_API_KEY };
let answer = await fetch(api + "generate", { method: "POST", headers, body: JSON.stringify(${JSON.stringify(body)}) });
let job = await answer.json();
while (["queued", "running"].includes(job.status)) {
  answer = await fetch(api + "jobs/" + job.id + "?wait=20", { headers });
  job = await answer.json();
}
console.log(api + job.outputs[0].link);
`,
};

export const asked = ({ model, prompt, image, parameters }) => ({ model, prompt, ...(image && { image }), ...parameters });
