"""Write the demo's project: a recipe and a small corpus that a machine spoke, laid out as anybody's would be.

    demo/lowres.toml                        the recipe
    demo/recordings/transcripts.tsv         audio, text, speaker, split
    demo/recordings/amina/amina-001.wav     a recording

Nothing else about the demo is special: the stages that follow are the ones that real recordings go through.
"""

import csv
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lowres.errors import CorpusError, RecipeError
from lowres.recipe import load_recipe, shipped_recipes_folder
from lowres.recipe.load import PROJECT_RECIPE
from lowres.stages.demo_sentences import write_sentences
from lowres.stages.finetune_run import read_record
from lowres.stages.run_folder import RunFolder
from lowres.stages.synthesize import SpokenSentence, Voice, synthesize

ESPEAK_LANGUAGE = "sw"
RECORDINGS = "recordings"
TRANSCRIPTS = "transcripts.tsv"

# eSpeak NG's variants by split: a voice that is tested was never heard in training.
TRAIN_VARIANTS = (
    "m1", "m2", "m3", "m4", "m6", "m7", "f1", "f2", "f3", "f4",
    "Alex", "Annie", "Gene", "Michael", "Denis", "linda", "Mario", "grandpa", "max", "robert",
    "marcelo", "shelby", "edward", "announcer", "aunty", "klatt2", "klatt3", "david", "quincy", "sandro",
    "Gene2", "Diogo", "steph", "adam", "ed", "edward2", "Lee", "caleb", "boris", "benjamin",
    "gustave", "iven4", "ian", "kaukovalta", "miguel", "norbert", "paul", "rob", "victor", "croak",
)  # fmt: skip
DEV_VARIANTS = ("m5", "belinda", "Mike", "klatt4")
TEST_VARIANTS = ("f5", "m8", "Hugo", "john", "Reed", "grandma")

RECIPE = """\
# The project that `lowres demo` wrote. A machine spoke these recordings: eSpeak NG, in Swahili, in sixty voices.
# The error rate it ends with says that lowres works here, and nothing about how well it would know real speakers.

name = "demo"
description = "Synthetic Swahili, spoken by eSpeak NG"

[language]
name = "Swahili"
iso_639_3 = "swh"
glottocode = "swah1253"
script = "Latn"

[corpus]
folder = "recordings"
licence = "CC0-1.0"
consent = "Nobody's voice: synthetic speech."
source = "Synthesised by `lowres demo` with eSpeak NG."
synthetic = true

[corpus.reader]
reader = "table"
table = "transcripts.tsv"

[text]
rules = ["nfc", "lowercase", "strip_punctuation", "collapse_spaces"]
alphabet = "a b c d e f g h i j k l m n o p r s t u v w y z"

[[text.tests]]
from = "Mtoto anasoma kitabu leo."
to = "mtoto anasoma kitabu leo"

# A recipe of your own need not say anything below either: this is only for a machine's clean speech, in a hurry.
[finetune]
minutes = 1.5
dev_seconds = 60
"""


@dataclass(frozen=True)
class DemoProject:
    """What was written."""

    folder: Path
    num_utterances: int
    num_voices: int


@dataclass(frozen=True)
class DemoSize:
    """How much is spoken; the defaults are the demo's, tests take less."""

    sentences_per_train_voice: int = 24
    sentences_per_dev_voice: int = 12
    sentences_per_test_voice: int = 20
    num_train_voices: int = len(TRAIN_VARIANTS)


