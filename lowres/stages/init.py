"""Writes the first lowres.toml of a project: from a shipped recipe, or for a folder of one's own recordings."""

import os
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from lowres.annotation.formats import ANNOTATION_SUFFIXES
from lowres.annotation.toolbox import begins_as_toolbox
from lowres.corpora.annotated import list_tiers
from lowres.corpora.files import is_inside, walk_folders
from lowres.corpora.lhotse_lines import LHOTSE_SUFFIXES
from lowres.corpora.mls import TRANSCRIPT_TABLES
from lowres.corpora.openslr import is_line_index
from lowres.corpora.parquet import PARQUET_SUFFIX
from lowres.corpora.saymore import ANNOTATIONS_SUFFIX, SESSION_SUFFIX
from lowres.corpora.settings import AUDIO_SUFFIXES, ReaderSettings
from lowres.errors import CorpusError, RecipeError
from lowres.recipe import list_shipped_recipes, parse_recipe, shipped_recipes_folder
from lowres.recipe.load import PROJECT_RECIPE
from lowres.recipe.toml_writer import write_value
from lowres.stages.init_signs import are_label_tracks, has_annotations_beside, lists_transcripts, stems_of
from lowres.stages.prepare_origin import OWN_FOLDERS
from lowres.stages.start_answers import ANSWERS_FILE

# Some seconds' work: enough for most corpora, and little enough where somebody names the whole disk.
_MOST_FILES_LOOKED_AT = 200_000
_MOST_TEXTS_LOOKED_AT = 50
_AS_TEXTS: dict[str, Any] = {"reader": "annotated", "annotation_suffixes": [".txt"]}
"""Texts of Toolbox, and label tracks of Audacity."""
_TRANSCRIPT_SUFFIXES = (".txt", ".lab", ".trans", ".mb", ".orth", ".lbl", ".trn")


@dataclass(frozen=True)
class InitOptions:
    """What `lowres init` is told.

    Attributes:
        recipe: name of a shipped recipe to start from; "" for a recipe of one's own.
        recordings: folder of recordings; None leaves the place open.
        language: the language's name.
        code: its ISO 639-3 code.
        force: whether an existing lowres.toml may be replaced.
    """

    recipe: str = ""
    recordings: Path | None = None
    language: str = ""
    code: str = ""
    force: bool = False


@dataclass(frozen=True)
class InitResult:
    """The file that was written, and how the recordings seem to be laid out ("" where nobody looked)."""

    path: Path
    layout: str


def init_project(project: Path, options: InitOptions) -> InitResult:
    """Write `project`/lowres.toml; the folder is created if need be.

    Raises:
        RecipeError: there is one already and `force` is not given, no such shipped recipe, or a code that is none.
        CorpusError: the folder of recordings is missing, or holds nothing that can be read.
    """
    path = project / PROJECT_RECIPE
    if path.exists() and not options.force:
        raise RecipeError(f"{path} exists already.", "Edit it, or replace it with --force.")
    if options.recordings is not None and not options.recordings.is_dir():
        raise CorpusError(f"There is no folder {options.recordings}.", "Give the folder that holds the recordings.")
    text, layout = _from_shipped(project, options) if options.recipe else _from_template(project, options)
    parse_recipe(text, place=str(path))
    project.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".toml.partial")
    unfinished.write_text(text, encoding="utf-8", newline="\n")
    unfinished.replace(path)
    return InitResult(path, layout)


def guess_reader(folder: Path) -> dict[str, Any]:
    """Guess the layout of a folder of recordings from the names in it.

    Returns:
        Values for `[corpus.reader]`, as few as are needed; `reader` is always among them.

    Raises:
        CorpusError: no recording in it, or recordings without any transcript that can be read.
    """
    return choose_layout(folder, guess_layouts(folder))


def guess_layouts(folder: Path) -> list[dict[str, Any]]:
    """List the layouts that a folder of recordings may have, the likeliest first.

    Returns:
        For each, values for `[corpus.reader]`; what `choose_layout` finds out is not among them.

    Raises:
        CorpusError: no recording in it, or recordings without any transcript.
    """
    files = list_files(folder)
    audio = [path for path in files if path.suffix.lower() in AUDIO_SUFFIXES]
    if not audio and any(path.suffix == PARQUET_SUFFIX for path in files):
        return [{"reader": "hf_dataset"}]
    if not audio:
        raise CorpusError(
            f"There is no recording in {_looked_at(folder, files)}.", f"Known are {', '.join(AUDIO_SUFFIXES)}."
        )
    published = _guess_published(folder, files, audio)
    if published and published != "audio_folder":
        return [{"reader": published}]
    layouts = _own_layouts(folder, files, has_metadata=bool(published))
    if not layouts:
        raise _no_transcripts(_looked_at(folder, files), len(audio))
    return layouts


