"""The part of benchmarks/decoding.py that runs in pyctcdecode's own environment, which lowres cannot share (numpy 1).

    python decoding_pyctcdecode.py FOLDER

Reads `task.json` and `log_probs.npz` there, decodes, writes `texts.json` and prints the seconds of the processor.
"""

import json
import logging
import sys
import time
from pathlib import Path

import numpy as np


def main() -> None:
    """Decode all utterances with the settings of the task."""
    logging.disable(logging.WARNING)
    from pyctcdecode import build_ctcdecoder

    folder = Path(sys.argv[1])
    task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    with np.load(folder / "log_probs.npz") as stored:
        utterances = [stored[name] for name in stored.files]
    decoder = build_ctcdecoder(
        task["labels"],
        kenlm_model_path=task["arpa"],
        unigrams=task["words"],
        alpha=task["language_weight"] / np.log(10),  # it weighs natural logarithms
        beta=task["word_bonus"],
    )
    started = time.process_time()
    texts = [decoder.decode(log_probs, beam_width=task["beam_size"]) for log_probs in utterances]
    seconds = time.process_time() - started
    (folder / "texts.json").write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    print(seconds)


if __name__ == "__main__":
    main()
