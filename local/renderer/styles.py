"""The sound of each genre: tempo, harmony, voices and patterns of sixteen steps a bar."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from local.renderer import instruments
from local.renderer.instruments import Voice

SCALES: Mapping[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
}


@dataclass(frozen=True, kw_only=True)
class Style:
    """A bar has sixteen steps: `x` is loud, `o` soft, `.` rests; `_` holds the note before it."""

    words: tuple[str, ...]
    tempo: tuple[int, int]
    scale: str
    progressions: tuple[tuple[int, ...], ...]
    lead: Voice
    chords: Voice
    chord_steps: str
    bass: Voice
    bass_steps: str
    drums: Mapping[str, str] = field(default_factory=dict)
    chord_notes: int = 3
    arpeggio: bool = False
    walking: bool = False
    busy: float = 0.6
    swing: float = 0.0
    room: float = 0.15
    pumping: bool = False
    crackle: bool = False


WHOLE = "x" + "_" * 15

STYLES = (
    Style(
        words=("electronic", "techno", "house", "edm", "trance", "dance", "synthwave", "rave", "club"),
        tempo=(122, 132),
        scale="minor",
        progressions=((0, 0, 5, 6), (0, 5, 2, 6), (0, 3, 5, 4)),
        lead=instruments.synth_lead,
        chords=instruments.pluck,
        chord_steps="x..x..x..x..x.x.",
        bass=instruments.synth_bass,
        bass_steps="..xo..xo..xo..xx",
        drums={
            "kick": "x...x...x...x...",
            "clap": "....x.......x...",
            "open_hat": "..x...x...x...x.",
            "closed_hat": "oo.ooo.ooo.ooo.o",
        },
        arpeggio=True,
        busy=0.55,
        pumping=True,
    ),
    Style(
        words=("rock", "metal", "punk", "grunge", "guitar", "riffs", "riff"),
        tempo=(112, 138),
        scale="minor",
        progressions=((0, 5, 2, 6), (0, 6, 5, 6), (0, 2, 3, 5)),
        lead=instruments.lead_guitar,
        chords=instruments.distorted_guitar,
        chord_steps="x_x_x_x_x_xox_x_",
        bass=instruments.finger_bass,
        bass_steps="x_x_x_x_x_x_x_x_",
        drums={"kick": "x......xx.x.....", "snare": "....x.......x..o", "closed_hat": "x.o.x.o.x.o.x.o."},
        chord_notes=1,
        busy=0.5,
        room=0.12,
    ),
    Style(
        words=("jazz", "saxophone", "sax", "swing", "bebop", "blues", "walking", "trumpet"),
        tempo=(108, 132),
        scale="dorian",
        progressions=((1, 4, 0, 5), (0, 5, 1, 4), (1, 4, 2, 5)),
        lead=instruments.saxophone,
        chords=instruments.electric_piano,
        chord_steps="x_....x__.......",
        bass=instruments.upright_bass,
        bass_steps="x___x___x___x___",
        drums={
            "ride": "x...x.o.x...x.o.",
            "closed_hat": "....x.......x...",
            "brush": "o...x...o...x...",
            "kick": "o.......o.......",
        },
        chord_notes=4,
        walking=True,
        busy=0.62,
        swing=0.3,
        room=0.2,
    ),
    Style(
        words=("lofi", "lo-fi", "vinyl", "chill", "chillhop", "study", "crackle", "relaxing"),
        tempo=(72, 86),
        scale="major",
        progressions=((1, 4, 0, 5), (3, 2, 1, 0), (0, 5, 1, 4)),
        lead=instruments.bell,
        chords=instruments.electric_piano,
        chord_steps="x______x________",
        bass=instruments.finger_bass,
        bass_steps="x_____..x__.o___",
        drums={"kick": "x......x..x.....", "snare": "....x.......x...", "closed_hat": "o.o.o.o.o.o.o.oo"},
        chord_notes=5,
        busy=0.35,
        swing=0.22,
        room=0.2,
        crackle=True,
    ),
    Style(
        words=("classical", "piano", "sonata", "baroque", "waltz", "nocturne", "chamber", "melody"),
        tempo=(76, 96),
        scale="major",
        progressions=((0, 4, 5, 3), (0, 3, 4, 0), (5, 3, 0, 4)),
        lead=instruments.piano,
        chords=instruments.piano,
        chord_steps="x.x.x.x.x.x.x.x.",
        bass=instruments.piano,
        bass_steps=WHOLE,
        arpeggio=True,
        busy=0.5,
        room=0.3,
    ),
    Style(
        words=("ambient", "drone", "meditation", "space", "atmospheric", "dreamy", "sleep", "ethereal"),
        tempo=(58, 68),
        scale="lydian",
        progressions=((0, 1, 0, 4), (0, 4, 5, 3), (0, 2, 5, 1)),
        lead=instruments.bell,
        chords=instruments.warm_pad,
        chord_steps=WHOLE,
        bass=instruments.warm_pad,
        bass_steps=WHOLE,
        chord_notes=4,
        busy=0.25,
        room=0.45,
    ),
    Style(
        words=(
            "cinematic",
            "orchestral",
            "epic",
            "video",
            "trailer",
            "strings",
            "violin",
            "symphony",
            "orchestra",
        ),
        tempo=(84, 104),
        scale="minor",
        progressions=((0, 5, 2, 6), (0, 3, 5, 4), (0, 2, 6, 5)),
        lead=instruments.strings,
        chords=instruments.strings,
        chord_steps=WHOLE,
        bass=instruments.strings,
        bass_steps="x___x___x___x_x_",
        drums={"kick": "x.....x.x.......", "brush": "..............oo"},
        chord_notes=4,
        busy=0.4,
        room=0.35,
    ),
    Style(
        words=("folk", "acoustic", "country", "campfire", "ukulele", "flute", "celtic"),
        tempo=(92, 112),
        scale="major",
        progressions=((0, 4, 5, 3), (0, 3, 0, 4), (5, 3, 0, 4)),
        lead=instruments.flute,
        chords=instruments.acoustic_guitar,
        chord_steps="x.x.xox.x.x.xoxo",
        bass=instruments.finger_bass,
        bass_steps="x_______x_______",
        drums={"brush": "....o.......o..."},
        chord_notes=4,
        arpeggio=True,
        room=0.2,
    ),
    Style(
        words=("hiphop", "hip-hop", "hip", "trap", "rap", "funk", "groove", "boom"),
        tempo=(84, 96),
        scale="dorian",
        progressions=((0, 3, 0, 4), (0, 5, 3, 4)),
        lead=instruments.pluck,
        chords=instruments.electric_piano,
        chord_steps="x__...x___......",
        bass=instruments.synth_bass,
        bass_steps="x__.....x.x__.o.",
        drums={"kick": "x.....x..xx.....", "snare": "....x.......x...", "closed_hat": "x.o.x.o.x.oox.o."},
        chord_notes=4,
        busy=0.4,
        swing=0.12,
    ),
    Style(
        words=("pop", "happy", "upbeat", "cheerful", "summer"),
        tempo=(100, 118),
        scale="major",
        progressions=((0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4)),
        lead=instruments.pluck,
        chords=instruments.warm_pad,
        chord_steps=WHOLE,
        bass=instruments.synth_bass,
        bass_steps="x__x__x_x__x__x_",
        drums={"kick": "x.....x.x.......", "clap": "....x.......x...", "closed_hat": "o.x.o.x.o.x.o.x."},
        busy=0.55,
    ),
)

DEFAULT_STYLE = STYLES[-1]

LEADS: Mapping[str, Voice] = {
    "piano": instruments.piano,
    "saxophone": instruments.saxophone,
    "sax": instruments.saxophone,
    "trumpet": instruments.saxophone,
    "flute": instruments.flute,
    "violin": instruments.strings,
    "strings": instruments.strings,
    "bells": instruments.bell,
    "synth": instruments.synth_lead,
    "acoustic guitar": instruments.acoustic_guitar,
    "electric guitar": instruments.lead_guitar,
}

TEMPO_WORDS: Mapping[str, float] = {
    "fast": 1.15,
    "energetic": 1.08,
    "upbeat": 1.05,
    "driving": 1.06,
    "slow": 0.85,
    "calm": 0.9,
    "peaceful": 0.9,
    "gentle": 0.92,
}

SCALE_WORDS: Mapping[str, str] = {
    "minor": "minor",
    "major": "major",
    "dark": "minor",
    "sad": "minor",
    "melancholic": "minor",
    "happy": "major",
    "bright": "major",
}
