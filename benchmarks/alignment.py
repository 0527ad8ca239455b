"""How far off the times of `lowres align` are, on recordings joined of pieces whose boundaries are therefore known.

    uv run python benchmarks/alignment.py --demo FOLDER                     # a project that `lowres demo FOLDER` made
    uv run python benchmarks/alignment.py --project FOLDER --run NAME       # real speech: dev of a prepared corpus

Words: eSpeak NG speaks words one by one, in the demo's test voices, which its recogniser never heard; cut to where they
sound, they are joined into sentences, tight or with small gaps, and sentences into recordings. The peer is torchaudio's
own way from `forced_align` to words: `merge_tokens`, a word lasting from its first label to its last.

Lines: utterances of dev, cut to their speech by loudness and joined in random order, tight or with gaps of 0.1-1.5 s.
The text is aligned as it is; with one line in twenty taken out; and with one in twenty of other utterances put in.

The last line is JSON; `_ratio` is the peer's mean error to ours, above 1 = lowres is nearer.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import jiwer
import numpy as np
import numpy.typing as npt
import soundfile
import torch

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.decode import decode_recording
from lowres.audio.shards import ShardReader
from lowres.decoding.beam_search import BLANK_ID
from lowres.decoding.greedy import greedy_decode
from lowres.manifest.corpus import CORPUS_FOLDER, load_corpus
from lowres.stages.align_text import AlignedRecording, HeardRecording, TextLine, align_recording, hear_recording
from lowres.stages.demo import ESPEAK_LANGUAGE, DemoSize, plan_demo
from lowres.stages.demo_sentences import write_sentences
from lowres.stages.evaluate_run import best_checkpoint, find_run
from lowres.stages.synthesize import SpokenSentence, synthesize
from lowres.stages.transcribe_listener import Listener
from lowres.stages.transcribe_work import ListenerSpec, open_listener

Samples = npt.NDArray[np.float32]
Span = tuple[float, float]

VOICES = list(dict.fromkeys(row.sentence.voice for row in plan_demo(DemoSize()) if row.split == "test"))
SENTENCES_A_VOICE = 20
WORD_GAP_SECONDS = 0.15
SENTENCE_GAP_SECONDS = 0.4
SHARE = 0.05
"""Of lines that are taken out of the text, or put into it."""


@dataclass
class Joined:
    """A recording, its text and the true times of lines and words in seconds."""

    pieces: list[Samples] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    lines: list[Span] = field(default_factory=list)
    words: list[list[Span]] = field(default_factory=list)
    num_samples: int = 0

    def add(self, samples: Samples) -> Span:
        """Put a piece at the end and return its times."""
        start = self.num_samples / SAMPLE_RATE
        self.pieces.append(samples)
        self.num_samples += samples.size
        return start, self.num_samples / SAMPLE_RATE

    def write(self, path: Path) -> Path:
        """Write the recording."""
        soundfile.write(path, np.concatenate(self.pieces), SAMPLE_RATE, subtype="PCM_16")
        return path


def noise(seconds: float, level: float, chance: np.random.Generator) -> Samples:
    """Return what a pause sounds like."""
    return (chance.standard_normal(round(seconds * SAMPLE_RATE)) * level).astype(np.float32)


def cut_word(samples: Samples) -> Samples:
    """Return what lies between the first and the last 10 ms that are at most 40 dB fainter than the loudest."""
    loud = np.flatnonzero(_levels(samples, 10) > -40)
    hop = SAMPLE_RATE // 100
    return samples[int(loud[0]) * hop : (int(loud[-1]) + 1) * hop]


def cut_utterance(samples: Samples) -> tuple[Samples, float]:
    """Return what is spoken and 100 ms before and behind it, and how loud the faintest 50 ms are.

    Spoken is what is at most 20 dB fainter than the loudest for 100 ms or more: the clicks at the ends of field
    recordings are shorter.
    """
    levels = _levels(samples, 50)
    loud = np.concatenate([[0], (levels > -20).astype(int), [0]])
    starts, ends = np.flatnonzero(np.diff(loud) == 1), np.flatnonzero(np.diff(loud) == -1)
    lasting = ends - starts >= 2
    first, last = (int(starts[lasting][0]), int(ends[lasting][-1])) if lasting.any() else (0, len(levels))
    hop = SAMPLE_RATE // 20
    faintest = float(np.abs(samples).max()) * 10 ** (float(levels.min()) / 20)
    return samples[max(first - 2, 0) * hop : (last + 2) * hop], faintest


def _levels(samples: Samples, milliseconds: int) -> npt.NDArray[np.float64]:
    """Return how loud each piece is, in dB of the loudest."""
    hop = SAMPLE_RATE * milliseconds // 1000
    frames = samples[: samples.size // hop * hop].reshape(-1, hop).astype(np.float64)
    decibels: npt.NDArray[np.float64] = 10 * np.log10((frames**2).mean(axis=1) + 1e-12)
    return decibels - decibels.max()


def open_project(project: Path, run: str | None, vad: str) -> Listener:
    """Open a run's recogniser as `lowres align` does."""
    folder = find_run(project, run)
    spec = ListenerSpec(project, best_checkpoint(folder), folder.name, "none", detector=None if vad == "none" else vad)
    return open_listener(replace(spec, stretches=replace(spec.stretches, longest_seconds=20.0)), 1).listener


