"""Music from a prompt, by procedure: its words choose a style, a piece is composed, its parts are played and mixed."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from local.renderer import instruments
from local.renderer.instruments import RATE, Samples, Voice
from local.renderer.styles import DEFAULT_STYLE, LEADS, SCALE_WORDS, SCALES, STYLES, TEMPO_WORDS, Style

STEPS = 16
DRUMS: Mapping[str, tuple[Callable[[], Samples], float]] = {
    "kick": (instruments.kick, 1.0),
    "snare": (instruments.snare, 0.8),
    "clap": (instruments.clap, 0.8),
    "closed_hat": (instruments.closed_hat, 0.3),
    "open_hat": (instruments.open_hat, 0.35),
    "ride": (instruments.ride, 0.35),
    "brush": (instruments.brush, 0.35),
}
LOUDNESS = {"x": 1.0, "o": 0.5}


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A style with everything chance had to decide; pitches are MIDI numbers, `step` is in seconds."""

    style: Style
    step: float
    tonic: int
    scale: tuple[int, ...]
    progression: tuple[int, ...]
    bars: int
    rng: np.random.Generator

    def root(self, bar: int) -> int:
        return self.progression[bar % len(self.progression)]

    def pitch(self, degree: int) -> int:
        octave, note = divmod(degree, len(self.scale))
        return self.tonic + 12 * octave + self.scale[note]

    def when(self, bar: int, step: int) -> float:
        late = self.style.swing * (2 if step % 4 == 2 else step % 2)
        return (bar * STEPS + step + late) * self.step

    def energy(self, bar: int) -> int:
        """1 is an intro or a break, 2 lacks the loud drums, 3 has every instrument."""
        if self.bars < 6:
            return 3
        place = bar / self.bars
        level = next(
            level for end, level in ((0.1, 1), (0.25, 2), (0.6, 3), (0.72, 1), (0.93, 3), (1.0, 2)) if place < end
        )
        return level if self.style.drums else max(2, level)


@dataclass(frozen=True)
class Note:
    start: float
    length: float
    pitch: int
    loudness: float


def play(prompt: str, *, seconds: float, seed: int = 0) -> Samples:
    """Mono samples at 32 kHz within ±1, exactly `seconds` long; the same for the same arguments."""
    count = round(seconds * RATE)
    piece = _compose(prompt.lower(), seconds, _chance(prompt, seed))
    style = piece.style
    drums, kicks = _drum_track(piece, count)
    chords = _perform(_chords(piece), style.chords, count)
    bass = _perform(_bass(piece), style.bass, count)
    lead = _perform(_melody(piece), style.lead, count)
    if style.pumping:
        duck = _duck(kicks, count)
        chords, bass = chords * duck, bass * duck
    heavy = 1.4 if "bass" in prompt.lower() else 1.0
    dry = _level(chords, 0.055) + _level(lead, 0.085)
    wet = _reverb(dry + 0.3 * _level(drums, 0.06), piece.rng)
    mix = dry + style.room * wet + _level(bass, 0.085 * heavy) + _level(drums, 0.1)
    if style.crackle:
        mix += instruments.vinyl(count, piece.rng)
    return _master(mix)


def _chance(prompt: str, seed: int) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}\n{prompt}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def _compose(prompt: str, seconds: float, rng: np.random.Generator) -> Piece:
    words = re.findall(r"[a-z-]+", prompt)
    style = _style(prompt, words)
    bar = 60 / _tempo(prompt, words, style, rng) * 4
    scale = next((SCALE_WORDS[word] for word in words if word in SCALE_WORDS), style.scale)
    return Piece(
        style=style,
        step=bar / STEPS,
        tonic=int(rng.integers(55, 65)),
        scale=SCALES[scale],
        progression=style.progressions[rng.integers(len(style.progressions))],
        bars=max(1, int(np.ceil(seconds / bar))),
        rng=rng,
    )


