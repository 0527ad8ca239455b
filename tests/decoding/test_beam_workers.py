"""Beam search in several processes: the same as in one."""

import multiprocessing
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from beams import character_model, random_scores, word_model

from lowres.decoding import beam_workers
from lowres.decoding.beam_search import BeamModel, BeamSettings
from lowres.decoding.beam_workers import BeamWorkers
from lowres.errors import LowresError

TEXTS = ["ab ba", "aab ba ba", "cab a", "ab", "ba cab"]
UTTERANCES = [random_scores(length, seed=length) for length in (40, 0, 13, 90, 1, 55, 22)]


def test_three_processes_hear_what_one_hears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beam_workers, "_FRAMES_WORTH_A_PROCESS", 1)
    model, settings = word_model(tmp_path, TEXTS)[0], BeamSettings(0.7)
    with BeamWorkers(model, 1) as workers:
        alone = workers.decode(UTTERANCES, settings, num_best=3)
    with BeamWorkers(model, 3) as workers:
        assert workers.decode(UTTERANCES, settings, num_best=3) == alone
        assert workers._executor is not None
        assert workers.decode(UTTERANCES[::-1], settings, num_best=3) == alone[::-1]
        assert workers.decode(UTTERANCES[:2], BeamSettings(2.0)) != alone[:2]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_utterances_does_not_matter(tmp_path: Path, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(UTTERANCES))
    with BeamWorkers(character_model(tmp_path, TEXTS)[0], 1) as workers:
        straight = workers.decode(UTTERANCES, BeamSettings(0.7))
        mixed = workers.decode([UTTERANCES[index] for index in order], BeamSettings(0.7))
    assert mixed == [straight[index] for index in order]


def test_no_utterances_are_no_transcriptions(tmp_path: Path) -> None:
    with BeamWorkers(character_model(tmp_path, TEXTS)[0], 2) as workers:
        assert workers.decode([], BeamSettings()) == []


def test_no_process_starts_for_little_speech(tmp_path: Path) -> None:
    with BeamWorkers(character_model(tmp_path, TEXTS)[0], 4) as workers:
        workers.decode(UTTERANCES, BeamSettings())
        assert workers._executor is None


def test_a_daemon_searches_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python lets it start no processes; the studio's recordings are transcribed by one."""
    monkeypatch.setattr(beam_workers, "_FRAMES_WORTH_A_PROCESS", 1)
    monkeypatch.setattr(multiprocessing, "current_process", lambda: SimpleNamespace(daemon=True))
    with BeamWorkers(character_model(tmp_path, TEXTS)[0], 4) as workers:
        assert len(workers.decode(UTTERANCES, BeamSettings())) == len(UTTERANCES)
        assert workers._executor is None


def test_a_damaged_model_is_refused_before_any_process_starts(tmp_path: Path) -> None:
    (tmp_path / "x.arpa").write_text("garbage", encoding="utf-8")
    with pytest.raises(LowresError, match="no language model"):
        BeamWorkers(BeamModel("character", tmp_path / "x.arpa", ("-", "|", "a"), 1), 4)


def test_a_process_that_dies_is_a_sentence_and_the_next_search_has_new_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beam_workers, "_FRAMES_WORTH_A_PROCESS", 1)
    model = character_model(tmp_path, TEXTS)[0]
    with BeamWorkers(model, 2) as workers:
        model.arpa.rename(tmp_path / "elsewhere")  # a process that cannot start is to its pool as one that was killed
        with pytest.raises(LowresError, match="A process of the beam search died") as caught:
            workers.decode(UTTERANCES, BeamSettings())
        assert "memory" in caught.value.message
        assert "fewer cores" in caught.value.hint
        (tmp_path / "elsewhere").rename(model.arpa)
        assert len(workers.decode(UTTERANCES, BeamSettings())) == len(UTTERANCES)
