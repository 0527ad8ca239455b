"""The walk's questions about the recordings: where they are, where their transcripts stand, and who speaks."""

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final

from lowres.corpora.columns import NEEDED, USUAL_NAMES, find_columns
from lowres.corpora.delimited import DelimitedTable, read_delimited
from lowres.corpora.files import CorpusFiles
from lowres.corpora.settings import AUDIO_SUFFIXES
from lowres.errors import CorpusError
from lowres.manifest.overlap import count
from lowres.manifest.typed_paths import expand_home
from lowres.stages.init import choose_layout, guess_layouts, list_files, path_from
from lowres.stages.init_candidates import list_sidecars, list_tables
from lowres.stages.start_asking import Ask, Choice, GoBack, Question, ask_in_turn
from lowres.stages.start_walk import FolderScan, Walk

_NUM_EXAMPLES: Final = 5
_MOST_REASONS: Final = 6
_AS_IT_IS, _UNKNOWN = "as it is", "unknown"
_MOST_SURE_NAMES: Final = 40
_LONGEST_NAME, _MOST_TIERS_TRIED = 12, 3
_LAYOUTS: Final = {
    "paired_files": "a transcript beside each recording",
    "table": "a table of recordings and transcripts",
    "audio_folder": "an audio folder with metadata.csv",
    "common_voice": "a release of Common Voice",
    "fleurs": "a release of FLEURS",
    "mls": "a release of Multilingual LibriSpeech",
    "openslr": "a corpus of OpenSLR",
    "kaldi": "a Kaldi data directory",
    "lhotse": "lhotse manifests",
    "annotated": "recordings with files of annotations",
    "saymore": "a SayMore project",
    "hf_dataset": "a Hugging Face data set of parquet files",
}


def ask_recordings(walk: Walk, ask: Ask) -> dict[str, Any]:
    """Ask for the folder of the recordings, and for its layout where it may have several; look at what is in it."""
    seen = _Seen(walk.answers.recordings)
    given, chosen = ask_in_turn([partial(_ask_folder, walk, ask, seen), partial(_ask_layout, walk, ask, seen)])
    layout = seen.layouts[chosen]
    with ask.working("looking at the recordings") as progress:
        scan = walk.if_answered(recordings=given).scan(progress)
    _show_scan(ask, scan, layout["reader"])
    return {"recordings": given, "layout": layout}


@dataclass
class _Seen:
    """A folder of recordings, as it is written down, and the layouts it may have by name, the likeliest first."""

    recordings: str | None
    layouts: dict[str, dict[str, Any]] = field(default_factory=dict)


def _ask_folder(walk: Walk, ask: Ask, seen: _Seen) -> str:
    """Ask for the folder, and note the layouts that it may have."""

    def look(typed: str) -> str:
        folder = as_typed(typed)
        if not folder.is_dir():
            raise CorpusError(f"There is no folder {folder}.", "Type its path, or drag it into this window.")
        possible = guess_layouts(folder.resolve())
        likeliest = choose_layout(folder.resolve(), possible)
        seen.layouts.clear()
        for one in (likeliest, *possible):
            layout = {key: value for key, value in one.items() if key not in ("tiers", "table", "transcript_suffix")}
            seen.layouts.setdefault(_name_layout(layout), layout)
        seen.recordings = path_from(walk.project, folder)
        return seen.recordings

    return ask.ask(
        Question(
            "Where are the recordings?",
            "The folder with the recordings and whatever they were transcribed in; a dot is this folder. They stay "
            "as they are.",
            default="." if seen.recordings is None else str(walk.project / seen.recordings),
            check=look,
        )
    )


def _ask_layout(walk: Walk, ask: Ask, seen: _Seen) -> str:
    """Ask which layout the folder has, where it may have several."""
    likeliest, *others = seen.layouts
    if not others:
        return likeliest
    earlier = _name_layout(walk.answers.layout) if walk.answers.layout else ""
    choices = tuple(Choice(name, _describe_layout(layout)) for name, layout in seen.layouts.items())
    why = "The files here may be read in several ways; the likeliest comes first."
    default = earlier if earlier in seen.layouts else likeliest
    return ask.ask(Question("How are the transcripts kept?", why, default=default, choices=choices))


