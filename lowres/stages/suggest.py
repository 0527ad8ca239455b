"""Suggest: which untranscribed recordings to transcribe next, with a draft to correct."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from lowres.annotation.formats import ANNOTATION_SUFFIXES
from lowres.annotation.transcript import SpokenUtterance, Transcript
from lowres.annotation.transcript_writing import write_transcript
from lowres.audio.decode import open_recording
from lowres.audio.shards import ShardReader
from lowres.audio.voice_sketch import VoiceSketch, sketch_voice
from lowres.corpora.catalog import find_corpora_folder, load_corpus_manifest
from lowres.corpora.files import mark_machine_made
from lowres.corpora.written_names import whole_text
from lowres.decoding.novelty import all_runs, runs_of
from lowres.errors import CorpusError
from lowres.manifest.corpus import CORPUS_FOLDER, PreparedCorpus, load_corpus
from lowres.manifest.table import write_table
from lowres.recipe import Recipe
from lowres.stages.evaluate_run import best_checkpoint, find_run, training_rows
from lowres.stages.listening import speech_of
from lowres.stages.problems import OF_ONE_RECORDING, sentence_of
from lowres.stages.suggest_choice import Candidate, Suggestion, choose
from lowres.stages.transcribe_files import survey_recordings
from lowres.stages.transcribe_listener import Listener, transcribe_recording
from lowres.stages.transcribe_work import ListenerSpec, open_listener
from lowres.text.vocabulary import Vocabulary

SUGGESTIONS_FOLDER: Final = "suggestions"
SUGGESTIONS_FILE: Final = "suggestions.tsv"
SUGGESTIONS_COLUMNS: Final = (
    "rank", "recording", "start_seconds", "end_seconds", "speech_seconds", "unsure", "new_letter_runs", "new_sound",
    "score", "draft",
)  # fmt: skip
_NOT_FOUND: Final = (
    "Where the corpus's own recordings lie is not known: only those with annotations beside them were left out. With "
    "the recipe that prepared the corpus (--recipe), its recordings are left out, too."
)
_PASSAGE_SECONDS: Final = 300.0
"""A long recording is suggested five minutes at a time."""

_FEWEST_WORDS: Final = 3
"""A passage with fewer words is noise, music or silence."""

_UTTERANCES_A_SPEAKER: Final = 20
_MOST_SPEAKERS: Final = 200


@dataclass(frozen=True)
class SuggestResult:
    """What is suggested, in order; the recordings that were left out and why; where the list and the drafts lie.

    `num_transcribed` recordings were left out because they have annotations beside them, or are in the corpus.
    """

    folder: Path
    run_name: str
    suggestions: tuple[Suggestion, ...]
    num_candidates: int
    num_transcribed: int
    problems: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    wall_seconds: float


def suggest(
    project: Path,
    sources: Sequence[Path],
    listener: ListenerSpec,
    *,
    recipe: Recipe | None = None,
    run: str | None = None,
    hours: float = 1.0,
    include_transcribed: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> SuggestResult:
    """Listen to recordings and choose those that teach most; write the list and an ELAN file with a draft for each.

    Args:
        project: the project folder; `suggestions/RUN` is written, or `suggestions/RUN-2` and so on: nobody's corrected
            draft is written over.
        sources: recordings, and folders of recordings.
        listener: how to listen; its project, checkpoint and name are filled in.
        recipe: the one that prepared the corpus, which says where its recordings are; None where nobody knows.
        run: name of the run; None = the newest.
        hours: of speech wanted.
        include_transcribed: also recordings that have a file of annotations beside them, or are in the corpus.
        progress: told how many of how many recordings have been heard.

    Raises:
        CheckpointError: no such run, or its checkpoint is damaged.
        CorpusError: no prepared corpus, a source is not there, or there is no speech in any recording.
    """
    started = time.perf_counter()
    corpus = load_corpus(project / CORPUS_FOLDER)
    run_folder = find_run(project, run)
    spec = replace(listener, project=project, checkpoint=best_checkpoint(run_folder), name=run_folder.name)
    found = survey_recordings(sources)
    known = _recordings_of(project, recipe, corpus)
    recordings = found.recordings if include_transcribed else _leave_out_known(found.recordings, known)
    opened = open_listener(spec, 1)
    heard = _hear(opened.listener, recordings, spec.channel, progress)
    if not heard.candidates:
        why = f" {heard.problems[0][1]}" if heard.problems else ""
        raise CorpusError(f"No speech was heard in these recordings.{why}", "Are they the right ones? Try --vad none.")
    vocabulary = opened.listener.recognizer.vocabulary
    training = training_rows(corpus, opened.listener.recognizer.metadata)
    suggestions = choose(
        heard.candidates,
        known_runs=frozenset(all_runs(vocabulary.encode(text) for text in training["text"])),
        known_voices=training_voices(corpus, training),
        seconds=hours * 3600,
    )
    folder = _free_folder(project / SUGGESTIONS_FOLDER / run_folder.name)
    _write(folder, suggestions, heard.transcripts)
    return SuggestResult(
        folder,
        run_folder.name,
        tuple(suggestions),
        len(heard.candidates),
        len(found.recordings) - len(recordings),
        (*found.problems, *heard.problems),
        (*found.notes, *([] if include_transcribed or known else [_NOT_FOUND]), *opened.notes),
        time.perf_counter() - started,
    )


@dataclass
class _Heard:
    candidates: list[Candidate] = field(default_factory=list)
    transcripts: dict[str, Transcript] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)


def _hear(
    listener: Listener,
    recordings: Sequence[tuple[Path, str]],
    channel: int | None,
    progress: Callable[[int, int], None],
) -> _Heard:
    """Listen to every recording; one that cannot be heard is a problem."""
    heard = _Heard()
    for number, (path, name) in enumerate(recordings):
        progress(number, len(recordings))
        try:
            transcript = transcribe_recording(listener, path, channels=(channel,))
            heard.candidates += _cut(transcript, name, path, listener.recognizer.vocabulary, channel)
            heard.transcripts[name] = transcript
        except OF_ONE_RECORDING as error:
            heard.problems.append((name, sentence_of(error, path)))
    progress(len(recordings), len(recordings))
    return heard


def _leave_out_known(recordings: Sequence[tuple[Path, str]], known: set[str]) -> Sequence[tuple[Path, str]]:
    left = [one for one in recordings if not _is_transcribed(one[0], known)]
    if recordings and not left:
        raise CorpusError(
            f"All {len(recordings)} recordings are transcribed: they have annotations beside them, or are in the "
            "corpus.",
            "Give others, or --include-transcribed.",
        )
    return left


def _is_transcribed(recording: Path, known: set[str]) -> bool:
    spellings = (*ANNOTATION_SUFFIXES, *map(str.upper, ANNOTATION_SUFFIXES), ".TextGrid")
    return any(recording.with_suffix(suffix).is_file() for suffix in spellings) or os.path.realpath(recording) in known


def _recordings_of(project: Path, recipe: Recipe | None, corpus: PreparedCorpus) -> set[str]:
    """Return the real paths of the recordings that the corpus has transcripts of; none where they cannot be found."""
    if recipe is None:
        return set()
    folders = [recipe.corpus_folder()]
    if recipe.corpus.manifest:
        inside = load_corpus_manifest(recipe.corpus.manifest).folder
        folders += [place / inside for place in (find_corpora_folder(), project / "corpora") if place is not None]
    names = corpus.table.loc[corpus.table["raw_text"].str.strip() != "", "audio_path"].unique().tolist()
    paths = (folder / name for folder in folders if folder is not None for name in names)
    return {os.path.realpath(path) for path in paths if path.exists()}


def _free_folder(folder: Path) -> Path:
    """Return the folder, or where it is taken the first of the same name with a number behind it that is free."""
    number, free = 1, folder
    while os.path.lexists(free):
        number += 1
        free = folder.with_name(f"{folder.name}-{number}")
    return free


def _cut(transcript: Transcript, name: str, path: Path, vocabulary: Vocabulary, channel: int | None) -> list[Candidate]:
    """Return passages of at most about five minutes, those with hardly a word left out."""
    sketch = sketch_voice(open_recording(path, channel=channel).blocks)
    passages: dict[int, list[SpokenUtterance]] = {}
    for utterance in transcript.utterances:
        passages.setdefault(int(utterance.start_seconds // _PASSAGE_SECONDS), []).append(utterance)
    candidates = []
    for utterances in passages.values():
        words = [word for utterance in utterances for word in utterance.words]
        speech = sum(one.end_seconds - one.start_seconds for one in utterances)
        if len(words) < _FEWEST_WORDS or sketch is None or speech <= 0:
            continue
        doubt = 1 - float(np.mean([word.confidence or 0.0 for word in words]))
        runs = frozenset().union(*(runs_of(vocabulary.encode(one.text)) for one in utterances))
        candidates.append(
            Candidate(name, utterances[0].start_seconds, utterances[-1].end_seconds, speech, doubt, runs, sketch)
        )
    return candidates


def training_voices(corpus: PreparedCorpus, training: pd.DataFrame) -> list[VoiceSketch]:
    """Sketch the speakers of the training speech; where nobody is named, all of it as one."""
    reader = ShardReader(corpus.folder)
    sketches = []
    for _, rows in list(training.groupby("speaker", sort=True))[:_MOST_SPEAKERS]:
        some = rows.sample(min(_UTTERANCES_A_SPEAKER, len(rows)), random_state=1)
        speech = speech_of(some, reader)
        waveforms = (speech.read_samples(index).astype(np.float32) / np.float32(32768) for index in range(len(some)))
        sketch = sketch_voice(waveforms)
        if sketch is not None:
            sketches.append(sketch)
    return sketches


def _write(folder: Path, suggestions: Sequence[Suggestion], transcripts: dict[str, Transcript]) -> None:
    """Write the list, and for each recording on it an ELAN file with the drafts of what is suggested of it."""
    wanted: dict[str, list[Candidate]] = {}
    rows = []
    for rank, one in enumerate(suggestions, start=1):
        candidate = one.candidate
        wanted.setdefault(candidate.name, []).append(candidate)
        draft = Path(candidate.name).with_suffix(".eaf").as_posix()
        rows.append(
            (
                str(rank),
                candidate.name,
                f"{candidate.start_seconds:.1f}",
                f"{candidate.end_seconds:.1f}",
                f"{candidate.speech_seconds:.1f}",
                f"{one.doubt:.3f}",
                str(one.num_new_runs),
                f"{one.distance:.3f}",
                f"{one.score:.3f}",
                draft,
            )
        )
    for name, candidates in wanted.items():
        transcript = transcripts[name]
        inside = tuple(
            utterance
            for utterance in transcript.utterances
            if any(one.start_seconds <= utterance.start_seconds < one.end_seconds for one in candidates)
        )
        path = folder / Path(name).with_suffix(".eaf")
        path.parent.mkdir(parents=True, exist_ok=True)
        linked = whole_text(transcript.recording)
        write_transcript(replace(transcript, recording=linked, utterances=inside), path, format="elan")
    mark_machine_made(folder)
    write_table(folder / SUGGESTIONS_FILE, SUGGESTIONS_COLUMNS, rows)
