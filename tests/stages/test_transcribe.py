"""What `transcribe` hears and writes: the same whatever it is divided into, at the times at which it was said."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import soundfile
import torch
from transcribing import RATE, SPEC, bursts, files_in, heard, listen, with_longest, words, write_run
from transcribing import write_speech as write

from lowres.annotation.elan import read_elan
from lowres.annotation.subtitles import read_srt, read_vtt
from lowres.annotation.textgrid import read_textgrid
from lowres.annotation.transcript_writing import TRANSCRIPT_SUFFIXES
from lowres.audio.voice_activity import EnergyDetector
from lowres.backbones.native import load_recognizer
from lowres.decoding.beam_search import BeamHypothesis, BeamSettings, LogProbs
from lowres.decoding.greedy import greedy_decode, greedy_labels
from lowres.model.int8 import is_int8_here
from lowres.stages import transcribe_listener
from lowres.stages.evaluate_run import best_checkpoint
from lowres.stages.listening import Search
from lowres.stages.transcribe_listener import Listener
from lowres.training.precision import choose_compute
from lowres.training.settings import ListeningPrecision

ALL = tuple(TRANSCRIPT_SUFFIXES)


def test_what_is_heard_in_a_stretch_is_what_the_network_says_of_it(tiny_project: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", [(0.0, 3.0)], 3.0)
    found = heard(listen(tiny_project, path, spec=replace(SPEC, detector=None)), "a")
    recognizer = load_recognizer(best_checkpoint(tiny_project / "runs" / "tiny"))
    samples = torch.from_numpy(soundfile.read(path, dtype="float32")[0])
    with torch.inference_mode():
        output = recognizer.model(samples[None], torch.tensor([len(samples)]))
    (hypothesis,) = greedy_decode(output.log_probs, output.num_frames)
    assert words(found) == recognizer.vocabulary.decode(hypothesis.token_ids).split()
    assert len(words(found)) > 3


def test_every_format_says_the_same_words(tiny_project: Path, archive: Path) -> None:
    result = listen(tiny_project, archive / "rec0.wav", formats=ALL)
    expected = words(heard(result, "rec0"))
    base = result.folder / "rec0"
    tiers = {tier.name: tier for tier in read_elan(base.with_suffix(".eaf")).tiers}
    assert [one.text for one in tiers["lowres words"].annotations] == expected
    assert " ".join(one.text for one in tiers["lowres"].annotations).split() == expected
    grid = {tier.name: tier for tier in read_textgrid(base.with_suffix(".TextGrid")).tiers}
    assert [one.text for one in grid["lowres words"].annotations if one.text] == expected
    for read, suffix in ((read_srt, ".srt"), (read_vtt, ".vtt")):
        (tier,) = read(base.with_suffix(suffix)).tiers
        assert " ".join(one.text for one in tier.annotations).split() == expected
    assert base.with_suffix(".txt").read_text(encoding="utf-8").split() == expected
    assert "rec0.wav" in base.with_suffix(".csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "workers", [(1, 1), pytest.param((1, 4), marks=pytest.mark.slow)], ids=["repetition", "workers"]
)
def test_workers_and_repetition_change_no_byte(
    tiny_project: Path, archive: Path, tmp_path: Path, workers: tuple[int, ...]
) -> None:
    made = []
    for number, num_workers in enumerate(workers):
        output = tmp_path / f"output{number}"
        listen(tiny_project, archive, formats=ALL, num_workers=num_workers, output=output)
        # ELAN's files say when they were made; the record, where.
        made.append({name: re.sub(rb' DATE="[^"]*"', b"", content) for name, content in files_in(output).items()})
        made[-1].pop("transcribed.json")
    assert all(one == made[0] for one in made)
    assert len(made[0]) == 3 * len(ALL)


@pytest.mark.parametrize(
    ("batch_seconds", "precision"), [(1.0, "fp32"), (5.0, "fp32"), (300.0, "fp32"), (300.0, "int8")]
)
def test_stretches_heard_together_say_what_each_says_alone(
    tiny_project: Path, tmp_path: Path, batch_seconds: float, precision: ListeningPrecision
) -> None:
    if precision == "int8" and not is_int8_here():
        pytest.skip("this torch has no products in 8 bits")
    spec = replace(SPEC, precision=precision)
    spoken = [(1.5 * number, 1.5 * number + 0.3 + 0.04 * number) for number in range(16)]
    path = write(tmp_path / "a.wav", spoken, 25.0)
    alone = heard(listen(tiny_project, path, output=tmp_path / "alone", spec=spec), "a")
    together = heard(
        listen(tiny_project, path, output=tmp_path / "together", spec=replace(spec, batch_seconds=batch_seconds)), "a"
    )
    assert len(alone.utterances) >= 14
    assert words(together) == words(alone)
    times = [(word.start_seconds, word.end_seconds) for one in alone.utterances for word in one.words]
    assert times == [(word.start_seconds, word.end_seconds) for one in together.utterances for word in one.words]


def test_speech_shorter_than_any_chunk_does_not_know_how_long_chunks_are(tiny_project: Path, archive: Path) -> None:
    found = [
        heard(listen(tiny_project, archive, output=tiny_project / f"{longest}", spec=with_longest(longest)), "rec0")
        for longest in (4.0, 10.0, 60.0)
    ]
    assert found[0].utterances == found[1].utterances == found[2].utterances
    assert len(words(found[0])) > 10


@pytest.mark.parametrize("longest", [3.0, 5.0, 10.0])
def test_pieces_of_speech_without_a_pause_join_to_the_frames_of_the_whole(
    tiny_project: Path, tmp_path: Path, longest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.wav", [(0.0, 24.0)], 24.0)
    passages = []
    decode = transcribe_listener._decode
    monkeypatch.setattr(
        transcribe_listener, "_decode", lambda listener, passage, *more: passages.append((listener, passage)) or decode(
            listener, passage, *more)
    )  # fmt: skip
    found = heard(listen(tiny_project, path, spec=with_longest(longest, detector=None)), "a")
    ((listener, passage),) = passages
    whole = (24 * RATE - 400) // 320 + 1
    assert sum(map(len, passage.frames)) == whole
    samples = transcribe_listener._frame_samples(passage, listener)
    assert samples.tolist() == [(400 - 320) // 2 + 320 * frame for frame in range(whole)]
    assert len(found.utterances) == len(passage.frames) >= 24 / longest


@pytest.mark.parametrize("kind", ["characters", "sentencepiece"])
def test_speech_that_is_too_long_to_be_decoded_as_one_is_parted_between_words(
    tiny_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    write_run(tiny_project, kind=kind)
    path = write(tmp_path / "a.wav", [(0.0, 24.0)], 24.0)
    spec = with_longest(3.0, detector=None)
    whole = heard(listen(tiny_project, path, spec=spec, output=tmp_path / "whole"), "a")
    passages = []
    decode = transcribe_listener._decode

    def look_and_decode(listener: Listener, passage: object, *more: object) -> object:
        passages.append(passage)
        return decode(listener, passage, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(transcribe_listener, "_decode", look_and_decode)
    monkeypatch.setattr(transcribe_listener, "_MOST_PASSAGE_SECONDS", 7)
    parted = heard(listen(tiny_project, path, spec=spec, output=tmp_path / "parted"), "a")
    assert len(passages) > 3
    assert [(word.text, word.start_seconds) for one in parted.utterances for word in one.words] == [
        (word.text, word.start_seconds) for one in whole.utterances for word in one.words
    ]
    assert sum(len(frames) for passage in passages for frames in passage.frames) == (24 * RATE - 400) // 320 + 1


def test_a_beam_search_is_given_many_passages_of_a_recording_at_once(
    tiny_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It divides them among processes; what is heard in each is its own."""

    class Workers:
        asked: ClassVar[list[int]] = []

        def decode(self, scores: Sequence[LogProbs], _settings: object, **_: object) -> list[list[BeamHypothesis]]:
            self.asked.append(len(scores))
            return [[BeamHypothesis(tuple(greedy_labels(one)), None, 0.0)] for one in scores]

    path = write(tmp_path / "a.wav", [(2.0 * number, 2.0 * number + 1.0) for number in range(10)], 20.0)
    recognizer = load_recognizer(best_checkpoint(tiny_project / "runs" / "tiny"))
    alone = Listener(recognizer, choose_compute("fp32"), detector=EnergyDetector(), stretches=SPEC.stretches)
    searching = replace(alone, search=Search(Workers(), BeamSettings()))  # type: ignore[arg-type]
    expected = transcribe_listener.transcribe_recording(alone, path).utterances
    assert transcribe_listener.transcribe_recording(searching, path).utterances == expected
    assert Workers.asked == [len(expected)] == [10]
    Workers.asked.clear()
    monkeypatch.setattr(transcribe_listener, "_SEARCHED_TOGETHER_SECONDS", 4)
    assert transcribe_listener.transcribe_recording(searching, path).utterances == expected
    assert sum(Workers.asked) == 10
    assert len(Workers.asked) == 4