# Words ---------------------------------------------------------------------------------------------------------------


def speak_words(folder: Path, sentences: Sequence[Sequence[str]]) -> list[list[list[Samples]]]:
    """Return for each test voice its sentences, each a list of words, cut to where they sound."""
    spoken, words = {}, []
    for number, voice in enumerate(VOICES):
        for text in dict.fromkeys(word for sentence in sentences[number :: len(VOICES)] for word in sentence):
            spoken[voice, text] = folder / f"{voice.name}-{text}.wav"
            words.append(SpokenSentence(text, voice, spoken[voice, text]))
    synthesize(ESPEAK_LANGUAGE, words, num_workers=1)
    sounds = {key: cut_word(decode_recording(path).waveform) for key, path in spoken.items()}
    return [
        [[sounds[voice, word] for word in sentence] for sentence in sentences[number :: len(VOICES)]]
        for number, voice in enumerate(VOICES)
    ]


def join_words(sentences: Sequence[Sequence[str]], sounds: Sequence[Sequence[Samples]], gap: float) -> Joined:
    """Join words into sentences with gaps up to so many seconds between them, and sentences into a recording."""
    chance = np.random.default_rng(1)
    joined = Joined()
    joined.add(noise(SENTENCE_GAP_SECONDS, 1e-4, chance))
    for texts, words in zip(sentences, sounds, strict=True):
        times = []
        for number, word in enumerate(words):
            if number and gap:
                joined.add(noise(chance.uniform(0, gap), 1e-4, chance))
            times.append(joined.add(word))
        joined.texts.append(" ".join(texts))
        joined.lines.append((times[0][0], times[-1][1]))
        joined.words.append(times)
        joined.add(noise(SENTENCE_GAP_SECONDS, 1e-4, chance))
    return joined


def words_by_torchaudio(listener: Listener, heard: HeardRecording, texts: Sequence[str]) -> list[list[Span]]:
    """Return the words of each line as torchaudio's tutorial finds them: one path, tokens merged, first to last."""
    from torchaudio.functional import forced_align, merge_tokens

    vocabulary = listener.recognizer.vocabulary
    labels = [vocabulary.encode(text) for text in texts]
    boundary = vocabulary.word_boundary_id
    assert boundary is not None
    flat = [label for line in labels for label in (*line, boundary)][:-1]
    scores = torch.from_numpy(np.ascontiguousarray(heard.log_probs))[None]
    path, probabilities = forced_align(scores, torch.tensor([flat], dtype=torch.int32), blank=BLANK_ID)
    spans = merge_tokens(path[0], probabilities[0].exp(), blank=BLANK_ID)
    # In the tutorial a frame begins where the samples begin that it hears.
    receptive_field = listener.recognizer.model.backbone.config.receptive_field_samples
    margin = (receptive_field - listener.samples_per_frame) // 2
    heard = replace(heard, frame_samples=heard.frame_samples - margin)
    words: list[list[Span]] = []
    place = 0
    for text in texts:
        words.append([])
        for word in text.split():
            own = spans[place : place + len(vocabulary.encode(word))]
            place += len(own) + 1
            words[-1].append((heard.start_seconds(own[0].start), heard.end_seconds(own[-1].end)))
    return words


def errors_of(found: Sequence[Sequence[Span] | None], true: Sequence[Sequence[Span]]) -> npt.NDArray[np.float64]:
    """Return (N, 2) how far starts and ends of words lie behind the true ones, in seconds."""
    pairs = [
        (mine[0] - right[0], mine[1] - right[1])
        for words, rights in zip(found, true, strict=True)
        if words is not None
        for mine, right in zip(words, rights, strict=True)
    ]
    return np.array(pairs)