def _own_layouts(folder: Path, files: list[Path], *, has_metadata: bool) -> list[dict[str, Any]]:
    """List the layouts of recordings that nobody published, the likeliest first."""
    stems = stems_of(files)
    texts = [path for path in files if path.suffix.lower() == ".txt"]
    tables = sorted(path for path in files if path.suffix.lower() in (".csv", ".tsv"))
    some_texts, some_tables = (
        [path for path in paths[:_MOST_TEXTS_LOOKED_AT] if is_inside(path, folder)] for paths in (texts, tables)
    )
    listing = [path for path in some_tables if lists_transcripts(path, stems)]
    others = [path for path in (*listing, *tables) if not (has_metadata and path.stem == "metadata")]
    sidecars = _count_sidecars(files, stems)
    beside: list[dict[str, Any]] = [
        {"reader": "paired_files", "transcript_suffix": suffix} for suffix, _ in sidecars.most_common(1)
    ]
    if beside and are_label_tracks(path for path in some_texts if path.with_suffix("") in stems):
        beside = [_AS_TEXTS, *beside]
    metadata = [{"reader": "audio_folder"}] if has_metadata else []
    table = [{"reader": "table", "table": path.relative_to(folder).as_posix()} for path in others[:1]]
    toolbox = [_AS_TEXTS] if any(map(begins_as_toolbox, some_texts)) else []
    annotated = [{"reader": "annotated"}] if any(path.suffix.lower() in ANNOTATION_SUFFIXES for path in files) else []
    if not listing and (beside or has_annotations_beside(files, stems)):
        # Then the tables are of something else, such as the speakers or the days of the recordings.
        return [*toolbox, *beside, *annotated, *metadata, *table]
    is_one = sidecars.total() == 1
    return [*metadata, *toolbox, *(() if is_one else beside), *table, *annotated, *(beside if is_one else ())]


def _guess_published(folder: Path, files: list[Path], audio: list[Path]) -> str:
    """Return the layout that corpora are published in whose names these are; "" where they are of none."""
    names = {path.name for path in files}
    folders = {part for path in audio for part in path.relative_to(folder).parts[:-1]}
    manifests = [path.name for path in files if path.name.endswith(LHOTSE_SUFFIXES)]
    signs = {
        "saymore": all(any(name.endswith(end) for name in names) for end in (SESSION_SUFFIX, ANNOTATIONS_SUFFIX)),
        "kaldi": "wav.scp" in names,
        "lhotse": all(any(kind in name for name in manifests) for kind in ("recordings", "supervisions")),
        "common_voice": "train.tsv" in names and "clips" in folders,
        "fleurs": "train.tsv" in names and "audio" in folders and _has_no_header(folder, files),
        "mls": "audio" in folders and any(path.match(table) for table in TRANSCRIPT_TABLES for path in files),
        "openslr": any(is_line_index(name) for name in names),
        "audio_folder": bool(names & {"metadata.csv", "metadata.tsv"}),
    }
    return next((reader for reader, is_it in signs.items() if is_it), "")


def _has_no_header(folder: Path, files: list[Path]) -> bool:
    """Say whether the first train.tsv begins as FLEURS's do: with a number and the name of a recording."""
    table = next(path for path in files if path.name == "train.tsv")
    if not table.is_file() or not is_inside(table, folder):
        raise CorpusError(
            f"{table} is no ordinary file, or a link that leads out of {folder}.", "Put the table itself there."
        )
    try:
        with table.open("rb") as file:
            cells = file.readline(10_000).split(b"\t")
    except OSError as error:
        raise CorpusError(f"{table} cannot be read: {error.strerror or error}.") from error
    return len(cells) > 2 and cells[0].strip(b"\xef\xbb\xbf ").isdigit()


