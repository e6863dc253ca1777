"""A modality in a card file. Light."""

from dataclasses import dataclass

from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.core.modality import AXES, KINDS, Kind, Modality
from mmbench.data.own.section import Section

COMMON = ("kind", "column", "file", "shape", "encoder", "rate")
IMAGE = ("size", "channels")
AUDIO = ("sample_rate", "seconds", "mels", "window", "hop")
OF_KIND: dict[Kind, tuple[str, ...]] = {
    "image": IMAGE,
    "spectrogram": AUDIO,
    "sequence": ("length", "lengths", *AUDIO),
    "vector": (),
    "tokens": ("length", "lengths", "vocabulary"),
}
WITH_FILE: tuple[Kind, ...] = ("image", "spectrogram", "sequence")
CHANNELS = (1, 3)


@dataclass(frozen=True)
class Sound:
    """How a sound becomes a log-mel spectrogram.

    Attributes:
        sample_rate: that every sound has; 0 where they only have to agree.
        seconds: to which sounds are cut or filled with silence; 0 leaves them.
        mels: bands, from 0 Hz to half the sample rate.
        window, hop: of a frame and between two, in seconds.
    """

    sample_rate: int = 0
    seconds: float = 0.0
    mels: int = 40
    window: float = 0.025
    hop: float = 0.010


@dataclass(frozen=True)
class OwnModality:
    """What a card file says of a modality.

    Attributes:
        name, kind, encoder: as ``Modality`` has them.
        columns: that hold its values; several, of one number each, make a vector.
        file: column of paths of images or sounds; ``columns`` is empty then.
        shape: of one sample; empty where the data say it.
        rate: frames a second; 0 where nothing is said.
        size: height and width that images are resized to; empty leaves them.
        channels: of images from files.
        length: the most frames; 0 takes the longest sample.
        lengths: column with the length of each sample, or empty.
        vocabulary: ids of tokens, 0 (padding) and 1 (unknown) among them.
        sound: how sounds are read.
    """

    name: str
    kind: Kind
    columns: tuple[str, ...] = ()
    file: str = ""
    shape: tuple[int, ...] = ()
    encoder: str = ""
    rate: float = 0.0
    size: tuple[int, ...] = ()
    channels: int = 3
    length: int = 0
    lengths: str = ""
    vocabulary: int = 0
    sound: Sound = Sound()

    @property
    def read(self) -> tuple[str, ...]:
        """All columns that it needs."""
        return tuple(column for column in (*self.columns, self.file, self.lengths) if column)

    @property
    def timed(self) -> bool:
        return self.kind in ("sequence", "tokens")

    def expected(self) -> Modality:
        """As far as the card alone says it: 1 stands for what the data will say."""
        axes = AXES[self.kind][0].count(",") + 1
        shape = self.shape or ((self.channels, *self.size) if self.size else (1,) * axes)
        vocabulary = self.vocabulary if self.kind == "tokens" else 0
        return Modality(self.name, self.kind, shape, vocabulary, self.rate or 1.0, self.encoder)


def read_modality(name: str, section: Section) -> OwnModality:
    """Read a section ``[modalities.NAME]``.

    Raises:
        MmbenchError: for what is missing, unknown or contradicts itself.
    """
    kind = section.text("kind")
    if kind not in KINDS:
        raise section.error(f"kind {kind!r} is unknown; {did_you_mean(kind, KINDS)}")
    section.only((*COMMON, *OF_KIND[kind]), _elsewhere())
    columns, file = section.texts("column", ()), section.text("file", "")
    _check_where_from(section, kind, columns, file)
    modality = OwnModality(
        name=name,
        kind=kind,
        columns=columns,
        file=file,
        shape=section.wholes("shape"),
        encoder=section.text("encoder", ""),
        rate=section.number("rate", 0.0),
        size=section.wholes("size"),
        channels=section.whole("channels", 3),
        length=section.whole("length", 0),
        lengths=section.text("lengths", ""),
        vocabulary=section.whole("vocabulary", least=3) if kind == "tokens" else 0,
        sound=_read_sound(section),
    )
    _check(modality, section)
    try:
        modality.expected()
    except MmbenchError as error:
        raise section.error(str(error)) from None
    return modality


def _check_where_from(section: Section, kind: Kind, columns: tuple[str, ...], file: str) -> None:
    if bool(columns) == bool(file):
        raise section.error("say where its values are: column = …, or file = … for a column of paths; one of them")
    if file and kind not in WITH_FILE:
        raise section.error(f"a {kind} is no file; write column = …")
    if len(columns) > 1 and kind != "vector":
        raise section.error(f"several columns make a vector, not a {kind}")


def _check(modality: OwnModality, section: Section) -> None:
    if "size" in section and len(modality.size) != 2:
        raise section.error("size is [height, width]")
    if modality.channels not in CHANNELS:
        raise section.error(f"channels is 1 (grey) or 3 (colour), not {modality.channels}")
    if modality.shape and modality.length and modality.shape[0] != modality.length:
        raise section.error(f"length is {modality.length}, and shape begins with {modality.shape[0]}")
    if modality.sound.hop > modality.sound.window:
        raise section.error("hop is longer than window: what lies between would be lost")
    if modality.file and modality.lengths:
        raise section.error("lengths goes with column: a sound's length is that of its file")


def _read_sound(section: Section) -> Sound:
    usual = Sound()
    return Sound(
        sample_rate=section.whole("sample_rate", usual.sample_rate),
        seconds=section.number("seconds", usual.seconds),
        mels=section.whole("mels", usual.mels, least=2),
        window=section.number("window", usual.window),
        hop=section.number("hop", usual.hop),
    )


def _elsewhere() -> dict[str, str]:
    """For each key of some kinds: which ones."""
    keys = {key for keys in OF_KIND.values() for key in keys}
    return {key: f"goes with {', '.join(k for k in KINDS if key in OF_KIND[k])} alone" for key in sorted(keys)}
