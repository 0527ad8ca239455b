"""The text of a whole dev split from lowres, from transformers and from onnxruntime, by the same recogniser.

    uv run --group bench python benchmarks/exported.py PROJECT RUN

Exports the run's best checkpoint both ways, transcribes every dev utterance three times, in float32 and one at a time,
and names the utterances whose text differs. The last line is one JSON object: a ratio of 1 means that all texts agree.
"""

import argparse
import json
import tempfile
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from measuring import SAMPLE_RATE


def texts_of_lowres(project: Path, run: str, waveforms: list[np.ndarray]) -> list[str]:
    from functools import partial

    from lowres.backbones.native import load_recognizer
    from lowres.decoding.greedy import greedy_decode
    from lowres.stages.backbone import find_backbone
    from lowres.stages.export import find_checkpoint

    recognizer = load_recognizer(find_checkpoint(project, run), find_backbone=partial(find_backbone, project))
    texts = []
    with torch.no_grad():
        for waveform in waveforms:
            output = recognizer.model(torch.from_numpy(waveform)[None], torch.tensor([len(waveform)]))
            (found,) = greedy_decode(output.log_probs, output.num_frames)
            texts.append(recognizer.vocabulary.decode(found.token_ids))
    return texts


def texts_of_transformers(folder: Path, waveforms: list[np.ndarray]) -> list[str]:
    from transformers import AutoModelForCTC, Wav2Vec2Processor

    model, processor = AutoModelForCTC.from_pretrained(folder).eval(), Wav2Vec2Processor.from_pretrained(folder)
    texts = []
    with torch.no_grad():
        for waveform in waveforms:
            inputs = processor(waveform, sampling_rate=SAMPLE_RATE, return_tensors="pt")
            texts.append(processor.batch_decode(model(**inputs).logits.argmax(-1))[0])
    return texts


def texts_of_onnxruntime(file: Path, waveforms: list[np.ndarray]) -> list[str]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file))
    labels = json.loads(session.get_modelmeta().custom_metadata_map["vocabulary"])
    texts = []
    for waveform in waveforms:
        (log_probs,) = session.run(None, {"waveform": waveform[None]})
        texts.append("".join(labels[best] for best, _ in groupby(log_probs[0].argmax(-1))).strip())
    return texts


def read_dev(project: Path) -> tuple[list[str], list[np.ndarray]]:
    from lowres.audio.shards import ShardReader
    from lowres.manifest.corpus import load_corpus

    corpus = load_corpus(project / "corpus")
    rows, reader = corpus.rows("dev"), ShardReader(corpus.folder)
    waveforms = [
        reader.read(row.shard, row.offset_samples, row.num_samples).astype(np.float32) / 2**15
        for row in rows.itertuples()
    ]
    return rows["utterance_id"].tolist(), waveforms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("run")
    options = parser.parse_args()
    from lowres.stages.export import export

    names, waveforms = read_dev(options.project)
    with tempfile.TemporaryDirectory(prefix="lowres-benchmark-") as folder:
        targets = {"transformers": Path(folder) / "transformers", "onnx": Path(folder) / "recognizer.onnx"}
        for to, target in targets.items():
            export(options.project, options.run, target, to)
        ours = texts_of_lowres(options.project, options.run, waveforms)
        theirs = {
            "transformers": texts_of_transformers(targets["transformers"], waveforms),
            "onnx": texts_of_onnxruntime(targets["onnx"], waveforms),
        }
    print(f"{len(names)} utterances, {sum(map(len, waveforms)) / SAMPLE_RATE / 3600:.2f} h; such as {ours[0]!r}")
    ratios = {}
    for program, texts in theirs.items():
        differing = [name for name, mine, other in zip(names, ours, texts, strict=True) if mine.strip() != other]
        print(f"{program}: {len(names) - len(differing)} texts alike", *differing[:5])
        ratios[f"{program}_same_text_ratio"] = round(1 - len(differing) / len(names), 4)
    print(json.dumps(ratios))


if __name__ == "__main__":
    main()