def _name_layout(layout: dict[str, Any]) -> str:
    return " ".join([str(layout["reader"]), *layout.get("annotation_suffixes", ())])


def _describe_layout(layout: dict[str, Any]) -> str:
    endings = "".join(f" ({suffix})" for suffix in layout.get("annotation_suffixes", ()))
    reader = str(layout["reader"])
    return _LAYOUTS.get(reader, reader) + endings


def as_typed(typed: str) -> Path:
    """Return the path that was typed, or dropped into the terminal, which then quotes it."""
    text = typed.strip()
    if not expand_home(text).exists() and (text[:1] in "'\"" or "\\ " in text):
        with suppress(ValueError):
            text = (shlex.split(text) or [text])[0]
    return expand_home(text)


def _show_scan(ask: Ask, scan: FolderScan, layout: str) -> None:
    endings = ", ".join(f"{number:,} {ending}" for ending, number in scan.endings.items())
    about = "about " if scan.num_estimated else ""
    if scan.seconds:
        ask.say(f"Found: {count(len(scan.seconds), 'recording')} ({endings}), {about}{scan.hours:.2f} hours in all.")
    ask.say(f"Layout: {_LAYOUTS.get(layout, layout)}.")
    if scan.unreadable:
        named = ", ".join(scan.unreadable[:3])
        ask.say(f"{count(len(scan.unreadable), 'recording')} cannot be read: {named}.")


def ask_transcripts(walk: Walk, ask: Ask) -> dict[str, Any]:
    """Ask which tier, column or file holds the transcript, with five examples of each; then say what there is."""
    reader = (walk.answers.layout or {})["reader"]
    if reader == "annotated":
        chosen = _ask_tiers(walk, ask)
    elif reader == "table":
        chosen = _ask_table(walk, ask)
    elif reader == "paired_files":
        chosen = _ask_sidecar(walk, ask)
    else:
        chosen = {}
    probe = walk.if_answered(transcripts=chosen, speakers=None, text=None)
    with ask.working("reading the transcripts"):
        probe.reading()
    _show_reading(probe, ask)
    return {"transcripts": chosen}


def _ask_tiers(walk: Walk, ask: Ask) -> dict[str, Any]:
    with ask.working("reading the annotations"):
        tiers = walk.tiers()
    if len(tiers) < 2:
        named = f"The transcript stands on the tier {tiers[0].name!r}." if tiers else ""
        ask.say(named)
        return {}
    earlier = (walk.answers.transcripts or {}).get("tiers", [tiers[0].name])
    choices = tuple(
        Choice(tier.name, f"{tier.name}  ({count(tier.num_annotations, 'annotation')})", tier.examples)
        for tier in tiers
    )
    chosen = ask.ask_several(
        Question(
            "Which tier holds the transcript?",
            "What was said, in the language itself; several where each speaker has a tier.",
            default="\n".join(earlier),
            choices=choices,
        )
    )
    return {"tiers": list(chosen)}


def _ask_sidecar(walk: Walk, ask: Ask) -> dict[str, Any]:
    endings = list_sidecars(walk.folder, list_files(walk.folder))
    if len(endings) < 2:
        return {"transcript_suffix": endings[0].ending} if endings else {}
    choices = tuple(
        Choice(one.ending, f"{one.ending}  ({count(one.num_files, 'file')})", one.examples) for one in endings
    )
    earlier = (walk.answers.transcripts or {}).get("transcript_suffix", endings[0].ending)
    title = "Which files hold the transcript?"
    why = "Files of several kinds stand beside the recordings; these are some of each."
    return {"transcript_suffix": ask.ask(Question(title, why, default=earlier, choices=choices))}


def _ask_table(walk: Walk, ask: Ask) -> dict[str, Any]:
    tables = list_tables(walk.folder, list_files(walk.folder))
    if len(tables) < 2:
        return {"table": tables[0], **_ask_columns(walk, ask, tables[0])}
    chosen = (walk.answers.transcripts or {}).get("table", tables[0])
    title, why = "Which table lists the recordings?", "There are several in this folder; one row is one utterance."
    choices = tuple(Choice(name, name) for name in tables)
    while True:
        chosen = ask.ask(Question(title, why, default=chosen, choices=choices))
        with suppress(GoBack):  # from its columns to the tables
            return {"table": chosen, **_ask_columns(walk, ask, chosen)}