def _style(prompt: str, words: list[str]) -> Style:
    style = max(STYLES, key=lambda style: sum(word in style.words for word in words))
    if not set(style.words) & set(words):
        style = DEFAULT_STYLE
    lead = next((voice for name, voice in LEADS.items() if name in prompt), style.lead)
    drums = {} if re.search(r"\b(no|without) (drums|percussion|beat)", prompt) else style.drums
    return replace(style, lead=lead, drums=drums)


def _tempo(prompt: str, words: list[str], style: Style, rng: np.random.Generator) -> float:
    if asked := re.search(r"\b(\d{2,3}) ?bpm", prompt):
        return float(np.clip(int(asked[1]), 40, 220))
    factors = [TEMPO_WORDS[word] for word in words if word in TEMPO_WORDS]
    return float(rng.integers(*style.tempo) * np.prod(factors))


def _steps(pattern: str) -> Iterator[tuple[int, int, float]]:
    """Onset, length in steps and loudness of each hit of a pattern."""
    for hit in re.finditer(r"[xo]_*", pattern):
        yield hit.start(), len(hit[0]), LOUDNESS[hit[0][0]]


def _chords(piece: Piece) -> Iterator[Note]:
    style = piece.style
    for bar in range(piece.bars):
        notes = _voicing(piece, piece.root(bar))
        for turn, (step, length, loudness) in enumerate(_steps(style.chord_steps)):
            start, seconds = piece.when(bar, step), length * piece.step
            if style.arpeggio:
                rising = [*notes, notes[0] + 12]
                yield Note(start, seconds * 1.6, rising[(turn * 2) % len(rising)], loudness)
            else:
                yield from (Note(start, seconds, pitch, loudness) for pitch in notes)


def _voicing(piece: Piece, root: int) -> list[int]:
    """Stacked thirds folded into one comfortable octave; a lone note is a guitar's low string."""
    if piece.style.chord_notes == 1:
        return [_fold(piece.pitch(root), 40)]
    return sorted(_fold(piece.pitch(root + 2 * third), 55) for third in range(piece.style.chord_notes))


def _fold(pitch: int, lowest: int) -> int:
    return lowest + (pitch - lowest) % 12


def _bass(piece: Piece) -> Iterator[Note]:
    for bar in range(piece.bars):
        if piece.energy(bar) == 1:
            continue
        line = _bass_line(piece, bar)
        for turn, (step, length, loudness) in enumerate(_steps(piece.style.bass_steps)):
            pitch = line[turn % len(line)] + (12 if loudness < 1 else 0)
            yield Note(piece.when(bar, step), length * piece.step * 0.95, pitch, max(0.7, loudness))


def _bass_line(piece: Piece, bar: int) -> list[int]:
    root = piece.root(bar)
    low = _fold(piece.pitch(root), 33)
    if not piece.style.walking:
        return [low]
    third, fifth = (low + (piece.pitch(root + up) - piece.pitch(root)) for up in (2, 4))
    approach = _fold(piece.pitch(piece.root(bar + 1)), 33) + (1 if piece.rng.random() < 0.5 else -1)
    return [low, third, fifth, approach]


