"""Transcripts beside the wrong recordings are called out; true ones are never accused."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from manifest_tables import make_table

from lowres.manifest.transcript_order import TranscriptOrder, check_transcript_order

CORPORA = ("mboshi", "yoruba", "kinyarwanda", "swahili", "pidgin", "tusom")


def speech(num_rows: int = 200, seed: int = 0, split: str = "train") -> pd.DataFrame:
    """Make sentences of 10 to 80 letters, 15 letters a second, with 20 % of noise."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(10, 80, size=num_rows)
    seconds = (0.5 + lengths / 15) * generator.lognormal(0, 0.2, size=num_rows)
    texts = [("ab cde " * 12)[:length] for length in lengths.tolist()]
    return make_table(texts, seconds=seconds.tolist(), splits=[split] * num_rows)


def permute(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Give each split's transcripts to other recordings of it."""
    return _within_splits(table, np.random.default_rng(seed).permutation)


def shift(table: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Move each split's transcripts so many rows down, the last ones to the top."""
    return _within_splits(table, lambda texts: np.roll(texts, rows))


def _within_splits(table, change) -> pd.DataFrame:  # type: ignore[no-untyped-def]
    changed = table.copy()
    for rows in table.groupby("split", sort=False).groups.values():
        changed.loc[rows, "text"] = change(table.loc[rows, "text"].to_numpy(dtype=object))
    return changed


def test_true_transcripts_are_good() -> None:
    order = check_transcript_order(speech())
    assert (order.verdict, order.shift, order.split) == ("good", 0, "")
    assert order.correlation is not None
    assert order.correlation > 0.8


def test_the_correlation_is_that_of_durations_and_lengths() -> None:
    table = speech()
    expected = np.corrcoef(table["duration_seconds"], table["text"].str.len())[0, 1]
    assert check_transcript_order(table).correlation == pytest.approx(expected, abs=0.02)  # extremes are bounded


@pytest.mark.parametrize("seed", range(5))
def test_scrambled_transcripts_are_accused(seed: int) -> None:
    order = check_transcript_order(permute(speech(), seed))
    assert order.verdict == "scrambled"
    assert "Do not train on this" in order.sentence


@pytest.mark.parametrize("seed", range(20))
def test_a_few_long_turns_that_fall_on_each_other_by_chance_do_not_hide_it(seed: int) -> None:
    # Conversations: most turns are a word or two, some are stories, and those alone would decide a correlation.
    generator = np.random.default_rng(seed)
    lengths = np.clip(generator.lognormal(2.8, 1.3, size=100), 2, 800).astype(int)
    seconds = (0.4 + lengths / 15) * generator.lognormal(0, 0.2, size=100)
    turns = make_table([("ab cde " * 200)[:length] for length in lengths.tolist()], seconds=seconds.tolist())
    assert check_transcript_order(turns).verdict == "good"
    assert check_transcript_order(permute(turns, seed)).verdict in ("scrambled", "shifted")


@pytest.mark.parametrize("rows", [-3, -2, -1, 1, 2, 3])
def test_shifted_transcripts_are_accused_with_the_way_back(rows: int) -> None:
    order = check_transcript_order(shift(speech(), rows))
    assert (order.verdict, order.shift) == ("shifted", rows)
    assert ("further down" if rows > 0 else "further up") in order.sentence


def test_a_line_lost_half_way_is_found_with_the_place() -> None:
    table = speech()
    texts = table["text"].tolist()
    table["text"] = texts[:120] + texts[121:] + texts[-1:]
    order = check_transcript_order(table)
    assert (order.verdict, order.shift) == ("shifted", -1)
    assert abs(int(order.first_utterance[1:]) - 121) <= 5
    assert order.last_utterance[1:] in {"198", "199"}


def test_one_scrambled_split_among_good_ones_is_named() -> None:
    good, bad = speech(300), permute(speech(80, seed=1, split="test"), 2)
    bad["utterance_id"] = "t" + bad["utterance_id"]
    order = check_transcript_order(pd.concat([good, bad], ignore_index=True))
    assert (order.verdict, order.split) == ("scrambled", "test")


def test_a_shift_does_not_cross_splits() -> None:
    table = pd.concat([speech(60), speech(60, seed=1, split="test")], ignore_index=True)
    alone = check_transcript_order(speech(60))
    assert check_transcript_order(table).num_pairs == 120
    assert alone.num_pairs == 60


def test_utterances_without_audio_or_text_hold_their_rows_and_are_not_compared() -> None:
    table = shift(speech(), 1)
    table.loc[::10, "duration_seconds"] = 0.0
    table.loc[5::10, "text"] = ""
    order = check_transcript_order(table)
    assert (order.verdict, order.shift, order.num_pairs) == ("shifted", 1, 160)


@pytest.mark.parametrize(
    "table",
    [make_table([]), make_table(["one"]), make_table(["same length"] * 100), speech(15), permute(speech(19), 0)],
)
def test_too_little_or_too_uniform_speech_is_neither_praised_nor_accused(table: pd.DataFrame) -> None:
    order = check_transcript_order(table)
    assert order.verdict == "too few to tell"
    assert order.sentence


def test_one_recording_of_an_hour_accuses_nobody() -> None:
    table = speech()
    table.loc[100, "duration_seconds"] = 3600.0
    assert check_transcript_order(table).verdict == "good"


@pytest.fixture(scope="module")
def real_tables(corpora_folder: Path) -> dict[str, pd.DataFrame]:
    """Ids, splits, texts and durations of the real corpora, in their own order."""
    return {name: _real_table(corpora_folder, name) for name in CORPORA}


@pytest.mark.corpora
@pytest.mark.slow
@pytest.mark.parametrize("name", CORPORA)
def test_real_transcripts_are_good_whole_and_in_part(name: str, real_tables: dict[str, pd.DataFrame]) -> None:
    table = real_tables[name]
    assert check_transcript_order(table).verdict == "good"
    for seed in range(20):
        assert _verdict(_hour(table, seed)) == "good"
        assert _verdict(_minutes(table, 10, seed)) in ("good", "too few to tell")


@pytest.mark.corpora
@pytest.mark.slow
@pytest.mark.parametrize("name", CORPORA)
def test_real_transcripts_scrambled_or_shifted_by_a_row_are_caught(
    name: str, real_tables: dict[str, pd.DataFrame]
) -> None:
    table = real_tables[name]
    for part in (table, _hour(table, 0)):
        assert [check_transcript_order(shift(part, rows)).shift for rows in (-1, 1)] == [-1, 1]
        assert {_verdict(permute(part, seed)) for seed in range(20)} == {"scrambled"}


@pytest.mark.corpora
@pytest.mark.slow
@pytest.mark.parametrize("name", CORPORA)
def test_ten_minutes_scrambled_or_shifted_are_never_taken_for_good(
    name: str, real_tables: dict[str, pd.DataFrame]
) -> None:
    caught, accused = 0, ("scrambled", "shifted")
    for seed in range(20):
        part = _minutes(real_tables[name], 10, seed)
        verdicts = [_verdict(permute(part, seed)), _verdict(shift(part, 1)), _verdict(shift(part, -1))]
        assert "good" not in verdicts
        caught += sum(verdict in accused for verdict in verdicts)
    # Kinyarwanda's sentences are all about 15 words: ten minutes of it (55 utterances) are too few to tell.
    assert caught >= (20 if name == "kinyarwanda" else 57)


def _verdict(table: pd.DataFrame) -> str:
    order: TranscriptOrder = check_transcript_order(table)
    return order.verdict


def _hour(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    return _minutes(table, 60, seed)


def _minutes(table: pd.DataFrame, minutes: float, seed: int) -> pd.DataFrame:
    """Take training utterances at random until there are so many minutes, and keep their order."""
    train = table[table["split"] == "train"]
    order = np.random.default_rng(seed).permutation(len(train))
    so_far = train["duration_seconds"].to_numpy()[order].cumsum()
    return train.iloc[np.sort(order[so_far <= minutes * 60])].reset_index(drop=True)


def _real_table(folder: Path, name: str) -> pd.DataFrame:
    rows = list(_real_rows(folder, name))
    return pd.DataFrame(
        {
            "utterance_id": [path.stem for _, path, _ in rows],
            "split": [split for split, _, _ in rows],
            "text": [text for _, _, text in rows],
            "duration_seconds": [soundfile.info(path).duration for _, path, _ in rows],
        }
    )


def _real_rows(folder: Path, name: str):  # type: ignore[no-untyped-def]
    """Yield (split, recording, transcript) in the corpus's own order, without lowres's readers (they are above us)."""
    match name:
        case "mboshi":
            for split in ("train", "dev"):
                for path in sorted((folder / name / split).glob("*.opus")):
                    yield split, path, path.with_suffix(".mb").read_text(encoding="utf-8").strip()
        case "yoruba":
            for split in ("train", "dev", "test", "other"):
                for row in _read(folder / f"yoruba/yo/{split}.tsv", "\t"):
                    yield split, folder / "yoruba/yo/clips" / row["path"], row["sentence"]
        case "kinyarwanda":
            for split in ("train", "dev", "test"):
                data = folder / "kinyarwanda/data" / split
                texts = dict(line.split(" ", 1) for line in (data / "text").read_text(encoding="utf-8").splitlines())
                for line in (data / "wav.scp").read_text(encoding="utf-8").splitlines():
                    yield split, folder / "kinyarwanda" / line.split(" ", 1)[1], texts[line.split(" ", 1)[0]]
        case "swahili":
            for split in ("train", "validation", "test"):
                for row in _read(folder / "swahili" / split / "metadata.csv", ","):
                    yield split, folder / "swahili" / split / row["file_name"], row["transcription"]
        case "pidgin":
            for row in _read(folder / "pidgin/utterances.tsv", "\t"):
                yield row["split"], folder / "pidgin" / row["file"], row["text"]
        case "tusom":
            for row in _read(folder / "tusom/words.csv", ","):
                yield row["split"], folder / "tusom" / row["file"], row["ipa"]


def _read(path: Path, delimiter: str) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))
