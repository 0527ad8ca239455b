"""The speech of several corpora: by language, without names in memory, with held-out speech that never changes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pretraining_runs import make_record

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.shards import ShardWriter
from lowres.errors import CheckpointError, CorpusError, TrainingError
from lowres.manifest.corpus import CorpusInfo, write_corpus
from lowres.manifest.schema import UtteranceRow, table_from_rows
from lowres.model.config import preset
from lowres.stages.pretrain_run import PretrainRecord, check_same_pretraining
from lowres.stages.pretrain_speech import PretrainingSpeech, load_pretraining_speech
from lowres.stages.run_folder import RunFolder
from lowres.training.mixture import Crop
from lowres.training.pretrain_corpus import PretrainCorpus
from lowres.training.pretrain_settings import PretrainSettings, settle_pretraining
from lowres.training.speech_feed import load_crops

SETTINGS = settle_pretraining(
    PretrainSettings(crop_seconds=4.0, shortest_seconds=0.5, held_out_seconds=6.0), preset("xs"), is_continued=False
)
Lengths = dict[str, list[float]]


def write_tiny(folder: Path, seconds: Lengths, languages: tuple[str, ...] = ("",), **info: object) -> Path:
    """Write a prepared corpus whose samples count up from 0; utterance n of a split is called SPLIT-n."""
    (folder / "shards").mkdir(parents=True)
    names = [(split, number) for split, lengths in seconds.items() for number in range(len(lengths))]
    lengths = [round(length * SAMPLE_RATE) for of_split in seconds.values() for length in of_split]
    rows = [
        UtteranceRow(
            f"{split}-{number}", f"{split}-{number}.wav", split=split, language=languages[place % len(languages)]
        )
        for place, (split, number) in enumerate(names)
    ]
    with ShardWriter(folder / "shards" / "part-00000.pcm") as writer:
        offsets = [writer.append((np.arange(length) % 30_000).astype(np.int16)) for length in lengths]
        writer.finish()
    table = table_from_rows(rows).assign(
        num_samples=lengths,
        offset_samples=offsets,
        shard="part-00000.pcm",
        duration_seconds=np.array(lengths) / SAMPLE_RATE,
    )
    write_corpus(folder, pd.DataFrame(table), replace(CorpusInfo(name=folder.name), **info))  # type: ignore[arg-type]
    return folder


def load(project: Path, *entries: PretrainCorpus, settings: PretrainSettings = SETTINGS) -> PretrainingSpeech:
    return load_pretraining_speech(project, entries, settings)


def test_corpora_are_found_where_prepare_puts_them_and_where_they_were_before(tmp_path: Path) -> None:
    write_tiny(tmp_path / "project" / "prepared" / "yoruba", {"train": [1, 2], "dev": [1]}, language="yor")
    write_tiny(
        tmp_path / "archive" / "corpus", {"train": [3], "other": [2]}, language="mdw", licence="CC0", consent="Paid."
    )
    speech = load(
        tmp_path / "project",
        PretrainCorpus(recipe="yoruba"),
        PretrainCorpus(folder="../archive", splits=("train", "other"), name="radio"),
    )
    assert [(info.language, info.corpus, info.num_utterances) for info in speech.infos] == [
        ("yor", "yoruba", 2),
        ("mdw", "radio", 2),
    ]
    assert [info.licence for info in speech.infos] == ["", "CC0"]
    assert [info.consent for info in speech.infos] == ["", "Paid."]
    assert speech.hours == pytest.approx(8 / 3600, abs=1e-4)
    assert [source.num_samples.tolist() for source in speech.sources] == [[16_000, 32_000], [48_000, 32_000]]


def test_without_entries_the_project_s_own_corpus_is_learnt_from(tmp_path: Path) -> None:
    write_tiny(tmp_path / "corpus", {"train": [1], "dev": [1]}, language="mdw", synthetic=True)
    (info,) = load(tmp_path).infos
    assert (info.language, info.corpus, info.is_synthetic) == ("mdw", "corpus", True)


def test_samples_are_read_from_where_the_utterance_lies(tmp_path: Path) -> None:
    write_tiny(tmp_path / "corpus", {"train": [1.0, 1.5], "dev": [1]})
    (source,) = load(tmp_path).sources
    assert source.read_samples(1, 5, 3).tolist() == [5, 6, 7]
    assert source.num_samples.dtype == np.int32


def test_a_corpus_of_two_languages_is_two_sources_unless_the_entry_names_one(tmp_path: Path) -> None:
    write_tiny(tmp_path / "corpus", {"train": [1, 2, 3], "dev": [1, 1]}, languages=("swh", ""), language="kin")
    speech = load(tmp_path, PretrainCorpus(folder="corpus"))
    assert [(info.language, info.num_utterances) for info in speech.infos] == [("kin", 1), ("swh", 2)]
    named = load(tmp_path, PretrainCorpus(folder="corpus", language="bnt"))
    assert [(info.language, info.num_utterances) for info in named.infos] == [("bnt", 3)]
    assert list(named.held_out) == ["bnt"]


def test_a_corpus_of_one_language_goes_by_the_code_of_its_recipe(tmp_path: Path) -> None:
    write_tiny(tmp_path / "corpus", {"train": [1, 2], "dev": [1]}, languages=("yo",), language="yor")
    speech = load(tmp_path)
    assert ([info.language for info in speech.infos], list(speech.held_out)) == (["yor"], ["yor"])


def test_held_out_speech_is_from_dev_and_as_long_as_asked(tmp_path: Path) -> None:
    write_tiny(tmp_path / "corpus", {"train": [1] * 4, "dev": [1.5] * 20})
    speech = load(tmp_path)
    (crops,) = speech.held_out.values()
    assert speech.held_out_seconds == {"corpus": 6.0}
    assert len({crop.utterance for crop in crops}) == 4
    batch = load_crops(speech.all_sources, crops)
    assert batch.num_samples.tolist() == [24_000] * 4
    assert load(tmp_path).held_out == speech.held_out


def test_more_dev_speech_keeps_the_order_in_which_it_is_chosen(tmp_path: Path) -> None:
    write_tiny(tmp_path / "corpus", {"train": [1], "dev": [1.5] * 20})
    few, many = (load(tmp_path, settings=replace(SETTINGS, held_out_seconds=seconds)) for seconds in (3.0, 9.0))
    assert many.held_out["corpus"][:2] == few.held_out["corpus"]


def test_long_held_out_recordings_are_cut_into_crops_that_do_not_overlap(tmp_path: Path) -> None:
    write_tiny(tmp_path / "corpus", {"train": [1], "dev": [9.2, 8.6]})
    speech = load(tmp_path, settings=replace(SETTINGS, held_out_seconds=99.0))
    pieces = sorted((crop.utterance, crop.start_sample, crop.num_samples) for crop in speech.held_out["corpus"])
    # 4 + 4 + 1.2 s, and 4 + 4 + 0.6 s.
    assert pieces == [
        (0, 0, 64_000), (0, 64_000, 64_000), (0, 128_000, 19_200),
        (1, 0, 64_000), (1, 64_000, 64_000), (1, 128_000, 9_600),
    ]  # fmt: skip


def test_dev_speech_that_is_learnt_from_is_not_held_out(tmp_path: Path) -> None:
    write_tiny(tmp_path / "corpus", {"train": [1], "dev": [1]})
    speech = load(tmp_path, PretrainCorpus(folder="corpus", splits=("train", "dev")))
    assert speech.held_out == {}
    assert "Nothing is held out for 'corpus'" in speech.warnings[0]


def test_short_utterances_are_counted_and_told(tmp_path: Path) -> None:
    write_tiny(tmp_path / "corpus", {"train": [1, 0.3, 0.4], "dev": [1, 0.2]})
    speech = load(tmp_path)
    assert (speech.infos[0].num_utterances, speech.infos[0].num_left_out) == (1, 2)
    assert speech.warnings == ("corpus: 2 utterances are shorter than 0.5 s and left out.",)
    assert {crop.utterance for crop in speech.held_out["corpus"]} == {0}


def test_a_crop_is_named_by_its_corpus_utterance_and_place(tmp_path: Path) -> None:
    write_tiny(tmp_path / "corpus", {"dev": [1], "train": [1, 2]})
    speech = load(tmp_path)
    assert speech.name_crop(Crop(0, 1, 8000, 8000, 0)) == "corpus/train-1 (0.5-1.0 s)"
    assert speech.name_crop(speech.held_out["corpus"][0]) == "corpus/dev-0 (0.0-1.0 s)"


def test_a_corpus_that_is_not_prepared_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="'yoruba' is not prepared") as caught:
        load(tmp_path, PretrainCorpus(recipe="yoruba"))
    assert "lowres prepare" in caught.value.hint
    with pytest.raises(CorpusError, match="'radio' is not prepared") as caught:
        load(tmp_path, PretrainCorpus(folder="../radio"))
    assert "must name a prepared corpus" in caught.value.hint


def test_splits_without_speech_are_refused_by_the_name_of_the_corpus(tmp_path: Path) -> None:
    write_tiny(tmp_path / "corpus", {"dev": [1]})
    with pytest.raises(TrainingError, match=r"'radio' .* has no speech in train"):
        load(tmp_path, PretrainCorpus(folder="corpus", name="radio"))


def test_nothing_long_enough_is_refused(tmp_path: Path) -> None:
    write_tiny(tmp_path / "corpus", {"train": [0.3], "dev": [1]})
    with pytest.raises(TrainingError, match=r"No utterance lasts 0.5 s"):
        load(tmp_path)


def test_what_the_speakers_agreed_to_may_be_stated_when_training_has_begun(tmp_path: Path) -> None:
    record = PretrainRecord(**make_record())
    agreed = replace(record, languages=[{**row, "consent": "Paid readers."} for row in record.languages])
    more = replace(record, languages=[{**row, "hours": 100.0} for row in record.languages])
    folder = RunFolder(tmp_path)

    check_same_pretraining(record, agreed, folder)
    assert record.sha256 == agreed.sha256
    with pytest.raises(CheckpointError, match="The speech of"):
        check_same_pretraining(record, more, folder)
