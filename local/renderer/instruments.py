"""Voices and drums: each turns a pitch and a length into 32 kHz samples."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 32_000
Samples = NDArray[np.floating[Any]]
Voice = Callable[[float, float], Samples]


def piano(frequency: float, seconds: float) -> Samples:
    time = _time(seconds + 0.5)
    body = _harmonics(frequency, time, [1, 0.55, 0.32, 0.2, 0.12, 0.08, 0.05], damping=1.1)
    strike = _noise(time.size) * np.exp(-time * 180) * 0.04
    return _release((body + strike) * np.exp(-time * (1.1 + frequency / 700)), 0.35)


def electric_piano(frequency: float, seconds: float) -> Samples:
    time = _time(seconds + 0.3)
    phase = 2 * np.pi * frequency * time
    tine = np.sin(phase + 1.4 * np.exp(-time * 4) * np.sin(phase) + 0.25 * np.exp(-time * 14) * np.sin(7 * phase))
    return _release(tine * np.exp(-time * 1.6) * (1 + 0.12 * np.sin(2 * np.pi * 5 * time)), 0.25) * 0.8


def bell(frequency: float, seconds: float) -> Samples:
    time = _time(seconds + 1.5)
    phase = 2 * np.pi * frequency * time
    return _release(np.sin(phase + 1.1 * np.exp(-time * 3) * np.sin(3.5 * phase)) * np.exp(-time * 1.8), 0.8) * 0.6


def pluck(frequency: float, seconds: float) -> Samples:
    time = _time(seconds + 0.4)
    return _release(_harmonics(frequency, time, _saw(10), damping=2.5) * np.exp(-time * 3.2), 0.2) * 0.9


def synth_lead(frequency: float, seconds: float) -> Samples:
    time = _time(seconds)
    bend = 1 + 0.004 * np.sin(2 * np.pi * 5.5 * time) * np.minimum(1, time * 3)
    sound = _harmonics(frequency * bend, time, _saw(9), damping=1.2)
    return _shape(sound, attack=0.008, release=0.06) * 0.7


def distorted_guitar(frequency: float, seconds: float) -> Samples:
    time = _time(seconds)
    strings = _harmonics(frequency, time, _saw(8)) + 0.7 * _harmonics(frequency * 1.4983, time, _saw(6))
    return _shape(_soften(np.tanh(3.0 * strings) * np.exp(-time * 0.9)), attack=0.004, release=0.04) * 0.55


def lead_guitar(frequency: float, seconds: float) -> Samples:
    time = _time(seconds)
    bend = 1 + 0.007 * np.sin(2 * np.pi * 5.8 * time) * np.clip(time * 4 - 0.6, 0, 1)
    string = _harmonics(frequency * bend, time, _saw(8))
    return _shape(_soften(np.tanh(2.2 * string)), attack=0.01, release=0.08) * 0.6


def acoustic_guitar(frequency: float, seconds: float) -> Samples:
    time = _time(seconds + 0.6)
    string = _harmonics(frequency, time, [1, 0.7, 0.45, 0.25, 0.18, 0.1, 0.08, 0.05], damping=2.0)
    return _release(string * np.exp(-time * 2.4), 0.3)


def saxophone(frequency: float, seconds: float) -> Samples:
    time = _time(seconds)
    vibrato = 1 + 0.006 * np.sin(2 * np.pi * 5.2 * time) * np.clip(time * 3 - 0.5, 0, 1)
    scoop = 1 - 0.02 * np.exp(-time * 30)
    reed = _harmonics(frequency * vibrato * scoop, time, [0.8, 1, 0.75, 0.55, 0.3, 0.22, 0.12, 0.08])
    breath = _soften(_noise(time.size)) * 0.05
    return _shape(np.tanh(1.1 * reed) + breath, attack=0.045, release=0.09) * 0.6


def flute(frequency: float, seconds: float) -> Samples:
    time = _time(seconds)
    vibrato = 1 + 0.005 * np.sin(2 * np.pi * 5 * time) * np.clip(time * 3, 0, 1)
    tone = _harmonics(frequency * vibrato, time, [1, 0.3, 0.12, 0.04])
    return _shape(tone + _soften(_noise(time.size)) * 0.04, attack=0.06, release=0.12) * 0.8


def strings(frequency: float, seconds: float) -> Samples:
    time = _time(seconds + 0.35)
    players = [_harmonics(frequency * detune, time, _saw(8), phase=detune * 99) for detune in (0.9965, 1.0, 1.0038)]
    return _shape(np.sum(players, axis=0), attack=0.22, release=0.4) * 0.3


def warm_pad(frequency: float, seconds: float) -> Samples:
    time = _time(seconds + 0.8)
    soft = [1, 0.4, 0.2, 0.09, 0.05]
    waves = [_harmonics(frequency * detune, time, soft, phase=detune * 77) for detune in (0.9955, 1.0045)]
    swell = 1 + 0.15 * np.sin(2 * np.pi * 0.35 * time)
    return _shape(np.sum(waves, axis=0) * swell, attack=0.45, release=0.8) * 0.4


def synth_bass(frequency: float, seconds: float) -> Samples:
    time = _time(seconds)
    sound = _harmonics(frequency, time, _saw(14), damping=3.5) + 0.5 * np.sin(np.pi * frequency * time)
    return _shape(np.tanh(1.4 * sound), attack=0.004, release=0.03) * 0.8


def finger_bass(frequency: float, seconds: float) -> Samples:
    time = _time(seconds + 0.05)
    string = _harmonics(frequency, time, [1, 0.6, 0.35, 0.2, 0.1], damping=2.2)
    return _shape(string * np.exp(-time * 1.8), attack=0.006, release=0.06)


def upright_bass(frequency: float, seconds: float) -> Samples:
    time = _time(seconds + 0.1)
    string = _harmonics(frequency * (1 + 0.01 * np.exp(-time * 40)), time, [1, 0.8, 0.4, 0.18, 0.1], damping=3.0)
    thump = _soften(_noise(time.size)) * np.exp(-time * 70) * 0.5
    return _shape((string + thump) * np.exp(-time * 2.6), attack=0.004, release=0.08)


@cache
def kick() -> Samples:
    time = _time(0.32)
    phase = 2 * np.pi * (48 * time + 3.4 * (1 - np.exp(-time * 32)))
    return _shape(np.sin(phase) * np.exp(-time * 9) + _noise(time.size) * np.exp(-time * 400) * 0.2, release=0.05)


@cache
def snare() -> Samples:
    time = _time(0.24)
    skin = np.sin(2 * np.pi * 185 * time) * np.exp(-time * 28)
    return _shape(0.6 * skin + _noise(time.size) * np.exp(-time * 19) * 0.55, release=0.03)


@cache
def clap() -> Samples:
    time = _time(0.25)
    hands = sum(np.exp(-np.abs(time - start) * 150) for start in (0.0, 0.011, 0.023))
    return _shape(_brighten(_noise(time.size)) * (hands + np.exp(-time * 22)) * 0.35, release=0.03)


@cache
def closed_hat() -> Samples:
    time = _time(0.06)
    return _shape(_brighten(_noise(time.size)) * np.exp(-time * 75) * 0.5, release=0.01)


@cache
def open_hat() -> Samples:
    time = _time(0.25)
    return _shape(_brighten(_noise(time.size)) * np.exp(-time * 14) * 0.4, release=0.03)


@cache
def ride() -> Samples:
    time = _time(0.5)
    ping = sum(np.sin(2 * np.pi * partial * time) for partial in (3170, 4410, 5230, 6890)) / 10
    return _shape((ping + _brighten(_noise(time.size)) * 0.3) * np.exp(-time * 7) * 0.5, release=0.1)


@cache
def brush() -> Samples:
    time = _time(0.3)
    return _shape(_soften(_noise(time.size)) * np.exp(-time * 11) * 0.7, attack=0.03, release=0.06)


@cache
def crash() -> Samples:
    time = _time(1.6)
    return _shape(_brighten(_noise(time.size)) * np.exp(-time * 2.6) * 0.5, release=0.4)


def vinyl(count: int, rng: np.random.Generator) -> Samples:
    """Hiss and about nine crackles a second."""
    hiss = _soften(rng.standard_normal(count).astype(np.float32)) * np.float32(0.012)
    clicks = rng.integers(0, count, size=max(1, 9 * count // RATE))
    hiss[clicks] += rng.uniform(-0.35, 0.35, clicks.size).astype(np.float32)
    return hiss


def _time(seconds: float) -> Samples:
    return np.arange(max(64, round(seconds * RATE)), dtype=np.float32) / np.float32(RATE)


def _harmonics(
    frequency: float | Samples,
    time: Samples,
    amplitudes: list[float],
    *,
    damping: float = 0.0,
    phase: float = 0.0,
) -> Samples:
    """Sum of overtones below 12 kHz, the k-th dying `damping`·k faster; one sine and cosine by sin(kx)'s recurrence."""
    angle = _angle(frequency, time, phase)
    top = int(12_000 / float(np.max(frequency)))
    previous, current, double = np.zeros_like(time), np.sin(angle), 2 * np.cos(angle)
    fade = np.exp(-time * np.float32(damping))
    loss, total = np.ones_like(time), np.zeros_like(time)
    for amplitude in amplitudes[: max(1, top)]:
        total += np.float32(amplitude) * current * loss
        previous, current = current, double * current - previous
        loss = loss * fade
    return total


