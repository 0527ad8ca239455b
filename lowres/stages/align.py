"""Align: recordings and their text to the times of every word, and what of either is missing in the other."""

import os
import re
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lowres.annotation.elan_writing import write_elan
from lowres.annotation.textgrid import write_textgrid
from lowres.annotation.tiers import AnnotationFile, MediaLink, Tier
from lowres.annotation.transcript import SpokenUtterance, SpokenWord, Transcript, transcript_tiers
from lowres.corpora.delimited import read_text
from lowres.corpora.files import is_machine_made, mark_machine_made
from lowres.corpora.written_names import whole_text
from lowres.errors import CorpusError
from lowres.recipe import Recipe
from lowres.stages.align_text import AlignedRecording, TextLine, align_recording, hear_recording
from lowres.stages.evaluate_run import best_checkpoint, find_run
from lowres.stages.problems import OF_ONE_RECORDING, sentence_of
from lowres.stages.transcribe_files import survey_recordings
from lowres.stages.transcribe_work import NOT_CALIBRATED, ListenerSpec, open_listener
from lowres.text.normalize import compile_rules
from lowres.text.vocabulary import Vocabulary

ALIGNED_FOLDER: Final = "aligned"
TEXT_TIER: Final = "text"
FIT_TIER: Final = "text fit"
BESIDES_TIER: Final = "not in the text"
NOT_SAID_TIER: Final = "not said"
_LONG_LINE: Final = 200
"""Characters from which a line is cut at the ends of its sentences: an annotation should be a sentence."""

_VERY_LONG_LINE: Final = 600
"""Characters from which what is left is cut between words, a minute of speech or so: it may hold many sentences."""

_SENTENCE_END: Final = re.compile(r"(?<=[.!?…؟۔।፡።])\s+")
_MARK_SECONDS: Final = 0.1
"""How long the mark of a line is that was not said: what is not there has no length, and what has none is not shown."""


@dataclass(frozen=True)
class AlignedFile:
    """What was found in one recording: counts of its lines, and where it is written."""

    name: str
    path: Path
    duration_seconds: float
    num_lines: int
    """Utterances: lines that hold anything to say, long ones cut."""

    not_said: tuple[int, ...]
    """Numbers of the lines in the text's file, from 1, that are not in the recording, or not all of them."""

    num_besides: int
    """Stretches of speech that no line holds."""

    mean_fit: float
    """Of the lines that were said, 0-1."""

    num_unwritable: int
    """Symbols that the recogniser has no label for, and passed over."""


@dataclass(frozen=True)
class AlignResult:
    """What was aligned, and (name, sentence) of what could not be."""

    folder: Path
    run_name: str
    files: tuple[AlignedFile, ...]
    problems: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    wall_seconds: float


@dataclass(frozen=True)
class AlignOptions:
    """What the command line says.

    Attributes:
        run: name of the run; None = the newest. output: where to; None = `aligned/RUN` of the project.
        text: the text of a single recording; None = the file of its name that ends in `text_suffix`.
        as_textgrid: write for Praat, not ELAN. with_letters: a tier of letters too.
        overwrite: replace files that are there.
    """

    run: str | None = None
    output: Path | None = None
    text: Path | None = None
    text_suffix: str = ".txt"
    as_textgrid: bool = False
    with_letters: bool = False
    overwrite: bool = False


