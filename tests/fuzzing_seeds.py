"""Small valid files of every format and layout that lowres reads, for `fuzzing.py` to damage."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lowres.corpora.settings import ReaderSettings

_EAF = b"""<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2020-01-01T00:00:00Z" FORMAT="3.0" VERSION="3.0">
<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/x/a.wav" RELATIVE_MEDIA_URL="./a.wav" TIME_ORIGIN="5"/></HEADER>
<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="0"/><TIME_SLOT TIME_SLOT_ID="ts2"/>
<TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="1000"/></TIME_ORDER>
<TIER LINGUISTIC_TYPE_REF="utt" TIER_ID="Transcription" PARTICIPANT="Ana"><ANNOTATION>
<ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts3">
<ANNOTATION_VALUE>mbote na yo</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER LINGUISTIC_TYPE_REF="word" TIER_ID="words" PARENT_REF="Transcription"><ANNOTATION>
<REF_ANNOTATION ANNOTATION_ID="a2" ANNOTATION_REF="a1"><ANNOTATION_VALUE>mbote</ANNOTATION_VALUE></REF_ANNOTATION>
</ANNOTATION>
<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a3" ANNOTATION_REF="a1" PREVIOUS_ANNOTATION="a2">
<ANNOTATION_VALUE>na yo</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION></TIER>
<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="utt" TIME_ALIGNABLE="true"/>
<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="word" TIME_ALIGNABLE="false" CONSTRAINTS="Symbolic_Subdivision"/>
</ANNOTATION_DOCUMENT>
"""

_GRID_VALUES = """xmin = 0
xmax = 3.5
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "text"
        xmin = 0
        xmax = 3.5
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 1.25
            text = "mbote ""na"" yo"
        intervals [2]:
            xmin = 1.25
            xmax = 3.5
            text = ""
    item [2]:
        class = "TextTier"
        name = "points"
        xmin = 0
        xmax = 3.5
        points: size = 1
        points [1]:
            number = 0.5
            mark = "ɛ́"
"""
_LONG = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n' + _GRID_VALUES
_SHORT = (
    'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n3.5\n<exists>\n1\n"IntervalTier"\n"text"\n'
    '0\n3.5\n1\n0\n3.5\n"mbote"\n'
)


def _binary_grid() -> bytes:
    def text(value: str) -> bytes:
        return struct.pack(">h", len(value)) + value.encode("latin-1")

    interval = struct.pack(">dd", 0.0, 3.5) + text("mbote")
    tier = b"\x0cIntervalTier" + text("text") + struct.pack(">ddi", 0.0, 3.5, 1) + interval
    return b"ooBinaryFile\x08TextGrid" + struct.pack(">dd?i", 0.0, 3.5, True, 1) + tier


_TRS = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE Trans SYSTEM "trans-14.dtd">
<Trans scribe="x" audio_filename="a" version="2" version_date="200101" xml:lang="ln">
<Speakers><Speaker id="spk1" name="Ana"/><Speaker id="spk2" name="Ben"/></Speakers>
<Episode><Section type="report" startTime="0" endTime="3.5">
<Turn speaker="spk1" startTime="0" endTime="2"><Sync time="0"/>
mbote <Event desc="b" type="noise" extent="instantaneous"/> na yo
<Sync time="1.5"/>
eh</Turn>
<Turn speaker="spk1 spk2" startTime="2" endTime="3.5"><Sync time="2"/><Who nb="1"/>mbote<Who nb="2"/>eh</Turn>
</Section></Episode></Trans>
"""
_SRT = b"1\n00:00:01,000 --> 00:00:02,500\nmbote\n<i>na</i> yo\n\n2\n01:02:03,004 --> 01:02:04,000\nmalamu\n"
_VTT = b"WEBVTT - a\n\nNOTE x\n\n1\n00:01.000 --> 00:02.500 align:start\n<v Ana>mbote &amp; yo</v><v Ben>eh\n"
_LABELS = b"0.500000\t1.250000\tmbote na yo\n\\\t100.0\t3000.0\n2.000000\t2.000000\tclick\n"
_FLEX = b"""<?xml version="1.0" encoding="utf-8"?><document version="2">
<interlinear-text guid="t"><paragraphs><paragraph><phrases>
<phrase begin-time-offset="1830" end-time-offset="4560" media-file="m" speaker="Ana">
<item type="segnum" lang="en">1</item>
<words><word><item type="txt" lang="mdw">mbote</item></word><word><item type="punct" lang="mdw">!</item></word></words>
<item type="gls" lang="en">Hello</item></phrase><phrase begin-time-offset="5000" end-time-offset="6000" media-file="n">
<item type="txt" lang="mdw">eh</item></phrase></phrases></paragraph></paragraphs>
<media-files offset-type="milliseconds">
<media guid="m" location="file:///C:/a.wav"/><media guid="n" location="b.wav"/></media-files>
</interlinear-text></document>
"""
_TOOLBOX = b"""\\_sh v3.0  400  Text

\\id Story
\\ref S.001
\\ELANBegin 0.500
\\ELANEnd 00:00:02.250
\\ELANParticipant Ana
\\tx mbote    na
\\ge hello    with

\\tx yo
\\ge you

\\ref S.002
\\tx malamu
\\sound a.wav 3 4.5

\\ELANMediaURL file:///C:/x/a.wav
"""