def _angle(frequency: float | Samples, time: Samples, phase: float) -> Samples:
    if isinstance(frequency, np.ndarray):
        turns = np.cumsum(frequency.astype(np.float64)) / RATE
    else:
        turns = time.astype(np.float64) * frequency
    return (2 * np.pi * (turns % 1.0) + phase).astype(np.float32)


def _saw(overtones: int) -> list[float]:
    return [0.6 / (number + 1) for number in range(overtones)]


def _shape(sound: Samples, *, attack: float = 0.001, release: float = 0.05) -> Samples:
    rise = min(sound.size, max(1, round(attack * RATE)))
    sound[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    return _release(sound, release)


def _release(sound: Samples, seconds: float) -> Samples:
    fall = min(sound.size, max(1, round(seconds * RATE)))
    sound[-fall:] *= np.linspace(1, 0, fall, dtype=np.float32) ** 2
    return sound.astype(np.float32, copy=False)


def _soften(sound: Samples) -> Samples:
    return np.convolve(sound, np.hanning(9).astype(np.float32) / 4, mode="same")


def _brighten(sound: Samples) -> Samples:
    return np.diff(sound, prepend=np.float32(0)) * np.float32(0.7)


def _noise(count: int) -> Samples:
    return _noise_tape()[:count]


@cache
def _noise_tape() -> Samples:
    return np.random.default_rng(7).standard_normal(RATE * 8).astype(np.float32) * np.float32(0.5)
