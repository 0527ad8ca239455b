"""Beam search with a language model beside torchaudio's and pyctcdecode's: speed and error rates on the same scores.

    uv run python benchmarks/decoding.py --project FOLDER --run NAME [--peers-python PATH]

The run needs language models (`lowres lm`). Every decoder gets the same log-probabilities of dev, the same blank
penalty, ARPA file, beam, language weight and word bonus, and one core; all take turns in one run, and seconds are of
the processor. torchaudio gets the same pruning too; pyctcdecode has its own, and an open vocabulary. It needs numpy 1,
so it lives in an environment of its own: --peers-python names its Python, or uv makes one. The last line is JSON:
utterances per second of ours to theirs, and their CER to ours.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

from lowres.audio.shards import ShardReader
from lowres.decoding import beam_search
from lowres.decoding.beam_search import BeamDecoder, BeamModel, LogProbs, ModelKind
from lowres.decoding.ngram import UNKNOWN
from lowres.decoding.stored_models import StoredModel, open_model, read_description
from lowres.manifest.corpus import CORPUS_FOLDER, load_corpus
from lowres.scoring.error_rates import character_error_rate, word_error_rate
from lowres.stages.evaluate_run import best_checkpoint, find_run
from lowres.stages.listening import load_to_listen, log_probs_of, score_speech, speech_of, write_hypothesis
from lowres.text.vocabulary import BLANK, WORD_BOUNDARY, Vocabulary
from lowres.training.precision import choose_compute

HERE = Path(__file__).resolve().parent
PEERS = ("pyctcdecode==0.5.0", "kenlm>=0.2", "numpy<2")
Decode = Callable[[], tuple[list[str], float]]


@dataclass(frozen=True)
class Speech:
    """What was heard in the split, and what was said."""

    log_probs: list[LogProbs]
    references: list[str]
    vocabulary: Vocabulary
    checkpoint: Path


def hear(project: Path, run: str, split: str) -> Speech:
    """Score a split with a run's recogniser."""
    corpus = load_corpus(project / CORPUS_FOLDER)
    checkpoint = best_checkpoint(find_run(project, run))
    compute = choose_compute("fp32")
    recognizer = load_to_listen(project, checkpoint, compute)
    rows = corpus.rows(split)
    scores: dict[int, LogProbs] = {}
    speech = speech_of(rows, ShardReader(corpus.folder))
    for indices, output in score_speech(recognizer, speech, compute=compute, batch_seconds=40):
        scores |= log_probs_of(indices, output)
    heard = sorted(scores)
    texts = rows["text"].tolist()
    return Speech(
        [scores[index] for index in heard], [texts[index] for index in heard], recognizer.vocabulary, checkpoint
    )


def timed(decode: Callable[[LogProbs], str], utterances: Sequence[LogProbs]) -> tuple[list[str], float]:
    """Decode all; return the texts and the processor's seconds."""
    started = time.process_time()
    texts = [decode(log_probs) for log_probs in utterances]
    return texts, time.process_time() - started


def ours(speech: Speech, model: BeamModel, stored: StoredModel, *, skip_sure_blanks: bool = True) -> Decode:
    """Decode as `lowres evaluate` does, or with every frame, however surely it is blank."""
    decoder = BeamDecoder(model)

    def decode_one(scores: LogProbs) -> str:
        return write_hypothesis(decoder.decode(scores, stored.settings)[0], speech.vocabulary)

    def decode() -> tuple[list[str], float]:
        if skip_sure_blanks:
            return timed(decode_one, speech.log_probs)
        with patch.object(beam_search, "_without_sure_blanks", lambda scores, _penalty: scores):
            return timed(decode_one, speech.log_probs)

    return decode


def torchaudios(model: BeamModel, stored: StoredModel, utterances: list[LogProbs], folder: Path) -> Decode:
    """Decode with torchaudio's `ctc_decoder`, which searches with the same library."""
    from torchaudio.models.decoder import ctc_decoder

    lexicon, dictionary = None, folder / "tokens.txt"
    # Without a lexicon it numbers the labels for the language model in an order of its own, unless it is told.
    dictionary.write_text("\n".join((*model.labels, UNKNOWN)) + "\n", encoding="utf-8")
    if model.kind == "word":
        spelled = ("".join(f" {model.labels[label]}" for label in spelling) for _, spelling in model.lexicon)
        lines = [
            f"{word}{letters} {WORD_BOUNDARY}\n" for (word, _), letters in zip(model.lexicon, spelled, strict=True)
        ]
        lexicon = str(folder / "lexicon.txt")
        Path(lexicon).write_text("".join(lines), encoding="utf-8")
    settings = stored.settings
    decoder = ctc_decoder(
        lexicon=lexicon,
        tokens=list(model.labels),
        lm=str(model.arpa),
        lm_dict=None if lexicon else str(dictionary),
        beam_size=settings.beam_size,
        beam_size_token=min(settings.labels_per_frame, len(model.labels)),
        beam_threshold=settings.beam_threshold,
        lm_weight=settings.language_weight,
        word_score=settings.word_bonus,
        blank_token=BLANK,
        sil_token=WORD_BOUNDARY,
    )

    def decode_one(scores: LogProbs) -> str:
        best = decoder(torch.from_numpy(scores)[None])[0][0]
        if model.kind == "word":
            return " ".join(best.words)
        return "".join(decoder.idxs_to_tokens(best.tokens)).replace(WORD_BOUNDARY, " ")

    return lambda: timed(decode_one, utterances)


