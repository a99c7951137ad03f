// `node ask.mjs CLIENT BASE KEY PROMPT`: one generation by a JavaScript client, unchanged; prints what it got as JSON.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [, , name, base, key, prompt] = process.argv;
const require = createRequire(`${process.env.NODE_CLIENTS}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)));

async function bytes(blob) {
  return Buffer.from(await blob.arrayBuffer());
}

const clients = {
  async hf_image() {
    const { InferenceClient } = await load("@huggingface/inference");
    const endpointUrl = `${base}/models/stabilityai/stable-diffusion-xl-base-1.0`;
    const answer = await new InferenceClient(key, { endpointUrl }).textToImage({ inputs: prompt }, { outputType: "blob" });
    return bytes(answer);
  },
  async hf_music() {
    const { InferenceClient } = await load("@huggingface/inference");
    const endpointUrl = `${base}/models/facebook/musicgen-small`;
    return bytes(await new InferenceClient(key, { endpointUrl }).textToSpeech({ inputs: prompt }));
  },
  async openai() {
    const { default: OpenAI } = await load("openai");
    const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 });
    const answer = await client.images.generate({ model: "stable-diffusion-v1-5", prompt, size: "512x512" });
    return Buffer.from(answer.data[0].b64_json, "base64");
  },
  async fetch() {
    const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
    const body = JSON.stringify({ inputs: prompt });
    const answer = await fetch(`${base}/models/runwayml/stable-diffusion-v1-5`, { method: "POST", headers, body });
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    return Buffer.from(await answer.arrayBuffer());
  },
};

const began = Date.now();
const seconds = () => (Date.now() - began) / 1000;
try {
  const file = await clients[name]();
  const sha256 = createHash("sha256").update(file).digest("hex");
  console.log(JSON.stringify({ head: file.subarray(0, 4).toString("hex"), bytes: file.length, sha256, seconds: seconds() }));
} catch (error) {
  console.log(JSON.stringify({ error: String(error.message ?? error), seconds: seconds() }));
}