def measure_words(listener: Listener, folder: Path) -> dict[str, float]:
    """Measure how far starts and ends of words are off; print a table."""
    count = SENTENCES_A_VOICE * len(VOICES)
    num_before = len(plan_demo(DemoSize()))
    sentences = [text.lower().strip(".").split() for text in write_sentences(num_before + count)[num_before:]]
    sounds = speak_words(folder, sentences)
    figures: dict[str, float] = {}
    hop = 1000 * listener.samples_per_frame / SAMPLE_RATE
    print(
        f"\nwords: {sum(map(len, sentences)):,} in {count} sentences that the recogniser never heard, in "
        f"{len(VOICES)} voices; a frame is {hop:g} ms"
    )
    print("milliseconds           | start: median   90 %   mean | end: median   90 %   mean")
    for kind, gap in (("tight", 0.0), ("gaps", WORD_GAP_SECONDS)):
        ours, theirs, num_lost = [], [], 0
        for number, own in enumerate(sounds):
            texts = sentences[number :: len(VOICES)]
            joined = join_words(texts, own, gap)
            heard = hear_recording(listener, joined.write(folder / "joined.wav"))
            aligned = align_recording(listener, heard, text_lines(listener, joined.texts))
            num_lost += sum(placed.said is None for placed in aligned.lines)
            ours.append(errors_of(_word_spans(aligned), joined.words))
            theirs.append(errors_of(words_by_torchaudio(listener, heard, joined.texts), joined.words))
        errors = {"lowres": np.concatenate(ours), "torchaudio": np.concatenate(theirs)}
        for name, found in errors.items():
            print(f"{kind:6s} {name:15s} | " + " | ".join(_row(1000 * found[:, side]) for side in (0, 1)))
            for side, what in enumerate(("start", "end")):
                figures[f"{kind}_{name}_{what}_median_ms"] = round(1000 * float(np.median(abs(found[:, side]))), 1)
                figures[f"{kind}_{name}_{what}_mean_ms"] = round(1000 * float(found[:, side].mean()), 1)
        if num_lost:
            print(f"{kind:6s} lines not found: {num_lost}")
        means = {name: float(abs(found).mean()) for name, found in errors.items()}
        figures[f"words_{kind}_ratio"] = round(means["torchaudio"] / means["lowres"], 3)
    return figures


def _word_spans(aligned: AlignedRecording) -> list[list[Span] | None]:
    return [
        None if placed.said is None else [(word.start_seconds, word.end_seconds) for word in placed.said.words]
        for placed in aligned.lines
    ]


def _row(values: npt.NDArray[np.float64]) -> str:
    return f"{np.median(abs(values)):9.0f} {np.quantile(abs(values), 0.9):9.0f} {values.mean():+6.0f}"


def text_lines(listener: Listener, texts: Sequence[str]) -> list[TextLine]:
    """Return a text as `align_recording` takes it."""
    return [
        TextLine(text, tuple(listener.recognizer.vocabulary.encode(text)), number)
        for number, text in enumerate(texts, start=1)
    ]


# Lines ---------------------------------------------------------------------------------------------------------------


def join_lines(project: Path, split: str, minutes: float, longest_gap: float) -> tuple[Joined, list[str]]:
    """Join utterances in random order; return them, and the texts of those that had no room."""
    corpus = load_corpus(project / CORPUS_FOLDER)
    rows, reader = corpus.rows(split), ShardReader(corpus.folder)
    chance = np.random.default_rng(1)
    joined, others = Joined(), []
    for row in rows.iloc[chance.permutation(len(rows))].itertuples():
        if not row.text:
            continue
        if joined.num_samples >= minutes * 60 * SAMPLE_RATE:
            others.append(row.text)
            continue
        samples = reader.read(row.shard, row.offset_samples, row.num_samples).astype(np.float32) / 32768
        speech, floor = cut_utterance(samples)
        joined.lines.append(joined.add(speech))
        joined.texts.append(row.text)
        if longest_gap:
            joined.add(noise(chance.uniform(0.1, longest_gap), min(floor, 0.003), chance))
    return joined, others