ANNOTATION_SEEDS: Mapping[str, tuple[str, tuple[bytes, ...]]] = {
    "ELAN": (".eaf", (_EAF, _EAF.decode().replace("UTF-8", "UTF-16").encode("utf-16"))),
    "TextGrid, long": (".TextGrid", (_LONG.encode(), _LONG.encode("utf-16"))),
    "TextGrid, short": (".TextGrid", (_SHORT.encode(), _SHORT.encode("utf-16-be"))),
    "TextGrid, binary": (".TextGrid", (_binary_grid(),)),
    "Transcriber": (".trs", (_TRS, _TRS.decode().replace("UTF-8", "ISO-8859-1").encode("latin-1"))),
    "SubRip": (".srt", (_SRT,)),
    "WebVTT": (".vtt", (_VTT,)),
    "Audacity": (".txt", (_LABELS,)),
    "FLEx": (".flextext", (_FLEX,)),
    "Toolbox": (".sfm", (_TOOLBOX,)),
    "Toolbox, or Audacity": (".txt", (_TOOLBOX, _LABELS)),
}


@dataclass(frozen=True)
class CorpusSeed:
    """A valid corpus.

    Attributes:
        files: by their path; those that end in .gz are packed after they were damaged.
        settings: of which one is taken.
        guesses: whether `lowres init` looks at it, instead of a reader.
    """

    files: Mapping[str, bytes]
    settings: tuple[ReaderSettings, ...] = ()
    guesses: bool = False