def write_demo_project(
    folder: Path,
    *,
    size: DemoSize | None = None,
    num_workers: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> DemoProject:
    """Write the recipe and speak the corpus; what is already there from an earlier time is kept.

    Args:
        folder: the project folder, made if needed.
        size: how much is spoken.
        num_workers: processes that speak at once.
        progress: told the sentences spoken so far and in all.

    Returns:
        What the project holds.

    Raises:
        AudioError: eSpeak NG is missing or failed.
        CorpusError: the folder holds something else.
    """
    rows = plan_demo(size or DemoSize())
    project = DemoProject(folder, len(rows), len({row.sentence.voice.name for row in rows}))
    transcripts = folder / RECORDINGS / TRANSCRIPTS
    if transcripts.is_file():  # written last, so the recordings are there too
        return project
    if (folder / PROJECT_RECIPE).is_file() and (folder / PROJECT_RECIPE).read_text(encoding="utf-8") != RECIPE:
        raise CorpusError(f"{folder} holds another project.", "Name another folder: lowres demo FOLDER.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PROJECT_RECIPE).write_text(RECIPE, encoding="utf-8")
    recordings = folder / RECORDINGS
    spoken = 0

    def count(num_more: int) -> None:
        nonlocal spoken
        spoken += num_more
        progress(spoken, len(rows))

    synthesize(ESPEAK_LANGUAGE, [row.place_in(recordings) for row in rows], num_workers=num_workers, progress=count)
    _write_transcripts(transcripts, rows)
    return project


@dataclass(frozen=True)
class DemoRow:
    """One utterance of the demo: its sentence, with an audio path relative to the recordings, and its split."""

    sentence: SpokenSentence
    split: str

    def place_in(self, recordings: Path) -> SpokenSentence:
        """Give the sentence with the full path of the file it is spoken into."""
        return SpokenSentence(self.sentence.text, self.sentence.voice, recordings / self.sentence.audio_path)


def plan_demo(size: DemoSize) -> list[DemoRow]:
    """Say who speaks what: no voice and no sentence is in two splits, and no sentence is spoken twice."""
    parts = (
        ("train", TRAIN_VARIANTS[: size.num_train_voices], size.sentences_per_train_voice),
        ("dev", DEV_VARIANTS, size.sentences_per_dev_voice),
        ("test", TEST_VARIANTS, size.sentences_per_test_voice),
    )
    sentences = iter(write_sentences(sum(len(variants) * count for _, variants, count in parts)))
    rows = []
    for split, variants, count in parts:
        for variant in variants:
            voice = _give_manner(variant)
            for number in range(1, count + 1):
                path = Path(voice.name) / f"{voice.name}-{number:03}.wav"
                rows.append(DemoRow(SpokenSentence(next(sentences), voice, path), split))
    return rows


def _give_manner(variant: str) -> Voice:
    """Give each voice its own pitch, liveliness and speed, the same ones every time."""
    every = (*TRAIN_VARIANTS, *DEV_VARIANTS, *TEST_VARIANTS)
    number = every.index(variant)
    return Voice(
        name=variant.lower(),
        variant=variant,
        pitch=30 + number * 17 % 41,
        pitch_range=30 + number * 29 % 41,
        words_per_minute=150 + number * 23 % 51,
    )


def _write_transcripts(path: Path, rows: Sequence[DemoRow]) -> None:
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["audio", "text", "speaker", "split"])
        for row in rows:
            sentence = row.sentence
            writer.writerow([sentence.audio_path.as_posix(), sentence.text, sentence.voice.name, row.split])
    unfinished.replace(path)


def write_corpus_project(folder: Path, recipe_name: str) -> None:
    """Begin a project on a public corpus: copy the shipped recipe to the folder's lowres.toml.

    Raises:
        RecipeError: no shipped recipe has that name, or the folder holds another project.
    """
    load_recipe(recipe_name)  # refuses an unknown name, and says which there are
    shipped = shipped_recipes_folder() / f"{recipe_name}.toml"
    if not shipped.is_file():
        raise RecipeError(f"{recipe_name} is no shipped recipe.", "For a recipe of your own: lowres prepare --recipe.")
    folder.mkdir(parents=True, exist_ok=True)
    own = folder / PROJECT_RECIPE
    if own.is_file() and own.read_bytes() != shipped.read_bytes():
        raise RecipeError(f"{folder} holds another project.", "Name another folder: lowres demo FOLDER.")
    shutil.copyfile(shipped, own)


def find_run_status(project: Path, run: str) -> str:
    """Give the status of a run of the project, "training", "finished", ...; "" where there is none yet."""
    folder = RunFolder(project / "runs" / run)
    return read_record(folder).status if folder.path.exists() else ""