def _melody(piece: Piece) -> Iterator[Note]:
    """Phrases of four bars, A A B A: the motif returns over other chords, the last bar comes to rest."""
    theme, answer = _motif(piece), _motif(piece)
    for bar in range(piece.bars):
        if piece.energy(bar) == 1 and piece.style.drums:
            continue
        motif = answer if bar % 4 == 2 else theme
        if bar % 4 == 3:
            motif = [*motif[: len(motif) // 2], (8, motif[0][1])]
        yield from _sing(piece, bar, motif)


def _motif(piece: Piece) -> list[tuple[int, int]]:
    """Onsets in steps with scale degrees: a walk of small steps and the odd leap."""
    onsets = [step for step in range(0, STEPS, 2) if step == 0 or piece.rng.random() < piece.style.busy]
    degree, motif = int(piece.rng.integers(2, 7)), []
    for onset in onsets:
        motif.append((onset, degree))
        degree = int(np.clip(degree + piece.rng.choice([-3, -2, -1, -1, 1, 1, 2, 4]), 0, 10))
    return motif


def _sing(piece: Piece, bar: int, motif: list[tuple[int, int]]) -> Iterator[Note]:
    ends = [step for step, _ in motif[1:]] + [STEPS]
    for (step, degree), end in zip(motif, ends, strict=True):
        tuned = _chord_tone(degree, piece.root(bar)) if step % 4 == 0 else degree
        length = min(end - step, 8) * piece.step * 0.94
        loudness = (1.0 if step % 4 == 0 else 0.8) * piece.rng.uniform(0.9, 1.05)
        yield Note(
            piece.when(bar, step),
            length,
            _fold(piece.pitch(0), 60) - piece.tonic + piece.pitch(tuned),
            loudness,
        )


def _chord_tone(degree: int, root: int) -> int:
    return min(
        (degree + shift for shift in (0, 1, -1, 2)),
        key=lambda near: ((near - root) % 7 not in (0, 2, 4), abs(near - degree)),
    )


def _perform(notes: Iterable[Note], voice: Voice, count: int) -> Samples:
    track, sounds = np.zeros(count, np.float32), {}
    for note in notes:
        key = (note.pitch, round(note.length, 3))
        if key not in sounds:
            sounds[key] = voice(440 * 2 ** ((note.pitch - 69) / 12), note.length)
        _add(track, sounds[key], note.start, note.loudness)
    return track


def _add(track: Samples, sound: Samples, start: float, loudness: float) -> None:
    first = round(start * RATE)
    room = max(0, track.size - first)
    track[first : first + sound.size] += sound[:room] * np.float32(loudness)


def _drum_track(piece: Piece, count: int) -> tuple[Samples, list[float]]:
    """The drums, and when the kick falls (for what it ducks)."""
    track, kicks = np.zeros(count, np.float32), []
    for bar in range(piece.bars):
        energy = piece.energy(bar)
        for name, pattern in piece.style.drums.items():
            sound, gain = DRUMS[name]
            if energy == 3 or (energy == 2 and name not in ("snare", "clap")) or name == "closed_hat":
                starts = [(piece.when(bar, step), loudness) for step, _, loudness in _steps(pattern)]
                kicks += [start for start, _ in starts if name == "kick"]
                for start, loudness in starts:
                    _add(track, sound(), start, gain * loudness * piece.rng.uniform(0.9, 1.1))
        if "snare" in piece.style.drums and energy == 3 and bar and piece.energy(bar - 1) != energy:
            _add(track, instruments.crash(), piece.when(bar, 0), 0.5)
    return track, kicks


def _duck(kicks: list[float], count: int) -> Samples:
    """A gain that drops at each kick and recovers in a fifth of a second."""
    gain = np.ones(count, np.float32)
    dip = 1 - 0.75 * np.exp(-np.arange(round(0.25 * RATE), dtype=np.float32) / (0.07 * RATE))
    for start in kicks:
        first = round(start * RATE)
        gain[first : first + dip.size] = dip[: max(0, count - first)]
    return gain


def _level(track: Samples, rms: float) -> Samples:
    sounding = track[np.abs(track) > 1e-4]
    return track * np.float32(rms / np.sqrt(np.mean(sounding**2))) if sounding.size else track


def _reverb(dry: Samples, rng: np.random.Generator) -> Samples:
    tail = rng.standard_normal(round(1.6 * RATE)).astype(np.float32)
    tail *= np.exp(-np.arange(tail.size, dtype=np.float32) / (0.35 * RATE))
    tail[: RATE // 50] = 0
    tail = np.convolve(tail, np.hanning(7).astype(np.float32), mode="same")
    size = 1 << (dry.size + tail.size - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(tail, size), size)[: dry.size]
    return _level(wet.astype(np.float32), 0.1)


def _master(mix: Samples) -> Samples:
    """No offset, a gentle limiter, a peak of 0.92, and soft edges."""
    limited: Samples = np.tanh((mix - mix.mean()) * np.float32(2.2))
    limited *= np.float32(0.92 / max(1e-6, float(np.abs(limited).max())))
    fade = min(round(2.5 * RATE), limited.size // 5)
    if fade:
        limited[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
        limited[: min(fade, 160)] *= np.linspace(0, 1, min(fade, 160), dtype=np.float32)
    return limited