def measure_lines(listener: Listener, project: Path, folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """Measure where lines are found, and which are called missing; print a table."""
    figures: dict[str, float] = {}
    for kind, gap in (("tight", 0.0), ("gaps", 1.5)):
        joined, others = join_lines(project, options.split, options.minutes, gap)
        heard = hear_recording(listener, joined.write(folder / "joined.wav"))
        minutes = joined.num_samples / SAMPLE_RATE / 60
        scores, num_frames = torch.from_numpy(heard.log_probs)[None], torch.tensor([len(heard.log_probs)])
        greedy = listener.recognizer.vocabulary.decode(greedy_decode(scores, num_frames)[0].token_ids)
        wrong = jiwer.cer(" ".join(joined.texts), greedy)
        print(
            f"\nlines, {kind}: {len(joined.texts)} utterances of {options.split}, {minutes:.0f} min, of whose letters "
            f"{wrong:.1%} are heard wrong"
        )
        found = align_recording(listener, heard, text_lines(listener, joined.texts))
        figures |= {f"lines_{kind}_{name}": value for name, value in _judge_places(found, joined).items()}
        share = _share_of(listener, heard, joined, others, options.share)
        figures |= {f"lines_{kind}_{name}": value for name, value in share.items()}
    return figures


def _judge_places(found: AlignedRecording, joined: Joined) -> dict[str, float]:
    said = [None if one.said is None else (one.said.start_seconds, one.said.end_seconds) for one in found.lines]
    pairs = [(mine, true) for mine, true in zip(said, joined.lines, strict=True) if mine]
    errors = np.array([(mine[0] - true[0], mine[1] - true[1]) for mine, true in pairs])
    joins = np.array(
        [
            (before[1] + after[0]) / 2 - (true[1] + next_true[0]) / 2
            for before, after, true, next_true in zip(said, said[1:], joined.lines, joined.lines[1:], strict=False)
            if before is not None and after is not None
        ]
    )
    inside = [mine[0] > true[0] - 0.1 and mine[1] < true[1] + 0.1 for mine, true in pairs]
    print("  milliseconds | median   90 %   mean")
    for name, values in (("starts", errors[:, 0]), ("ends", errors[:, 1]), ("between", joins)):
        print(f"  {name:12s} |{_row(1000 * values)}")
    figures = {
        "between_median_ms": round(1000 * float(np.median(abs(joins)))),
        "between_90_percent_ms": round(1000 * float(np.quantile(abs(joins), 0.9))),
        "in_own_clip_share": round(sum(inside) / len(said), 4),
        "wrongly_not_said_share": round(sum(one is None for one in said) / len(said), 4),
        "besides": len(found.besides),
    }
    print(
        f"  within its own clip {figures['in_own_clip_share']:.1%}; wrongly not said "
        f"{figures['wrongly_not_said_share']:.1%}; stretches “not in the text” {figures['besides']}"
    )
    return figures


def _share_of(
    listener: Listener, heard: HeardRecording, joined: Joined, others: Sequence[str], share: float
) -> dict[str, float]:
    """Take lines out of the text, and put lines of other utterances in; return precision and recall of both."""
    chance = np.random.default_rng(2)
    num = max(1, round(share * len(joined.texts)))
    gone = set(chance.choice(len(joined.texts), num, replace=False).tolist())
    kept = [text for number, text in enumerate(joined.texts) if number not in gone]
    found = align_recording(listener, heard, text_lines(listener, kept))
    besides = [(one.start_seconds, one.end_seconds) for one in found.besides]
    removed = [joined.lines[number] for number in sorted(gone)]
    recall = np.mean([_covered(line, besides) > 0.5 for line in removed])
    precision = np.mean([_covered(span, removed) > 0.5 for span in besides]) if besides else 1.0
    wrong = np.mean([placed.said is None for placed in found.lines])
    print(
        f"  {num} lines taken out: precision {precision:.1%}, recall {recall:.1%} of “not in the text”; of the others "
        f"wrongly not said {wrong:.1%}"
    )

    texts: list[tuple[str, bool]] = [(text, True) for text in joined.texts]
    for text in chance.choice(np.array(others, dtype=object), min(num, len(others)), replace=False):
        texts.insert(int(chance.integers(len(texts) + 1)), (text, False))
    placed = align_recording(listener, heard, text_lines(listener, [text for text, _ in texts])).lines
    called = np.array([one.said is None for one in placed])
    true = np.array([not is_there for _, is_there in texts])
    right = int((called & true).sum())
    print(
        f"  {int(true.sum())} lines put in: precision {right / max(1, called.sum()):.1%}, recall "
        f"{right / max(1, true.sum()):.1%} of “not said” ({int(called.sum())} called so)"
    )
    return {
        "taken_out_precision": round(float(precision), 4),
        "taken_out_recall": round(float(recall), 4),
        "put_in_precision": round(right / max(1, int(called.sum())), 4),
        "put_in_recall": round(right / max(1, int(true.sum())), 4),
    }


def _covered(span: Span, others: Sequence[Span]) -> float:
    """Return how much of a span lies in others, 0-1."""
    shared = sum(max(0.0, min(span[1], end) - max(span[0], start)) for start, end in others)
    return shared / max(span[1] - span[0], 1e-6)


def main() -> None:
    """Measure what was asked for; print tables and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, help="a project that `lowres demo` made")
    parser.add_argument("--project", type=Path, help="a project with a prepared corpus of real speech")
    parser.add_argument("--run", help="its run; the newest without")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--share", type=float, default=SHARE)
    parser.add_argument("--vad", default="auto", help="auto, energy, silero or none")
    options = parser.parse_args()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place:
        if options.demo:
            figures |= measure_words(open_project(options.demo, None, options.vad), Path(place))
        if options.project:
            listener = open_project(options.project, options.run, options.vad)
            figures |= measure_lines(listener, options.project, Path(place), options)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