def pyctcdecodes(
    model: BeamModel, stored: StoredModel, utterances: list[LogProbs], folder: Path, python: str
) -> Decode:
    """Decode with pyctcdecode, in a process of its own Python."""
    spelled = {BLANK: "", WORD_BOUNDARY: " "}
    task = {
        "labels": [spelled.get(label, label) for label in model.labels],
        "arpa": str(model.arpa),
        "words": [word for word, _ in model.lexicon],
        "language_weight": stored.settings.language_weight,
        "word_bonus": stored.settings.word_bonus,
        "beam_size": stored.settings.beam_size,
    }
    (folder / "task.json").write_text(json.dumps(task, ensure_ascii=False), encoding="utf-8")
    np.savez(folder / "log_probs.npz", **{f"{number:06d}": scores for number, scores in enumerate(utterances)})

    def decode() -> tuple[list[str], float]:
        command = [python, str(HERE / "decoding_pyctcdecode.py"), str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return json.loads((folder / "texts.json").read_text(encoding="utf-8")), float(done.stdout.split()[-1])

    return decode


def make_peers(folder: Path) -> str:
    """Make an environment for pyctcdecode with uv and return its Python."""
    uv = shutil.which("uv")
    if uv is None:
        raise SystemExit("uv is not here: name a Python that has pyctcdecode and kenlm with --peers-python")
    python = str(folder / "peers" / "bin" / "python")
    subprocess.run([uv, "venv", "--quiet", "--python", "3.11", str(folder / "peers")], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *PEERS], check=True)
    return python


def compare(
    speech: Speech, contenders: dict[str, Decode], repetitions: int, title: str
) -> dict[str, tuple[float, float, float]]:
    """Run all in turn; print a table; return utterances per second, WER and CER of each."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    texts: dict[str, list[str]] = {}
    for _ in range(repetitions):
        for name, decode in contenders.items():
            heard, spent = decode()
            texts[name] = [" ".join(text.split()) for text in heard]
            seconds[name].append(spent)
    print(f"\n{title}\n\n| decoder | utterances per second | WER | CER |\n|---|---|---|---|")
    found = {}
    for name in contenders:
        rates = word_error_rate(speech.references, texts[name]), character_error_rate(speech.references, texts[name])
        speed = len(speech.references) / statistics.median(seconds[name])
        found[name] = (speed, *rates)
        print(f"| {name} | {speed:,.1f} | {100 * rates[0]:.2f} % | {100 * rates[1]:.2f} % |")
    return found


def main() -> None:
    """Hear dev once, decode it with everything, print two tables and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--utterances", type=int, help="only so many, spread over the split")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--peers-python", help="a Python with pyctcdecode and kenlm; without it, uv makes one")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    speech = hear(options.project, options.run, options.split)
    if options.utterances:
        chosen = np.linspace(0, len(speech.references) - 1, options.utterances).astype(int)
        speech = replace(
            speech,
            log_probs=[speech.log_probs[index] for index in chosen],
            references=[speech.references[index] for index in chosen],
        )
    ratios: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place:
        python = options.peers_python or make_peers(Path(place))
        for kind in ("word", "character"):
            ratios |= run_kind(speech, kind, python, Path(place), options.repetitions)
    print(json.dumps({"utterances": len(speech.references), **ratios}))


def run_kind(speech: Speech, kind: ModelKind, python: str, folder: Path, repetitions: int) -> dict[str, float]:
    """Compare the decoders with the model of one kind; return the ratios."""
    stored = read_description(speech.checkpoint, speech.vocabulary).find(kind)
    if stored is None:
        raise SystemExit(f"the run has no {kind} model: make both with `lowres lm`")
    model = open_model(speech.checkpoint, stored, speech.vocabulary)
    penalty = np.zeros(len(speech.vocabulary), dtype=np.float32)
    penalty[0] = stored.settings.blank_penalty
    utterances = [np.maximum(log_probs, -1e4) - penalty for log_probs in speech.log_probs]
    contenders = {
        "lowres": ours(speech, model, stored),
        "lowres, sure blanks searched too": ours(speech, model, stored, skip_sure_blanks=False),
        "torchaudio": torchaudios(model, stored, utterances, folder),
    }
    if kind == "word":
        contenders["pyctcdecode, open vocabulary"] = pyctcdecodes(model, stored, utterances, folder, python)
    vocabulary = f"{len(model.lexicon):,} words" if kind == "word" else "open vocabulary"
    weights = f"beam {stored.settings.beam_size}, weight {stored.settings.language_weight:g}"
    title = f"{stored.order}-gram of {kind}s, {vocabulary}, {weights}; {len(utterances):,} utterances, one core"
    found = compare(speech, contenders, repetitions, title)
    speed, _, errors = found["lowres"]
    ratios = {}
    for name, (their_speed, _, their_errors) in found.items():
        if not name.startswith("lowres"):
            peer = name.split(",")[0]
            ratios[f"{kind}_speed_to_{peer}_ratio"] = round(speed / their_speed, 3)
            ratios[f"{kind}_cer_to_{peer}_ratio"] = round(their_errors / errors, 4)
    return ratios


if __name__ == "__main__":
    main()