def test_where_no_word_ends_speech_is_parted_in_its_longest_silence() -> None:
    scores = np.full((300, 5), -9.0, dtype=np.float32)
    scores[:, 2] = -1.0
    for start, end in ((10, 60), (100, 103), (200, 211), (290, 294)):
        scores[start:end, 0] = 0.0
    assert transcribe_listener._best_break(scores, (1,), 250) == 205
    assert transcribe_listener._best_break(scores, (1,), 300) == 35
    assert transcribe_listener._best_break(scores[103:200], (1,), 250) == 97
    scores[[150, 151, 260], 1] = [0.1, 0.2, 0.1]
    assert transcribe_listener._best_break(scores, (1,), 250) == 150


def test_times_never_go_back_and_never_beyond_the_recording(tiny_project: Path, tmp_path: Path) -> None:
    for seed, (spoken, length) in enumerate(
        [([(0.0, 7.03)], 7.03), ([(0.5, 3.0), (3.4, 9.9)], 9.95), ([(0.0, 24.0)], 24.013)]
    ):
        path = write(tmp_path / f"r{seed}.wav", spoken, length, seed)
        for detector in (None, "energy"):
            spec = with_longest(4.0, detector=detector, with_letters=True)
            output = tmp_path / f"{seed}{detector}"
            found = heard(listen(tiny_project, path, output=output, spec=spec), f"r{seed}")
            assert found.duration_seconds == round(length * RATE) / RATE
            reached = 0.0
            for utterance in found.utterances:
                assert reached <= utterance.start_seconds <= utterance.end_seconds <= found.duration_seconds
                for word in utterance.words:
                    assert max(reached, utterance.start_seconds) <= word.start_seconds < word.end_seconds
                    assert word.letters[0].start_seconds == word.start_seconds
                    assert word.letters[-1].end_seconds == word.end_seconds
                    assert word.end_seconds <= utterance.end_seconds
                    reached = word.end_seconds
                reached = utterance.end_seconds
            assert words(found)


