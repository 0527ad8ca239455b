"""Hours of speech in the memory of minutes, many machines, and a recogniser that has learnt something."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jiwer
import numpy as np
import pytest
import soundfile
from clusters import cluster_of
from tone_corpus import LETTERS, TINY_RECIPE, whistle
from tone_corpus import write_project as write_tones
from transcribing import RATE, SPEC, bursts, files_in, heard, listen, with_longest, words

from lowres.errors import CorpusError
from lowres.recipe import parse_recipe
from lowres.stages import cluster as cluster_work
from lowres.stages.finetune import FinetuneOptions, finetune

pytestmark = [
    pytest.mark.slow,
    # Sockets and event loops of a cluster that is torn down.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

_ONE_CALL = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path[:0] = {path}
import torch
torch.set_num_threads(1)
from transcribing import JSON, SPEC, with_longest
from lowres.stages.transcribe import transcribe
project, detector, *recordings = sys.argv[1:]
spec = replace(SPEC, detector=detector if detector != "none" else None)
for recording in recordings:
    result = transcribe(Path(project), [Path(recording)], replace(JSON, overwrite=True), spec)
    assert not result.problems, result.problems
    # Not getrusage's: that begins with what the process had that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    print(next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:")))
"""


def write_long(path: Path, minutes: int) -> Path:
    """Write speech of 7 s after every 3 s of silence; block by block."""
    spoken = bursts([(10.0 * number + 3.0, 10.0 * number + 10.0) for number in range(6)], 60.0)
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        for _ in range(minutes):
            file.write(spoken)
    return path


@pytest.mark.parametrize("detector", ["energy", "none"])
def test_fifteen_minutes_need_the_memory_of_two(tiny_project: Path, tmp_path: Path, detector: str) -> None:
    code = _ONE_CALL.format(path=[path for path in sys.path if path])
    recordings = [write_long(tmp_path / f"{minutes}.wav", minutes) for minutes in (2, 15)]
    command = [sys.executable, "-c", code, str(tiny_project), detector, *map(str, recordings)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    before, after = map(int, done.stdout.split())
    # The words, and what the allocator keeps of passages of many lengths: 30 MB, and 40 after 45 minutes. The samples
    # of 13 minutes alone would be 50 MB.
    assert after - before < 40, (before, after)


@pytest.mark.parametrize(("num_workers", "num_threads"), [(2, 1), (1, 3)])
def test_a_cluster_writes_the_bytes_of_one_machine(
    tiny_project: Path, archive: Path, tmp_path: Path, num_workers: int, num_threads: int
) -> None:
    (archive / "bad.wav").write_bytes(b"no sound")
    formats = ("elan", "json", "csv")
    alone = listen(tiny_project, archive, output=tmp_path / "alone", formats=formats)
    with cluster_of(num_workers, num_threads) as cluster:
        address = cluster.scheduler_address
        together = listen(tiny_project, archive, output=tmp_path / "o", formats=formats, cluster=address)
        again = listen(tiny_project, archive, output=tmp_path / "o", formats=formats, cluster=address)
    assert together.problems == alone.problems
    assert (len(together.done), len(again.done), again.num_before) == (3, 0, 3)
    bytes_of = [
        {name: re.sub(rb' DATE="[^"]*"', b"", content) for name, content in files_in(folder).items()}
        for folder in (alone.folder, together.folder)
    ]
    for files in bytes_of:
        del files["transcribed.json"]
    assert bytes_of[0] == bytes_of[1]


def test_a_cluster_that_does_not_answer_is_said(
    tiny_project: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_work, "SECONDS_TO_ANSWER", 1)
    with pytest.raises(CorpusError, match=r"No Dask scheduler answers at 127\.0\.0\.1:9"):
        listen(tiny_project, archive, cluster="127.0.0.1:9")


def test_a_trained_recogniser_hears_the_same_letters_however_speech_is_divided(tmp_path: Path) -> None:
    """Whistled sentences with pauses between them, all of which is one stretch: every cut lies in a pause.

    Words are not compared: one that ends before a cut is a word, and without the cut it is joined to the next where the
    recogniser, which was trained on single sentences, hears no end of a word in a pause.
    """
    recipe = TINY_RECIPE.replace("updates = 12", "updates = 400").replace("updates = 4\n", "updates = 100\n")
    project = write_tones(tmp_path / "project", num_train=60, recipe=recipe)
    finetune(project, parse_recipe(recipe), FinetuneOptions())
    generator = np.random.default_rng(1)
    said = [" ".join("".join(generator.choice(list(LETTERS), size=3)) for _ in range(3)) for _ in range(40)]
    pause = np.zeros(round(0.3 * RATE), dtype=np.float32)
    samples = np.concatenate([part for sentence in said for part in (whistle(sentence), pause)])
    hiss = 1e-4 * generator.standard_normal(len(samples)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", samples + hiss, RATE)
    found = {
        longest: words(
            heard(listen(project, tmp_path / "a.wav", output=tmp_path / f"{longest}", spec=with_longest(longest)), "a")
        )
        for longest in (5.0, 10.0, 60.0)
    }
    letters = {longest: "".join(one) for longest, one in found.items()}
    rates = {longest: jiwer.cer("".join(said).replace(" ", ""), one) for longest, one in letters.items()}
    differing = {longest: jiwer.cer(letters[60.0], one) for longest, one in letters.items()}
    print("words", {longest: jiwer.wer(" ".join(found[60.0]), " ".join(one)) for longest, one in found.items()})
    assert max(rates.values()) < 0.1
    assert max(differing.values()) < 0.02
    spec = replace(SPEC, batch_seconds=30.0, stretches=with_longest(5.0).stretches)
    assert words(heard(listen(project, tmp_path / "a.wav", output=tmp_path / "b", spec=spec), "a")) == found[5.0]
