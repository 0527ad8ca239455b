"""Small folders of whistled recordings, laid out as people have them, and an asker with its answers ready."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from tone_corpus import LETTERS, whistle

from lowres.annotation.elan_writing import write_elan
from lowres.annotation.tiers import Annotation, AnnotationFile, Tier
from lowres.errors import LowresError
from lowres.stages.start_asking import GoBack, Question, StopAsking

SPEAKERS = ("ama", "kofi", "esi", "yaw", "abena", "kojo")
BACK, STOP, DEFAULT = "<", "q", ""


class ScriptedAsk:
    """Gives the answers it was made with, one after the other, and the default once they are used up."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.titles: list[str] = []
        self.questions: list[Question] = []
        self.said: list[str] = []

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    def show_rows(self, heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.said += [" ".join(row) for row in rows]

    def show_problem(self, problem: LowresError) -> None:
        self.said.append(f"{problem.message} {problem.hint}")

    def ask(self, question: Question) -> str:
        while True:
            typed = self._next(question)
            if question.choices:
                assert typed in {choice.value for choice in question.choices}, f"{question.title}: no {typed!r}"
                return typed
            try:
                return question.check(typed)
            except LowresError as problem:
                self.show_problem(problem)

    def ask_several(self, question: Question) -> tuple[str, ...]:
        return tuple(self._next(question).split("\n"))

    @contextmanager
    def working(self, on: str) -> Iterator[Callable[[int, int], None]]:
        yield lambda _done, _total: None

    def _next(self, question: Question) -> str:
        self.titles.append(question.title)
        self.questions.append(question)
        typed = self.answers.pop(0) if self.answers else DEFAULT
        if typed == BACK:
            raise GoBack
        if typed == STOP:
            raise StopAsking
        return typed or question.default


def whistled_sentences(number: int, seed: int = 3) -> list[str]:
    """Return different sentences of three words each."""
    generator = np.random.Generator(np.random.PCG64(seed))
    return [
        " ".join("".join(generator.choice(list(LETTERS), size=generator.integers(2, 5))) for _ in range(3))
        for _ in range(number)
    ]


def write_paired(folder: Path, *, per_speaker: int = 6) -> Path:
    """Write SPEAKER_NUMBER.wav with SPEAKER_NUMBER.txt beside it, capital and full stop included."""
    folder.mkdir(parents=True)
    sentences = iter(whistled_sentences(len(SPEAKERS) * per_speaker))
    for speaker in SPEAKERS:
        for number in range(per_speaker):
            text = next(sentences)
            soundfile.write(folder / f"{speaker}_{number}.wav", whistle(text), 16_000)
            (folder / f"{speaker}_{number}.txt").write_text(f"{text.capitalize()}.\n", encoding="utf-8")
    return folder


def write_annotated(folder: Path, *, num_files: int = 4, per_file: int = 8) -> Path:
    """Write recordings with an ELAN file each: the transcript, a translation that is longer, and who speaks."""
    folder.mkdir(parents=True)
    sentences = iter(whistled_sentences(num_files * per_file))
    for number in range(num_files):
        texts = [next(sentences) for _ in range(per_file)]
        sounds = [whistle(text) for text in texts]
        ends = np.cumsum([len(sound) for sound in sounds]) / 16_000
        times = list(zip([0.0, *ends[:-1]], ends, strict=True))
        soundfile.write(folder / f"story{number}.wav", np.concatenate(sounds), 16_000)

        def tier(name: str, written: Sequence[str], times: Sequence[tuple[float, float]] = tuple(times)) -> Tier:
            return Tier(name, tuple(Annotation(*time, text) for time, text in zip(times, written, strict=True)))

        tiers = (
            tier("words", texts),
            tier("translation", [f"in english this means {text} {text}" for text in texts]),
            tier("who", [SPEAKERS[(number + place) % 2] for place in range(per_file)]),
        )
        write_elan(AnnotationFile(tiers), folder / f"story{number}.eaf")
    return folder
