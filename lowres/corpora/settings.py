"""What a recipe or a corpus manifest says about the layout of a corpus: plain data, no paths of this machine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pydantic import ConfigDict

ReaderName = Literal[
    "paired_files", "table", "audio_folder", "common_voice", "fleurs", "mls", "openslr", "kaldi", "lhotse", "annotated",
    "saymore", "hf_dataset", "recordings",
]  # fmt: skip

AUDIO_SUFFIXES = (
    ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".mp4", ".aac",
    ".webm", ".amr", ".wma", ".aif", ".aiff", ".au", ".3gp", ".mka", ".mkv", ".mov",
)  # fmt: skip

# The names that other people's corpora give to the four splits we know.
SPLIT_NAMES: Mapping[str, str] = {
    "train": "train",
    "training": "train",
    "dev": "dev",
    "devel": "dev",
    "development": "dev",
    "valid": "dev",
    "validation": "dev",
    "val": "dev",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "other": "other",
}


@dataclass(frozen=True)
class ReaderSettings:
    """How to read one corpus folder.

    Raises:
        Nothing by itself; `lowres.corpora.layouts.read_corpus` says what does not fit.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    reader: ReaderName = "paired_files"
    """Which layout: audio with a transcript beside it, one table, metadata.csv per split, Common Voice, FLEURS,
    Multilingual LibriSpeech, the crowdsourced corpora of OpenSLR, Kaldi, lhotse, Hugging Face data sets of parquet
    files, recordings annotated in ELAN, Praat, FLEx, Toolbox and the like, SayMore's sessions, or recordings alone,
    without transcripts."""

    subfolder: str = ""
    """Where the layout starts inside the corpus folder, such as one language of Common Voice; "" = the top."""

    audio_suffixes: tuple[str, ...] = AUDIO_SUFFIXES
    """paired_files, annotated, recordings: which files are recordings."""

    transcript_suffix: str = ".txt"
    """paired_files: what replaces the recording's suffix in the name of its transcript, such as ".mb" or ".trs.txt"."""

    annotation_suffixes: tuple[str, ...] = ()
    """annotated: which files hold annotations; () = all whose format is known (.eaf, .TextGrid, .trs, .srt,
    .vtt, .flextext, .tbt, .sht, .sfm)."""

    tiers: tuple[str, ...] = ()
    """annotated: names of the tiers whose annotations are utterances; `*` in one stands for anything, as in "*@AB",
    and "tx" for "tx@AB" too. Nothing needs to be chosen where there is one kind of tier only."""

    linguistic_types: tuple[str, ...] = ()
    """annotated: the same by ELAN's linguistic types; with `tiers`, a tier has to fit both."""

    participants: tuple[str, ...] = ()
    """annotated: the same by participant."""

    speaker_tier: str = ""
    """annotated: the tier whose annotations say who speaks when; "" = the participant of the transcript's tier."""

    padding_seconds: float = 0.0
    """annotated: what is heard before and after each annotation, since people often cut too closely."""

    audio_folder: str = ""
    """table, kaldi, lhotse: the folder that audio paths start from; "" = the corpus folder. "{split}" in it is the
    split's own name, in a corpus of one table per split."""

    table: str = ""
    """table: the CSV or TSV file, relative to the corpus folder; "" = the only one there is. "{split}.tsv" reads one
    table per split, named by train, dev, test, valid and the like or by `split_names`."""

    header: bool = True
    """table: whether the first line names the columns; without one they are called "1", "2", "3" ..."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """table, audio_folder, common_voice: our names (audio, text, speaker, split, id, start, end, channel, language) to
    the table's column names; what is left out is looked for under its usual names."""

    encoding: str = ""
    """The text encoding of tables and transcripts; "" = found out, and said where it is not UTF-8."""

    split_names: Mapping[str, str] = field(default_factory=dict)
    """The corpus's own split or folder names to train, dev, test or other, beyond the usual ones."""

    speaker_from: Literal["", "file_name", "folder"] = ""
    """Where a speaker's name is found when no column says it: part of the file name, or the recording's folder."""

    speaker_separator: str = "_"
    """file_name: what the file name is cut at."""

    speaker_field: int = 0
    """file_name: which of the pieces is the speaker, counted from 0; -1 is the last."""

    channel: int | None = None
    """The channel to keep of every recording, counted from 0; None = the mean of all."""

    channels: Mapping[str, int] = field(default_factory=dict)
    """Speakers, or names of tiers (annotated), to the channel that they are heard on, counted from 0: for interviews
    with one speaker a channel. Who is not among them is heard on `channel`."""

    language: str = ""
    """The language of every row that does not say its own (ISO 639-3)."""

    @property
    def chooses_tiers(self) -> bool:
        """Whether anything is said about which tiers to read."""
        return bool(self.tiers or self.linguistic_types or self.participants)

    @property
    def has_transcripts(self) -> bool:
        """Whether there is text beside the audio; without it there is only pretraining."""
        return self.reader != "recordings"

    def channel_of(self, *names: str) -> int | None:
        """Return the channel of the first of these speakers or tiers that `channels` names; else `channel`."""
        return next((self.channels[name] for name in names if name in self.channels), self.channel)

    def split_for(self, name: str) -> str | None:
        """Return our split for the corpus's own `name`, "" for an empty one, None for one that nobody declared."""
        if not name.strip():
            return ""
        known = {key.casefold(): value for key, value in {**SPLIT_NAMES, **self.split_names}.items()}
        return known.get(name.strip().casefold())
