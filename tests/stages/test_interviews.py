"""An interview with one speaker a channel: each is heard on their own."""

from pathlib import Path

import numpy as np
import soundfile

from lowres.annotation.elan_writing import write_elan
from lowres.annotation.tiers import Annotation, AnnotationFile, Tier
from lowres.audio.shards import ShardReader
from lowres.recipe import parse_recipe
from lowres.stages.export_corpus import export_corpus
from lowres.stages.prepare import PrepareOptions, prepare

RATE = 16_000


def write_interview(folder: Path) -> None:
    """Write two voices, 300 Hz on the left and 1000 Hz on the right, who talk at the same time."""
    folder.mkdir()
    times = np.arange(8 * RATE) / RATE
    sound = np.stack([0.3 * np.sin(2 * np.pi * hertz * times) for hertz in (300, 1000)], axis=1)
    soundfile.write(folder / "talk.wav", sound, RATE)
    tiers = [
        Tier(f"tx@{name}", tuple(Annotation(second + late, second + 1.5, f"mbote {second}") for second in range(6)))
        for name, late in (("Ana", 0.0), ("Ben", 0.25))
    ]
    write_elan(AnnotationFile(tuple(tiers)), folder / "talk.eaf")


def test_each_speaker_is_heard_on_their_own_channel(tmp_path: Path) -> None:
    write_interview(tmp_path / "talks")
    recipe = parse_recipe(
        f'[corpus]\nfolder = "{(tmp_path / "talks").as_posix()}"\n[corpus.reader]\nreader = "annotated"\n'
        "[corpus.reader.channels]\nAna = 0\nBen = 1\n[splits]\nmethod = 'make'"
    )
    corpus = prepare(tmp_path, recipe, PrepareOptions(num_workers=1), lambda step, done, total: None).corpus
    shards, loudest = ShardReader(corpus.folder), {}
    for row in corpus.table[corpus.table["num_samples"] > 0].itertuples():
        spectrum = np.abs(np.fft.rfft(shards.read(row.shard, row.offset_samples, row.num_samples)))
        loudest.setdefault(row.speaker, set()).add(round(int(np.argmax(spectrum)) * RATE / row.num_samples, -1))
    assert loudest == {"Ana": {300}, "Ben": {1000}}
    notes = export_corpus(tmp_path, tmp_path / "out", "elan").notes
    assert any("overlap on different channels" in note for note in notes)