def choose_layout(folder: Path, layouts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the first layout that has something to read, with the likeliest tier for the transcript.

    Raises:
        CorpusError: none has; of the first.
    """
    refused: list[CorpusError] = []
    for layout in layouts:
        if layout["reader"] != "annotated":
            return layout
        try:
            return _guess_tier(folder, tuple(layout.get("annotation_suffixes", ())))
        except CorpusError as error:
            refused.append(error)
    raise refused[0]


def _guess_tier(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Any]:
    """Take the likeliest tier for the transcript; whoever knows better finds the name in lowres.toml."""
    tiers = list_tiers(folder, ReaderSettings(reader="annotated", annotation_suffixes=suffixes))
    if not tiers:
        raise CorpusError(
            f"{folder} holds files of annotations, and none of them can be read and has text on a tier of intervals.",
            "Open one in the program that made it and look whether it is damaged or empty.",
        )
    endings = {"annotation_suffixes": list(suffixes)} if suffixes else {}
    chosen = {"tiers": [tiers[0].name]} if len(tiers) > 1 else {}
    return {"reader": "annotated", **endings, **chosen}


def list_files(folder: Path) -> list[Path]:
    """List a folder's files, hardly more than 200,000; nothing hidden, and nothing that lowres made."""
    files: list[Path] = []
    # Whoever wants to be asked everything again deletes the recipe; what was made with it is still there.
    is_project = any((folder / name).is_file() for name in (PROJECT_RECIPE, ANSWERS_FILE))
    own = OWN_FOLDERS if is_project else ()
    for parent, folders, names in walk_folders(folder):
        if parent == folder:
            folders[:] = [name for name in folders if name not in own]
        files += [parent / name for name in names]
        if len(files) > _MOST_FILES_LOOKED_AT:
            break
    return files


def _count_sidecars(files: list[Path], stems: Set[Path]) -> Counter[str]:
    """Count the suffixes of transcripts that stand beside a recording under the same name."""
    return Counter(
        path.suffix for path in files if path.suffix.lower() in _TRANSCRIPT_SUFFIXES and path.with_suffix("") in stems
    )


def _looked_at(folder: Path, files: list[Path]) -> str:
    return str(folder) if len(files) <= _MOST_FILES_LOOKED_AT else f"the first {len(files):,} files of {folder}"


def _no_transcripts(looked_at: str, num_recordings: int) -> CorpusError:
    return CorpusError(
        f"There are {num_recordings} recordings and no transcripts in {looked_at}.",
        "Put X.txt beside each X.wav, or a table with the columns audio and text into the folder. To pretrain on "
        'recordings alone, write [corpus.reader] reader = "recordings" in lowres.toml.',
    )


def _from_shipped(project: Path, options: InitOptions) -> tuple[str, str]:
    if options.recipe not in list_shipped_recipes():
        raise RecipeError(
            f"No recipe called {options.recipe!r} is shipped.", f"There are {', '.join(list_shipped_recipes())}."
        )
    text = (shipped_recipes_folder() / f"{options.recipe}.toml").read_text(encoding="utf-8")
    if options.recordings is None:
        return text, ""
    folder = f"folder = {write_value(path_from(project, options.recordings))}"
    return text.replace("\n[corpus]\n", f"\n[corpus]\n{folder}\n", 1), ""


def _from_template(project: Path, options: InitOptions) -> tuple[str, str]:
    reader: dict[str, Any] = {"reader": "paired_files"}
    if options.recordings is not None:
        reader = guess_reader(options.recordings)
    recordings = path_from(project, options.recordings) if options.recordings else "recordings"
    text = Template(_TEMPLATE).substitute(
        language=write_value(options.language),
        code=write_value(options.code),
        folder=write_value(recordings),
        reader="\n".join(f"{key} = {write_value(value)}" for key, value in reader.items()),
    )
    return text, str(reader["reader"]) if options.recordings else ""


def path_from(project: Path, folder: Path) -> str:
    """Give `folder` relative to the project where they lie near each other, so that both can be moved together."""
    absolute, base = folder.resolve(), project.resolve()
    if absolute.is_relative_to(base.parent):
        return Path(os.path.relpath(absolute, base)).as_posix()
    return absolute.as_posix()


_TEMPLATE = """\
# What is special about this language. Everything that is not said here has a sensible default;
# `lowres recipe` prints them all, and recipes/README.md explains them.

[language]
name = $language
iso_639_3 = $code
# glottocode = ""
# script = "Latn"

[corpus]
# Taken from the folder of this file.
folder = $folder
# What may be done with the recordings; both are carried into the corpus, the model and the reports.
licence = ""
consent = ""

[corpus.reader]
# paired_files (X.wav with X.txt beside it), table, audio_folder, common_voice, fleurs, mls, openslr, kaldi, lhotse,
# hf_dataset (parquet files), annotated (ELAN, Praat, FLEx, Toolbox and the like), saymore, or recordings (without
# transcripts).
$reader
# The speaker, where no column says it: "file_name" takes the piece number speaker_field (counted from 0) of the file's
# name, cut at speaker_separator; "folder" takes the name of the recording's folder.
# speaker_from = "file_name"

[text]
# Steps from the transcript as written to the text that is trained on, in this order. Accents and tone marks are never
# stripped. Take out "lowercase" if capitals are letters of their own (IPA).
rules = [
    "nfc",
    "remove_invisible",
    "lowercase",
    # { map = { "’" = "'" } },
    # { remove_between = ["[", "]"] },
    { strip_punctuation = { keep = "'-" } },
    "collapse_spaces",
]
# Letters of the orthography: `lowres prepare` then names every transcript that holds something else.
# alphabet = "a b c d e é"
# Letters written with several characters; they are one label each where vocabulary.kind is "graphemes".
# graphemes = "ts ng"

# What the rules must do; checked by `lowres prepare`.
# [[text.tests]]
# from = "Kyéma  yeékirá."
# to = "kyéma yeékirá"

[vocabulary]
# characters, graphemes or sentencepiece.
kind = "characters"
"""