def test_sound_that_begins_at_a_known_moment_is_heard_there(tiny_project: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", [(5.0, 6.5), (30.0, 31.0)], 40.0)
    found = heard(listen(tiny_project, path), "a")
    assert [round(one.start_seconds, 1) for one in found.utterances] == [4.8, 29.8]
    assert [one.end_seconds for one in found.utterances] == pytest.approx([6.7, 31.2], abs=0.07)


def test_a_frame_is_where_its_samples_are(tiny_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores that follow the loudness of each frame's own samples put a letter where a click is, to a frame."""
    clicks = [1.23, 7.77, 12.34]
    samples = np.zeros(15 * RATE, dtype=np.float32)
    for click in clicks:
        samples[round(click * RATE) : round(click * RATE) + 640] = 0.5
    soundfile.write(tmp_path / "a.wav", samples, RATE)

    def score(listener: object, stretches: list[transcribe_listener.Stretch]) -> list[np.ndarray]:
        found = []
        for one in stretches:
            frames = np.lib.stride_tricks.sliding_window_view(one.samples, 400)[::320]
            loud = np.abs(frames).max(axis=1) > 0.1
            scores = np.full((len(frames), 6), -9.0, dtype=np.float32)
            scores[np.arange(len(frames)), np.where(loud, 2, 0)] = -0.01
            found.append(transcribe_listener._keep(scores, one, listener))
        return found

    monkeypatch.setattr(transcribe_listener, "_score", score)
    found = heard(listen(tiny_project, tmp_path / "a.wav", spec=with_longest(3.0, detector=None)), "a")
    letters = [letter for one in found.utterances for word in one.words for letter in word.letters]
    assert [letter.start_seconds for letter in letters] == pytest.approx(clicks, abs=0.025)


def test_a_word_that_goes_on_behind_a_cut_is_whole_and_stays_within_its_utterance(
    tiny_project: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.wav", [(0.0, 20.0)], 20.0)
    whole = words(heard(listen(tiny_project, path, output=tmp_path / "1", spec=with_longest(60.0)), "a"))
    cut = heard(listen(tiny_project, path, output=tmp_path / "2", spec=with_longest(5.0)), "a")
    assert len(cut.utterances) > 3
    assert abs(len(words(cut)) - len(whole)) <= len(whole) // 4


@pytest.mark.parametrize("num_samples", [1, 100, 399, 400, 719, 720, 1000])
def test_recordings_shorter_than_a_word_are_transcribed_into_nothing_much(
    tiny_project: Path, tmp_path: Path, num_samples: int
) -> None:
    soundfile.write(tmp_path / "a.wav", bursts([(0, 1)], 1.0)[:num_samples], RATE)
    for detector in (None, "energy"):
        result = listen(
            tiny_project, tmp_path / "a.wav", formats=ALL, overwrite=True, spec=replace(SPEC, detector=detector)
        )
        assert not result.problems
        assert heard(result, "a").duration_seconds == num_samples / RATE
        assert sum(len(word) for word in words(heard(result, "a"))) <= 2


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_a_silent_recording_has_a_transcript_with_nothing_in_it(
    tiny_project: Path, tmp_path: Path, level: float
) -> None:
    soundfile.write(tmp_path / "a.wav", level * bursts([], 60.0) / 1e-4, RATE)
    result = listen(tiny_project, tmp_path / "a.wav", formats=ALL)
    assert (result.problems, result.done[0].num_words, result.done[0].mean_confidence) == ((), 0, None)
    assert [len(tier.annotations) for tier in read_elan(result.folder / "a.eaf").tiers] == [0, 0]
    assert (result.folder / "a.txt").read_bytes() == b""


def test_each_channel_is_a_voice_with_its_own_tiers(tiny_project: Path, tmp_path: Path) -> None:
    left, right = bursts([(1.0, 3.0)], 10.0, 1), bursts([(5.0, 7.5)], 10.0, 2)
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], axis=1), RATE)
    result = listen(tiny_project, tmp_path / "a.wav", formats=("elan", "json"), spec=replace(SPEC, each_channel=True))
    found = heard(result, "a")
    assert {one.voice: round(one.start_seconds, 1) for one in found.utterances} == {"channel 1": 0.8, "channel 2": 4.8}
    names = [tier.name for tier in read_elan(result.folder / "a.eaf").tiers]
    assert {"lowres@channel 1", "lowres words@channel 2"} <= set(names)
    alone = heard(listen(tiny_project, tmp_path / "a.wav", output=tmp_path / "o", spec=replace(SPEC, channel=1)), "a")
    assert words(alone) == [word.text for one in found.utterances if one.voice == "channel 2" for word in one.words]


def test_one_channel_alone_is_no_voice(tiny_project: Path, archive: Path) -> None:
    found = heard(listen(tiny_project, archive / "rec0.wav", spec=replace(SPEC, each_channel=True)), "rec0")
    assert {one.voice for one in found.utterances} == {""}


@pytest.mark.parametrize("kind", ["graphemes", "sentencepiece"])
def test_other_vocabularies_are_written_as_they_spell(tiny_project: Path, archive: Path, kind: str) -> None:
    write_run(tiny_project, kind=kind)
    result = listen(tiny_project, archive / "rec1.wav", spec=replace(SPEC, with_letters=True))
    for utterance in heard(result, "rec1").utterances:
        for word in utterance.words:
            assert "".join(letter.text for letter in word.letters) == word.text
            assert " " not in word.text
    assert result.done[0].num_words > 5