def _ask_columns(walk: Walk, ask: Ask, name: str) -> dict[str, Any]:
    """Ask which columns hold recording and transcript, where they have none of the usual names."""
    pattern = walk.folder / name
    path = next(iter(sorted(pattern.parent.glob(pattern.name.replace("{split}", "*")))), pattern)
    CorpusFiles(walk.folder).check_inside(path.relative_to(walk.folder).as_posix(), str(path))
    table = read_delimited(path, encoding="", header=True)
    try:
        find_columns(table.columns, {}, path)
    except CorpusError:
        pass
    else:
        return {}
    cells = [row for _, row in table.rows[:_NUM_EXAMPLES]]
    choices = tuple(
        Choice(column, column, tuple(row[place] for row in cells)) for place, column in enumerate(table.columns)
    )
    likely = {"audio": _names_files(table), "text": _holds_most(table)}
    what = {"audio": "names the recording", "text": "holds the transcript"}

    def ask_one(ours: str) -> str:
        return ask.ask(Question(f"Which column {what[ours]}?", f"Of the table {name}.", likely[ours], choices))

    given = ask_in_turn([partial(ask_one, ours) for ours in NEEDED])
    return {"columns": dict(zip(NEEDED, given, strict=True))}


def _names_files(table: DelimitedTable) -> str:
    """Return the column whose cells look most like names of recordings."""
    places = range(len(table.columns))
    num_files = [sum(row[place].lower().endswith(AUDIO_SUFFIXES) for _, row in table.rows) for place in places]
    return table.columns[num_files.index(max(num_files))]


def _holds_most(table: DelimitedTable) -> str:
    """Return the column with the most different letters and signs, of those that name no files: most often the text."""
    audio = table.columns.index(_names_files(table))
    letters = [len({letter for _, row in table.rows for letter in row[place]}) for place in range(len(table.columns))]
    letters[audio] = -1
    return table.columns[letters.index(max(letters))]


def _show_reading(walk: Walk, ask: Ask) -> None:
    """Say how much is transcribed, and count and name what cannot be used."""
    reading, table = walk.reading(), walk.table()
    hours = float(table["duration_seconds"].sum()) / 3600
    num_empty = int((~table["included"]).sum())
    ask.say(
        f"Transcribed: {count(len(reading.rows), 'utterance')}, {hours:.2f} hours, "
        f"in {count(table['audio_path'].nunique(), 'recording')}."
    )
    for row in [row for row in reading.rows if row.raw_text.strip()][:3]:
        ask.say(f"  {row.raw_text.strip()}")
    reasons = Counter(_in_general(skipped.reason) for skipped in reading.skipped)
    if num_empty:
        reasons["has an empty transcript"] += num_empty
    if reasons:
        ask.say("Left out:")
        first = {_in_general(skipped.reason): skipped.place for skipped in reversed(reading.skipped)}
        rows = [(f"{number:,}", reason, first.get(reason, "")) for reason, number in reasons.most_common(_MOST_REASONS)]
        ask.show_rows(("", "why", "such as"), rows)
    for note in reading.notes[:_MOST_REASONS]:
        ask.say(note)


def _in_general(reason: str) -> str:
    """Leave out of a reason what only one file has: names in brackets."""
    return reason.partition(" (")[0]


def ask_speakers(walk: Walk, ask: Ask) -> dict[str, Any]:
    """Ask where the speakers' names stand, each possibility with how many there would be."""
    probe = walk.if_answered(speakers=None)
    with ask.working("looking for names of speakers"):
        named = Counter(row.speaker for row in probe.reading().rows if row.speaker)
        found = dict(_speaker_places(probe))
    choices = [Choice(_AS_IT_IS, f"as the files themselves say: {_list_names(list(named))}")] if named else []
    choices += [Choice(key, label) for key, (label, _) in found.items()]
    choices.append(Choice(_UNKNOWN, "not known, or one person only"))
    likely = next((key for key in found if key.startswith(("tier ", "column "))), "")
    first_part = "part 1" if "part 1" in found and _are_names(found["part 1"][1], probe) else _UNKNOWN
    earlier = next((key for key, (_, data) in found.items() if data == walk.answers.speakers), None)
    if earlier is None and walk.answers.speakers == {}:
        earlier = _AS_IT_IS if named else _UNKNOWN
    given = ask.ask(
        Question(
            "Who speaks?",
            "With speakers known, the test is on people the recogniser never heard. One name is one person.",
            default=earlier or (_AS_IT_IS if named else likely or first_part),
            choices=tuple(choices),
        )
    )
    return {"speakers": found[given][1] if given in found else {}}


