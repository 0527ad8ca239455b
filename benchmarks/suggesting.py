"""Whether `lowres suggest` chooses speech that teaches more than speech chosen at random.

    uv run python benchmarks/suggesting.py --project FOLDER --run NAME [--minutes 30] [--most 3000]

Candidates are the training utterances of a prepared corpus that the recogniser did not learn from, drafted greedily.
Their true transcripts, which the choice never sees, say how much is new in it: runs of three labels and words that the
training text does not have, for the same amount of speech; and how wrong the drafts are, which should be more than
usual. Random choices are the peer; the last line is JSON, `_ratio` is the choice to the mean of theirs.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import jiwer
import numpy as np
import torch

from lowres.audio.shards import ShardReader
from lowres.audio.voice_sketch import sketch_voice
from lowres.decoding.greedy import greedy_decode
from lowres.decoding.novelty import all_runs, runs_of
from lowres.decoding.word_times import time_words
from lowres.manifest.corpus import CORPUS_FOLDER, load_corpus
from lowres.manifest.settings import TRAIN
from lowres.stages.evaluate_run import best_checkpoint, find_run, training_rows
from lowres.stages.listening import DEFAULT_BATCH_SECONDS, load_to_listen, log_probs_of, score_speech, speech_of
from lowres.stages.suggest import training_voices
from lowres.stages.suggest_choice import Candidate, choose
from lowres.training.precision import choose_compute

NUM_RANDOM = 10


def main() -> None:
    """Draft, choose, and count what is new by the true transcripts; print a table and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--run")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--most", type=int, default=3000, help="candidates that are listened to")
    options = parser.parse_args()
    corpus = load_corpus(options.project / CORPUS_FOLDER)
    compute = choose_compute("auto")
    recognizer = load_to_listen(options.project, best_checkpoint(find_run(options.project, options.run)), compute)
    vocabulary = recognizer.vocabulary
    learned = training_rows(corpus, recognizer.metadata)
    rows = corpus.rows(TRAIN)
    rows = rows.loc[~rows["utterance_id"].isin(set(learned["utterance_id"])) & (rows["text"] != "")]
    rows = rows.sample(min(options.most, len(rows)), random_state=1).reset_index(drop=True)
    speech = speech_of(rows, ShardReader(corpus.folder))
    candidates: dict[int, Candidate] = {}
    drafts = [""] * len(rows)
    for indices, output in score_speech(
        recognizer, speech, compute=compute, batch_seconds=DEFAULT_BATCH_SECONDS[compute.device]
    ):
        for index, log_probs in log_probs_of(indices, output).items():
            hypothesis = greedy_decode(torch.from_numpy(log_probs)[None], torch.tensor([len(log_probs)]))[0]
            words = time_words(log_probs, hypothesis.token_ids, vocabulary)
            sketch = sketch_voice([speech.read_samples(index).astype(np.float32) / np.float32(32768)])
            drafts[index] = vocabulary.decode(hypothesis.token_ids)
            if not words or sketch is None:
                continue
            seconds = float(speech.num_samples[index]) / 16_000
            doubt = 1 - float(np.mean([word.certainty for word in words]))
            runs = frozenset(runs_of(hypothesis.token_ids))
            candidates[index] = Candidate(str(index), 0.0, seconds, seconds, doubt, runs, sketch)
    known_runs = all_runs(vocabulary.encode(text) for text in learned["text"])
    known_words = {word for text in learned["text"] for word in text.split()}
    ordered = [candidates[index] for index in sorted(candidates)]
    chosen = choose(
        ordered,
        known_runs=frozenset(known_runs),
        known_voices=training_voices(corpus, learned),
        seconds=60 * options.minutes,
    )

    def judge(chosen: Sequence[Candidate]) -> dict[str, float]:
        texts = [rows["text"][int(one.name)] for one in chosen]
        heard = [drafts[int(one.name)] for one in chosen]
        return {
            "utterances": len(chosen),
            "minutes": sum(one.speech_seconds for one in chosen) / 60,
            "new_runs": len(all_runs(vocabulary.encode(text) for text in texts) - known_runs),
            "new_words": len({word for text in texts for word in text.split()} - known_words),
            "draft_character_error_rate": jiwer.cer(texts, heard),
            "speakers": rows["speaker"][[int(one.name) for one in chosen]].nunique(),
        }

    ours = judge([one.candidate for one in chosen])
    random = [judge(_draw(ordered, 60 * options.minutes, seed)) for seed in range(NUM_RANDOM)]
    hours = sum(one.speech_seconds for one in ordered) / 3600
    print(f"{len(ordered):,} candidates, {hours:.1f} h; learned from {len(learned):,} utterances\n")
    print("                            | suggested | random: mean   lowest  highest")
    for name, value in ours.items():
        values = [one[name] for one in random]
        print(f"{name:27s} | {value:9.3f} | {np.mean(values):12.3f} {min(values):8.3f} {max(values):8.3f}")
    ratios = {
        f"{name}_ratio": round(ours[name] / float(np.mean([one[name] for one in random])), 3)
        for name in ("new_runs", "new_words", "draft_character_error_rate")
    }
    print(json.dumps({**ratios, **{name: round(value, 3) for name, value in ours.items()}}))


def _draw(candidates: Sequence[Candidate], seconds: float, seed: int) -> list[Candidate]:
    """Draw candidates until there is enough speech."""
    drawn, total = [], 0.0
    for index in np.random.default_rng(seed).permutation(len(candidates)):
        if total >= seconds:
            break
        drawn.append(candidates[index])
        total += candidates[index].speech_seconds
    return drawn


if __name__ == "__main__":
    main()
