"""audit: what the transcripts of a corpus are written with, before any rule has touched them, as JSON and as a page."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from lowres.corpora.layouts import read_corpus
from lowres.errors import AudioError, CorpusError
from lowres.manifest.corpus import CORPUS_FILE, CORPUS_FOLDER, SOUND_COLUMNS, read_corpus_json
from lowres.manifest.table import read_manifest, write_atomically
from lowres.recipe import Recipe
from lowres.report.language_tag import language_tag
from lowres.report.orthography_page import AuditPage, example_ids, render_orthography_page, wanted_clips
from lowres.report.writing import PAGE_FILE, write_file
from lowres.stages.audit_clips import embed_from_files
from lowres.stages.audit_snippet import rules_snippet
from lowres.stages.embed_clips import embed_clips
from lowres.stages.inspect import ORTHOGRAPHY_FOLDER, link_corpus_pages
from lowres.stages.prepare_locate import locate_corpus
from lowres.text.audit import OrthographyAudit, audit_orthography

AUDIT_FILE: Final = ORTHOGRAPHY_FOLDER / "audit.json"
"""Where in a project the audit is written."""

AUDIT_FORMAT_VERSION: Final = 1

AUDITED_COLUMNS: Final = ("raw_text", "duration_seconds", *SOUND_COLUMNS)
"""Of a manifest: the transcripts as written, and what it takes to hear some of them."""


@dataclass(frozen=True)
class AuditResult:
    """An audit and where it came from.

    Attributes:
        audit: see `OrthographyAudit`.
        source: the folder of the transcripts: the prepared corpus, or the recordings.
        from_prepared: whether they were read as `lowres prepare` found them.
        path: the audit as JSON; `page` as HTML.
        num_embedded: recordings that can be heard on the page.
        notes: what the reader had to guess.
    """

    audit: OrthographyAudit
    source: Path
    from_prepared: bool
    path: Path
    page: Path
    num_embedded: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Transcripts:
    texts: list[tuple[str, str]]
    source: Path
    from_prepared: bool
    notes: tuple[str, ...]
    licence: str
    consent: str
    seconds: Callable[[set[str]], dict[str, float]]
    """Durations of utterances, as far as they are known."""

    embed: Callable[[list[str]], dict[str, str]]
    """Takes utterance ids, the most wanted first, and gives data addresses of the recordings of some of them."""


def audit(
    project: Path, recipe: Recipe, progress: Callable[[str, int, int], None] = lambda _step, _done, _total: None
) -> AuditResult:
    """Audit the orthography of a project's transcripts and write reports/orthography: audit.json and report.html.

    Args:
        project: the project folder. A corpus that was prepared there with this recipe is read from its manifest,
            which holds the transcripts as they were written; else the recordings' own transcripts are.
        recipe: says where the corpus is, and which rules, letters and multigraphs are declared.
        progress: as `lowres.stages.prepare.Progress`; "downloading" and "reading".

    Raises:
        RecipeError: the recipe names no corpus.
        CorpusError: the corpus is not there, cannot be read, or has no transcripts.
    """
    found = _from_prepared(project, recipe) or _from_reader(project, recipe, progress)
    if not any(text.strip() for _, text in found.texts):
        raise CorpusError(
            f"There is nothing to audit: no utterance of {found.source} has a transcript.",
            "Name the tier, column or file that holds the transcripts in the recipe's [corpus.reader].",
        )
    result = audit_orthography(found.texts, recipe.text.rules, recipe.text.alphabet, recipe.text.graphemes)
    path = project / AUDIT_FILE
    data = {"format_version": AUDIT_FORMAT_VERSION, "corpus": recipe.name, "source": found.source.as_posix()}
    data |= {"licence": found.licence, "consent": found.consent}
    written = json.dumps(data | asdict(result), ensure_ascii=False, indent=1) + "\n"
    # A lone surrogate, which UTF-8 cannot hold, becomes the escape that JSON has for it.
    write_atomically(path, [written.encode("utf-8", errors="backslashreplace").decode("utf-8")])
    recordings = found.embed(wanted_clips(result, found.seconds(example_ids(result))))
    page = AuditPage(
        audit=result,
        name=recipe.name,
        language=recipe.language.name,
        language_code=language_tag(recipe.language.iso_639_3, recipe.language.script),
        source=found.source.as_posix(),
        from_prepared=found.from_prepared,
        notes=found.notes,
        snippet=rules_snippet(result),
        transcripts={name: text for name, text in found.texts if name in recordings},
        licence=found.licence,
        consent=found.consent,
    )
    write_file(path.with_name(PAGE_FILE), render_orthography_page(page, recordings))
    link_corpus_pages(project)
    return AuditResult(
        result, found.source, found.from_prepared, path, path.with_name(PAGE_FILE), len(recordings), found.notes
    )


def _from_prepared(project: Path, recipe: Recipe) -> _Transcripts | None:
    """Read the transcripts of the prepared corpus; None where there is none, or another recipe prepared it."""
    folder = project / CORPUS_FOLDER
    if not (folder / CORPUS_FILE).is_file():
        return None
    info = read_corpus_json(folder)
    if info.recipe_name != recipe.name or not info.transcribed:
        return None
    table = read_manifest(folder, AUDITED_COLUMNS)
    texts = list(zip(table["utterance_id"].tolist(), table["raw_text"].tolist(), strict=True))
    rows = table[["utterance_id", "duration_seconds"]]

    def seconds(names: set[str]) -> dict[str, float]:
        chosen = rows[rows["utterance_id"].isin(list(names))]
        return dict(zip(chosen["utterance_id"].tolist(), chosen["duration_seconds"].tolist(), strict=True))

    return _Transcripts(
        texts,
        folder,
        True,
        (),
        info.licence,
        info.consent,
        seconds,
        lambda wanted: _embed_prepared(folder, table, wanted),
    )


def _embed_prepared(folder: Path, table: pd.DataFrame, wanted: list[str]) -> dict[str, str]:
    try:
        return embed_clips(folder, table, wanted)
    except AudioError:  # a shard is gone: the letters are there to be seen all the same
        return {}


def _from_reader(project: Path, recipe: Recipe, progress: Callable[[str, int, int], None]) -> _Transcripts:
    located = locate_corpus(project, recipe, lambda _url, done, total: progress("downloading", done, total or 0))
    if not located.reader.has_transcripts:
        raise CorpusError(
            f"The recordings in {located.folder} have no transcripts, so there is nothing to audit.",
            "Name a reader with transcripts in corpus.reader.",
        )
    progress("reading", 0, 0)
    reading = read_corpus(located.folder, located.reader)
    texts = [(row.utterance_id, row.raw_text) for row in reading.rows]
    rows = {row.utterance_id: row for row in reading.rows}

    def seconds(names: set[str]) -> dict[str, float]:
        ends = ((rows[name].utterance_id, rows[name].end_seconds, rows[name].start_seconds) for name in sorted(names))
        return {name: end - start for name, end, start in ends if end is not None}

    return _Transcripts(
        texts,
        located.folder,
        False,
        tuple(reading.notes),
        located.licence,
        located.consent,
        seconds,
        lambda wanted: embed_from_files(located.folder, rows, wanted),
    )