def _lines(*rows: Mapping[str, Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


_SOUND = b"RIFF....WAVEfmt "
_TABLE = (
    'audio,text,speaker,split,id,start,end,channel,language\na.wav,"mbote, yo",Ana,train,u1,0,1.5,0,lin\n'
    "b/b.wav,eh,Ben,dev,u2,,,,\n"
)
_RECORDING = {
    "id": "rec", "sources": [{"type": "file", "channels": [0], "source": "audio/a.wav"}], "sampling_rate": 16000,
    "num_samples": 64000, "duration": 4.0, "channel_ids": [0],
}  # fmt: skip
_SUPERVISION = {
    "id": "u1", "recording_id": "rec", "start": 0.5, "duration": 1.25, "channel": 0, "text": "mbote", "language": "lin",
    "speaker": "Ana",
}  # fmt: skip
_CV = b'client_id\tpath\tsentence\tlocale\nana\ta.mp3\tmbote na yo\tln\nben\tb.mp3\t"eh"\tln\n'
_FLEURS = b"7\t1.wav\tMbote na yo.\tmbote na yo\tm b |\t16000\tMALE\n8\t2.wav\tEh\teh\te h |\t16000\tFEMALE\n"
_SESSION = (
    b'<?xml version="1.0"?><Session><participants>Ana; Ben</participants><contributions><contributor><name>Ana</name>'
)
_SESSION += b"<role>speaker</role></contributor></contributions></Session>"
_PERSON = b'<?xml version="1.0"?><Person><code>F1</code></Person>'
_SAYMORE = {
    "Sessions/S/a.wav": _SOUND, "Sessions/S/a.wav.annotations.eaf": _EAF, "Sessions/S/S.session": _SESSION,
    "People/Ana/Ana.person": _PERSON,
}  # fmt: skip
_MANY = {
    "a.wav": _SOUND, "a.eaf": _EAF, "b.wav": _SOUND, "b.TextGrid": _LONG.encode(), "c.wav": _SOUND, "c.trs": _TRS,
    "d.wav": _SOUND, "d.srt": _SRT, "d.vtt": _VTT, "e.flextext": _FLEX, "f.sfm": _TOOLBOX, "x/f.txt": _TOOLBOX,
}  # fmt: skip

CORPUS_SEEDS: Mapping[str, CorpusSeed] = {
    "paired files": CorpusSeed(
        {"train/a.wav": _SOUND, "train/a.txt": b"mbote", "dev/b.wav": _SOUND, "dev/b.txt": "ɛ́ɛ́\n".encode()},
        (ReaderSettings(), ReaderSettings(speaker_from="file_name"), ReaderSettings(speaker_from="folder")),
    ),
    "table": CorpusSeed(
        {"a.wav": _SOUND, "b/b.wav": _SOUND, "t.csv": _TABLE.encode()},
        (
            ReaderSettings(reader="table"),
            ReaderSettings(reader="table", header=False, columns={"audio": "1", "text": "2"}),
        ),
    ),
    "table, of tabs": CorpusSeed(
        {
            "a.wav": _SOUND,
            "b/b.wav": _SOUND,
            "train.tsv": _TABLE.replace(",", "\t").encode(),
            "dev.tsv": b"audio\ttext\n",
        },
        (ReaderSettings(reader="table", table="{split}.tsv"), ReaderSettings(reader="table", table="train.tsv")),
    ),
    "audio folder": CorpusSeed(
        {"train/a.wav": _SOUND, "train/metadata.csv": b"file_name,transcription,speaker_id\na.wav,mbote,Ana\n"},
        (ReaderSettings(reader="audio_folder"),),
    ),
    "Common Voice": CorpusSeed(
        {"ln/clips/a.mp3": _SOUND, "ln/clips/b.mp3": _SOUND, "ln/train.tsv": _CV, "ln/dev.tsv": _CV[:60]},
        (ReaderSettings(reader="common_voice"),),
    ),
    "Kaldi": CorpusSeed(
        {
            "audio/a.wav": _SOUND,
            "data/train/wav.scp": b"rec audio/a.wav\n",
            "data/train/text": b"u1 mbote\nu2 eh\n",
            "data/train/segments": b"u1 rec 0 1.5\nu2 rec 1.5 2.75\n",
            "data/train/utt2spk": b"u1 ana\nu2 ben\n",
        },
        (ReaderSettings(reader="kaldi"), ReaderSettings(reader="kaldi", audio_folder="audio")),
    ),
    "lhotse": CorpusSeed(
        {
            "audio/a.wav": _SOUND,
            "recordings_train.jsonl.gz": _lines(_RECORDING),
            "supervisions_train.jsonl.gz": _lines(
                _SUPERVISION, {**_SUPERVISION, "id": "u2", "start": 0, "duration": 4}
            ),
        },
        (ReaderSettings(reader="lhotse"), ReaderSettings(reader="lhotse", channel=0)),
    ),
    "lhotse, not packed": CorpusSeed(
        {"audio/a.wav": _SOUND, "recordings.jsonl": _lines(_RECORDING), "supervisions.jsonl": _lines(_SUPERVISION)},
        (ReaderSettings(reader="lhotse"),),
    ),
    "FLEURS": CorpusSeed(
        {"sw/audio/train/1.wav": _SOUND, "sw/audio/train/2.wav": _SOUND, "sw/train.tsv": _FLEURS, "sw/dev.tsv": b""},
        (ReaderSettings(reader="fleurs"), ReaderSettings(reader="fleurs", subfolder="sw")),
    ),
    "MLS": CorpusSeed(
        {
            "train/audio/7/8/7_8_000001.flac": _SOUND,
            "train/transcripts.txt": b"7_8_000001\tmbote na yo\n",
            "train/limited_supervision/9hr/handles.txt": b"7_8_000001\n",
        },
        (ReaderSettings(reader="mls"),),
    ),
    "OpenSLR": CorpusSeed(
        {"a_1_2.wav": _SOUND, "line_index.tsv": b"a_1_2\tmbote na yo\n", "line_index_male.tsv": b"a_1_2\tmbote\n"},
        (ReaderSettings(reader="openslr"),),
    ),
    "annotated": CorpusSeed(
        _MANY,
        (
            ReaderSettings(reader="annotated", tiers=("*",)),
            ReaderSettings(reader="annotated", tiers=("tx", "Transcription"), padding_seconds=0.3, channels={"Ana": 1}),
            ReaderSettings(reader="annotated", annotation_suffixes=(".txt",), tiers=("tx",)),
            ReaderSettings(reader="annotated", tiers=("t*",), speaker_tier="words", speaker_from="folder"),
        ),
    ),
    "SayMore": CorpusSeed(_SAYMORE, (ReaderSettings(reader="saymore"),)),
    "recordings": CorpusSeed({"a.wav": _SOUND, "train/b.flac": _SOUND}, (ReaderSettings(reader="recordings"),)),
    "init, annotated": CorpusSeed({**_MANY, "x/g.wav": _SOUND}, guesses=True),
    "init, SayMore": CorpusSeed(_SAYMORE, guesses=True),
    "init, FLEURS": CorpusSeed({"audio/train/1.wav": _SOUND, "train.tsv": _FLEURS}, guesses=True),
}

PARQUET_ROWS: tuple[dict[str, Any], ...] = (
    {"audio": {"bytes": b"RIFF....WAVEfmt ", "path": "a.wav"}, "text": "mbote", "speaker_id": "7", "language": "lin"},
    {"audio": {"bytes": None, "path": "audio/b.wav"}, "text": "eh", "speaker_id": "8", "language": "lin"},
    {"audio": {"bytes": b"fLaC....", "path": None}, "text": "eh na yo", "speaker_id": "8", "language": "lin"},
)
