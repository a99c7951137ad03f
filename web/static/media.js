// Players and images, each of which asks once more for a file whose URL has ended.

import WaveSurfer from "./lib/wavesurfer.esm.js";

import { call, fileOf } from "./api.js";

const NONCE = document.querySelector("meta[name=csp-nonce]").nonce;
const LOOK = { height: 72, barWidth: 2, barGap: 1, barRadius: 2, waveColor: "#6f9fc4", progressColor: "#0a6299", cspNonce: NONCE };

// A link leads to a new URL each time, but a browser remembers where it led. Plays on from the same place.
export function heal({ target: media }) {
  const { currentTime: at = 0, src } = media;
  if (Date.now() - (media.healedAt ?? 0) < 10_000) return;
  media.healedAt = Date.now();
  const plays = media.paused === false;
  media.addEventListener("loadedmetadata", () => resume(media, at, plays), { once: true });
  media.src = src;
}

function resume(media, at, plays) {
  media.currentTime = at;
  if (plays) media.play();
}

// A sound, with its waveform above the player where the API has it.
class Track extends HTMLElement {
  connectedCallback() {
    if (this.audio) return;
    this.audio = Object.assign(document.createElement("audio"), { controls: true, preload: "metadata" });
    this.audio.setAttribute("aria-label", this.name);
    this.audio.addEventListener("error", heal);
    this.audio.src = fileOf(this.output);
    this.append(this.audio);
    if (this.output.peaks_url) this.wave();
  }

  async wave() {
    const { document: found } = await call(this.output.peaks_url).catch(() => ({}));
    if (!found?.peaks.length) return;
    const container = Object.assign(document.createElement("div"), { className: "wave" });
    container.setAttribute("aria-hidden", "true"); // the player below does the same by keyboard
    this.prepend(container);
    const known = { peaks: [found.peaks], duration: found.duration_seconds };
    this.surfer = WaveSurfer.create({ ...LOOK, ...known, container, media: this.audio });
  }

  disconnectedCallback() {
    this.surfer?.destroy();
    this.audio.pause();
  }
}

customElements.define("longplay-track", Track);