def align(
    project: Path,
    recipe: Recipe,
    sources: Sequence[Path],
    options: AlignOptions,
    listener: ListenerSpec,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> AlignResult:
    """Align recordings with their texts and write a file of tiers for each.

    Args:
        project: the project folder.
        recipe: its text rules, which turn a text into what the recogniser writes.
        sources: recordings, and folders of recordings with their texts beside them.
        options: what to read and write.
        listener: how to listen; its project, checkpoint and name are filled in, and no language model is used.
        progress: told how many of how many recordings are done.

    Raises:
        CheckpointError: no such run, or its checkpoint is damaged.
        CorpusError: a source is not there, `text` is given for several recordings, or a file would be overwritten.
    """
    started = time.perf_counter()
    run = find_run(project, options.run)
    spec = replace(listener, project=project, checkpoint=best_checkpoint(run), name=run.name, language_model="none")
    found = survey_recordings(sources)
    recordings = found.recordings
    if options.text is not None and len(recordings) != 1:
        raise CorpusError(
            f"--text gives one text for {len(recordings)} recordings.",
            "Put the text of each beside it, under its name.",
        )
    folder = options.output or project / ALIGNED_FOLDER / run.name
    ending = ".TextGrid" if options.as_textgrid else ".eaf"
    targets = [folder / Path(name).with_suffix(ending) for _, name in recordings]
    for target in targets:
        _demand_free(target, options)
    is_marked = _is_to_be_marked(folder)
    opened = open_listener(spec, 1)
    rules = compile_rules(recipe.text.rules)
    files: list[AlignedFile] = []
    problems = list(found.problems)
    for number, ((path, name), target) in enumerate(zip(recordings, targets, strict=True)):
        progress(number, len(recordings))
        try:
            text = options.text or _text_beside(path, options.text_suffix)
            lines, num_unwritable = read_lines(text, rules, opened.listener.recognizer.vocabulary)
            heard = hear_recording(opened.listener, path, channel=spec.channel)
            aligned = align_recording(opened.listener, heard, lines)
            _demand_free(target, options)  # also of what was saved while others were listened to
            if is_marked:
                mark_machine_made(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            _write(aligned, path, target, run.name, options)
            files.append(_summarise(aligned, name, target, num_unwritable))
        except OF_ONE_RECORDING as error:
            problems.append((name, sentence_of(error, path, "Give a smaller --longest.")))
    progress(len(recordings), len(recordings))
    notes = (*found.notes, *(note for note in opened.notes if note != NOT_CALIBRATED))
    return AlignResult(folder, run.name, tuple(files), tuple(problems), notes, time.perf_counter() - started)


def _is_to_be_marked(folder: Path) -> bool:
    # A folder of somebody's own is not: what is beside the recordings there would no longer be found.
    return not folder.is_dir() or not any(folder.iterdir()) or is_machine_made(folder)


def read_lines(path: Path, rules: Callable[[str], str], vocabulary: Vocabulary) -> tuple[list[TextLine], int]:
    """Read the lines of a text, long ones cut at the ends of their sentences.

    Args:
        path: of the text. rules: the recipe's. vocabulary: of the recogniser.

    Returns:
        The lines that hold anything to say, and how many symbols of theirs the recogniser has no label for.

    Raises:
        CorpusError: the file cannot be read, or holds no text after the rules.
    """
    numbered = enumerate(read_text(path)[0].splitlines(), start=1)
    lines: list[TextLine] = []
    num_unwritable = 0
    for number, piece in ((number, piece) for number, line in numbered for piece in _cut(line)):
        ruled = rules(piece).strip()
        num_unwritable += len(vocabulary.unknown_symbols(ruled))
        labels = tuple(vocabulary.encode(ruled))
        if vocabulary.decode(labels).strip():
            lines.append(TextLine(piece.strip(), labels, number))
    if not lines:
        raise CorpusError(f"{path} holds no text that the recogniser can write.", "Is it the right file?")
    return lines, num_unwritable


def _cut(line: str) -> list[str]:
    """Cut a long line at the ends of its sentences, and where it has none, between words."""
    if len(line) <= _LONG_LINE:
        return [line]
    pieces: list[str] = []
    for sentence in _SENTENCE_END.split(line):
        wraps = len(sentence) > _VERY_LONG_LINE
        pieces += (
            textwrap.wrap(sentence, _LONG_LINE, break_long_words=False, break_on_hyphens=False) if wraps else [sentence]
        )
    return pieces


def _demand_free(target: Path, options: AlignOptions) -> None:
    if os.path.lexists(target) and not options.overwrite:
        raise CorpusError(f"{target} is there already.", "Choose another --output, or give --overwrite.")


def _text_beside(recording: Path, suffix: str) -> Path:
    path = recording.with_name(recording.stem + suffix)
    if not path.is_file():
        raise CorpusError(f"{recording} has no text: {path.name} is not beside it.", "Give its ending: --text-suffix.")
    return path


def _write(aligned: AlignedRecording, recording: Path, target: Path, run_name: str, options: AlignOptions) -> None:
    said = [placed for placed in aligned.lines if placed.said is not None]
    utterances = tuple(placed.said for placed in said if placed.said is not None)
    transcript = Transcript(whole_text(str(recording)), aligned.duration_seconds, utterances, run_name)
    tiers = transcript_tiers(transcript, name=TEXT_TIER, doubtful_below=None, with_letters=options.with_letters)
    # The lines stand as they are written, capitals and commas included; their words as the recogniser knows them.
    first = replace(
        tiers[0],
        annotations=tuple(
            replace(annotation, text=placed.line.written)
            for annotation, placed in zip(tiers[0].annotations, said, strict=True)
        ),
    )
    fits = tuple(
        replace(annotation, text=f"{placed.fit:.2f}")
        for annotation, placed in zip(tiers[0].annotations, said, strict=True)
    )
    # Depends on the lines, so that ELAN moves and deletes both together.
    others = [*tiers[1:], Tier(FIT_TIER, fits, parent=TEXT_TIER, linguistic_type="fit"), *_marks(aligned)]
    file = AnnotationFile(
        (first, *others), (MediaLink(whole_text(str(recording.absolute()))),), aligned.duration_seconds
    )
    if options.as_textgrid:
        write_textgrid(replace(file, media=()), target)
    else:
        write_elan(file, target, author=f"lowres ({run_name})")


def _marks(aligned: AlignedRecording) -> list[Tier]:
    """Return the tiers of speech that is not in the text, and of text that was not said; none that would be empty."""
    besides = Transcript("", aligned.duration_seconds, aligned.besides)
    tiers = [
        tier
        for tier in transcript_tiers(besides, name=BESIDES_TIER, doubtful_below=None, with_words=False)
        if tier.annotations
    ]
    missing: list[SpokenUtterance] = []
    reached = 0.0
    for placed in aligned.lines:
        if placed.said is not None:
            reached = max(reached, placed.said.end_seconds)
        else:
            end = reached + _MARK_SECONDS
            missing.append(SpokenUtterance(reached, end, (SpokenWord(placed.line.written, reached, end, None),)))
            reached = end
    # Where no time is left behind the last ones, they are pressed together, as overlapping ones are.
    marks = Transcript("", aligned.duration_seconds, tuple(missing))
    tiers += transcript_tiers(marks, name=NOT_SAID_TIER, doubtful_below=None, with_words=False) if missing else ()
    return tiers


def _summarise(aligned: AlignedRecording, name: str, path: Path, num_unwritable: int) -> AlignedFile:
    fits = [placed.fit for placed in aligned.lines if placed.said is not None]
    return AlignedFile(
        name,
        path,
        aligned.duration_seconds,
        len(aligned.lines),
        tuple(dict.fromkeys(placed.line.number for placed in aligned.lines if placed.said is None)),
        len(aligned.besides),
        sum(fits) / len(fits) if fits else 0.0,
        num_unwritable,
    )