def _speaker_places(walk: Walk) -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
    """Yield where names of speakers may stand: a key, then what to show and the values of [corpus.reader]."""
    reader = walk.settings().reader
    names = list(dict.fromkeys(row.audio_path for row in walk.reading().rows))
    if reader == "annotated":
        yield from _speaker_tiers(walk)
    if reader in ("table", "audio_folder"):
        yield from _speaker_columns(walk)
    if reader in ("paired_files", "annotated", "table"):
        folders = [name.split("/")[-2] for name in names if "/" in name]
        are_splits = all(walk.settings().split_for(name) for name in set(folders))
        if 1 < len(set(folders)) < len(names) == len(folders) and not are_splits:
            yield "folder", (f"the folder: {_list_names(folders)}", {"speaker_from": "folder"})
        yield from _speaker_parts(names)


def _speaker_tiers(walk: Walk) -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
    """Yield the tiers of short texts that, read as names of speakers, give a few."""
    tiers = walk.tiers()
    short = [tier for tier in tiers if tier.num_letters <= _LONGEST_NAME * tier.num_annotations]
    for tier in [tier for tier in short if tier.name not in walk.settings().tiers][:_MOST_TIERS_TRIED]:
        rows = walk.if_answered(speakers={"speaker_tier": tier.name}).reading().rows
        speakers = [row.speaker for row in rows if row.speaker]
        if 1 < len(set(speakers)) <= max(len(rows) // 4, 2):
            label = f"the tier {tier.name!r}: {_list_names(speakers)}"
            yield f"tier {tier.name}", (label, {"speaker_tier": tier.name})


def _speaker_parts(names: Sequence[str]) -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
    """Yield the parts of file names that may be names: a few different ones, and no numbers."""
    stems = [Path(name).stem for name in names]
    separator = next((sign for sign in ("_", "-", " ") if all(sign in stem for stem in stems)), "_")
    pieces = [stem.split(separator) for stem in stems]
    for number in range(min(map(len, pieces), default=0)):
        found = [piece[number] for piece in pieces]
        different = set(found)
        num_words = sum(any(map(str.isalpha, one)) for one in different)
        if len(pieces[0]) > 1 and 1 < len(different) <= max(len(found) // 4, 2) and 2 * num_words > len(different):
            data = {"speaker_from": "file_name", "speaker_separator": separator, "speaker_field": number}
            label = f"part {number + 1} of the file name, cut at {separator!r}: {_list_names(found)}"
            yield f"part {number + 1}", (label, data)


def _speaker_columns(walk: Walk) -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
    name = walk.settings().table
    if not name or "{split}" in name:
        return
    table = read_delimited(walk.folder / name, encoding="", header=True)
    taken, usual = set(walk.settings().columns.values()), set(chain.from_iterable(USUAL_NAMES.values()))
    for place, column in enumerate(table.columns):
        values = [row[place] for _, row in table.rows if row[place].strip()]
        is_usual = column.strip().casefold() in usual
        if column not in taken and not is_usual and 1 < len(set(values)) <= max(len(values) // 4, 2):
            label = f"the column {column!r}: {_list_names(values)}"
            yield f"column {column}", (label, {"columns": {"speaker": column}})


def _are_names(place: dict[str, Any], walk: Walk) -> bool:
    """Say whether what stands there are surely names of people: letters only, and few."""
    found = {row.speaker for row in walk.if_answered(speakers=place).reading().rows}
    return len(found) <= _MOST_SURE_NAMES and all(name.isalpha() for name in found)


def _list_names(names: Sequence[str], most: int = 4) -> str:
    different = list(dict.fromkeys(names))
    more = ", ..." if len(different) > most else ""
    return f"{count(len(different), 'name')} ({', '.join(different[:most])}{more})"
