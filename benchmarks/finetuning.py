"""Fine-tuning of one hour of Mboshi against the usual Trainer script of transformers, same weights, in one run.

    uv run --group bench python benchmarks/finetuning.py PROJECT [--sizes xs base] [--adaptation full]
        [--updates N] [--repetitions 3]

PROJECT is a project folder in which Mboshi is prepared (`lowres init --recipe mboshi`, `lowres prepare`). For each size
a backbone with random weights is saved in transformers' format; both sides start from this folder, with the same head,
and make the same number of updates (BASE 20, others 100) of about 60 s of audio on the same utterances, in bf16
autocast where the processor has it and else in fp32, convolutions frozen, with the same learning rate, masking and
dropout. Where there is a GPU both use it, and xlsr_300m and xlsr_1b are for it. With --adaptation adapter both train
bottleneck adapters and the head alone, as MMS does.
Ours is `lowres finetune` as a user runs it, from opening the corpus to the checkpoint; theirs is `trainer.train()`
alone, on input values that lie ready in memory, batches grouped by length. Each runs in a process of its own, in turn,
as often as --repetitions says. The dev loss is computed for both by the same function. The last line is one JSON
object; a ratio is theirs over ours. Memory is the peak of the process, on a GPU that of what was allocated there.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from measuring import SAMPLE_RATE, reset_peak_memory, resident_megabytes
from torch import Tensor
from torch.nn import functional

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
UPDATES = {"xs": 100, "base": 20, "xlsr_300m": 100, "xlsr_1b": 100}
SECONDS_PER_UPDATE = 60.0
MICRO_BATCH_SECONDS = {"xs": 90.0, "base": 34.0, "xlsr_300m": 90.0, "xlsr_1b": 90.0}
"""So that an update of ours, which is cut by seconds, hears as much as theirs, which are cut by number: in one piece at
xs, in two at BASE, near what lowres chooses there for the sake of memory."""
LEARNING_RATE = {"xs": 3e-4, "base": 5e-5, "xlsr_300m": 3e-5, "xlsr_1b": 3e-5}
"""BASE's is fairseq's for one hour; at 3e-4 its first 20 updates are a throw of dice, on both sides."""
ADAPTER_LEARNING_RATE, ADAPTER_WIDTH = 1e-3, 16  # as published for MMS
SPAN_START_PROBABILITY, CHANNEL_SPAN_START_PROBABILITY = 0.065, 0.25 / 64
DEV_UTTERANCES = 64


@dataclass(frozen=True)
class Task:
    """What both sides are to do; `start` is the folder that they begin with."""

    project: Path
    size: str
    adaptation: str
    updates: int
    start: Path

    @property
    def learning_rate(self) -> float:
        """The peak."""
        return ADAPTER_LEARNING_RATE if self.adaptation == "adapter" else LEARNING_RATE[self.size]


@dataclass(frozen=True)
class Speech:
    """Mboshi, read the same way for both: waveforms and token ids, of training and of dev."""

    train: list[tuple[Tensor, list[int]]]
    dev: list[tuple[Tensor, list[int]]]
    vocabulary_size: int


def precision() -> str:
    """Return what both compute in."""
    from lowres.training.precision import has_fast_bf16

    return "bf16" if has_fast_bf16(DEVICE) else "fp32"


def read_speech(project: Path) -> Speech:
    from lowres.audio.shards import ShardReader
    from lowres.manifest.corpus import load_corpus
    from lowres.model.config import preset
    from lowres.recipe import load_recipe
    from lowres.stages.finetune_speech import load_speech

    recipe = load_recipe("mboshi", [], project=project)
    found = load_speech(
        project / "corpus", hours=1.0, vocabulary_settings=recipe.vocabulary, config=preset("xs"), dev_seconds=900.0
    )
    corpus = load_corpus(project / "corpus")
    reader = ShardReader(corpus.folder)

    def read(split: str, ids: list[str]) -> list[tuple[Tensor, list[int]]]:
        rows = corpus.rows(split).set_index("utterance_id").loc[ids]
        return [
            (
                torch.from_numpy(reader.read(row.shard, row.offset_samples, row.num_samples).astype("float32") / 2**15),
                found.vocabulary.encode(row.text),
            )
            for row in rows.itertuples()
        ]

    dev = list(corpus.rows("dev")["utterance_id"])[:DEV_UTTERANCES]
    return Speech(read("train", list(found.utterance_ids)), read("dev", dev), len(found.vocabulary))


def save_start(task: Task, vocabulary_size: int) -> None:
    """Save a network with random weights in transformers' format."""
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

    from lowres.backbones.transformers_layout import transformers_config
    from lowres.model.config import preset

    torch.manual_seed(0)
    adapter_width = ADAPTER_WIDTH if task.adaptation == "adapter" else 0
    numbers = transformers_config(replace(preset(task.size), adapter_width=adapter_width)) | {
        "vocab_size": vocabulary_size,
        "pad_token_id": 0,
        "ctc_loss_reduction": "mean",
        "ctc_zero_infinity": True,
        "layerdrop": 0.0,
        "hidden_dropout": 0.0,
        "attention_dropout": 0.0,
        "activation_dropout": 0.1,
        "feat_proj_dropout": 0.0,
        "final_dropout": 0.0,
        "mask_time_prob": SPAN_START_PROBABILITY * 10,  # theirs is the share of masked frames
        "mask_time_length": 10,
        "mask_feature_prob": CHANNEL_SPAN_START_PROBABILITY * 64,
        "mask_feature_length": 64,
    }
    Wav2Vec2ForCTC(Wav2Vec2Config(**numbers)).save_pretrained(task.start)
    Wav2Vec2FeatureExtractor(do_normalize=False, return_attention_mask=True).save_pretrained(task.start)


def train_lowres(task: Task) -> dict[str, float]:
    from lowres.recipe import load_recipe
    from lowres.stages import finetune_attempt
    from lowres.stages.finetune import FinetuneOptions, finetune

    settings = {
        "backbone": task.start,
        "adaptation": task.adaptation,
        "updates": task.updates,
        "head_only_updates": 0,
        "train_feature_encoder": "false",
        "seconds_per_update": SECONDS_PER_UPDATE,
        "micro_batch_seconds": MICRO_BATCH_SECONDS[task.size],
        "learning_rate": task.learning_rate,
        "time_span_start_probability": SPAN_START_PROBABILITY,
        "channel_span_start_probability": CHANNEL_SPAN_START_PROBABILITY,
        "dropout": 0.0,
        "layer_drop": 0.0,
        "weight_decay": 0.0,
        "constant_share": 0.0,  # theirs begins to lower the rate right after the warm-up, in a straight line to 0
        "initial_scale": 0.0,
        "final_scale": 0.0,
        "evaluate_every_updates": task.updates,
        "dev_seconds": 1.0,  # one utterance: theirs does not evaluate
        "precision": precision(),
        "patience": 0,
    }
    overrides = [f"finetune.{name}={value}" for name, value in settings.items()]
    recipe = load_recipe("mboshi", overrides, project=task.project)
    run = f"benchmark-{task.size}"
    shutil.rmtree(task.project / "runs" / run, ignore_errors=True)
    build_network = finetune_attempt.build_network

    def build_with_their_head(*arguments: Any, **more: Any) -> Any:
        from safetensors.torch import load_file

        model = build_network(*arguments, **more)
        weights = load_file(task.start / "model.safetensors")
        model.head.load_state_dict({"weight": weights["lm_head.weight"], "bias": weights["lm_head.bias"]})
        return model

    finetune_attempt.build_network = build_with_their_head
    reset_peak_memory()
    began = time.perf_counter()
    result = finetune(task.project, recipe, FinetuneOptions(hours=1.0, run=run))
    seconds, peak = time.perf_counter() - began, peak_megabytes()

    from lowres.backbones.native import load_recognizer
    from lowres.stages.backbone import find_backbone

    find = partial(find_backbone, task.project)
    model = load_recognizer(result.folder / "checkpoints" / "last", find_backbone=find).model.to(DEVICE)
    shutil.rmtree(result.folder)
    loss = dev_loss(
        read_speech(task.project).dev,
        lambda waveform: model(waveform[None], torch.tensor([len(waveform)], device=DEVICE)).logits[0],
    )
    hours = result.record.hours_processed
    return {"seconds": seconds, "peak_megabytes": peak, "dev_loss": loss, "audio_seconds": hours * 3600}


def train_transformers(task: Task) -> dict[str, float]:
    """Train as the usual script does: input values made beforehand, padded in a collator, grouped by length."""
    from transformers import Trainer, TrainingArguments, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

    speech = read_speech(task.project)
    extractor = Wav2Vec2FeatureExtractor.from_pretrained(task.start)
    examples = [{"input_values": waveform.numpy(), "labels": labels} for waveform, labels in speech.train]
    mean_seconds = statistics.fmean(len(waveform) for waveform, _ in speech.train) / SAMPLE_RATE
    batch_size = round(SECONDS_PER_UPDATE / mean_seconds)

    def collate(features: list[dict[str, Any]]) -> dict[str, Tensor]:
        batch = extractor.pad([{"input_values": one["input_values"]} for one in features], return_tensors="pt")
        longest = max(len(one["labels"]) for one in features)
        rows = [one["labels"] + [-100] * (longest - len(one["labels"])) for one in features]
        return {**batch, "labels": torch.tensor(rows)}

    model = Wav2Vec2ForCTC.from_pretrained(task.start)
    model.freeze_feature_encoder()
    if task.adaptation == "adapter":
        model.freeze_base_model()
        for parameter in model._get_adapters().values():  # the head among them
            parameter.requires_grad = True
    with tempfile.TemporaryDirectory(prefix="lowres-benchmark-") as output:
        arguments = TrainingArguments(
            output_dir=output,
            max_steps=task.updates,
            per_device_train_batch_size=batch_size,
            train_sampling_strategy="group_by_length",
            learning_rate=task.learning_rate,
            warmup_steps=task.updates // 10,
            adam_beta2=0.98,
            bf16=precision() == "bf16",
            use_cpu=DEVICE == "cpu",
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            seed=1,
        )
        trainer = Trainer(
            model=model, args=arguments, train_dataset=examples, data_collator=collate, processing_class=extractor
        )
        reset_peak_memory()
        began = time.perf_counter()
        trainer.train()
        seconds, peak = time.perf_counter() - began, peak_megabytes()
    model.eval()
    loss = dev_loss(speech.dev, lambda waveform: model(waveform[None]).logits[0])
    return {
        "seconds": seconds,
        "peak_megabytes": peak,
        "dev_loss": loss,
        "audio_seconds": task.updates * batch_size * mean_seconds,
    }


def dev_loss(dev: list[tuple[Tensor, list[int]]], logits_of: Callable[[Tensor], Tensor]) -> float:
    """Mean CTC loss per token over dev, in float32."""
    total, tokens = 0.0, 0
    with torch.no_grad():
        for waveform, labels in dev:
            log_probs = functional.log_softmax(logits_of(waveform.to(DEVICE)).float().cpu(), dim=-1)[:, None]
            lengths = torch.tensor([len(log_probs)]), torch.tensor([len(labels)])
            total += float(functional.ctc_loss(log_probs, torch.tensor([labels]), *lengths, reduction="sum"))
            tokens += len(labels)
    return total / tokens


def peak_megabytes() -> float:
    """Return the most memory that was in use since `reset_peak_memory`, of the process or on its GPU."""
    return torch.cuda.max_memory_allocated() / 1e6 if DEVICE == "cuda" else resident_megabytes("VmHWM")


SIDES = {"lowres": train_lowres, "transformers": train_transformers}


def compare(task: Task, repetitions: int) -> dict[str, float]:
    found: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory(prefix="lowres-benchmark-") as folder:
        task = replace(task, start=Path(folder))
        save_start(task, read_speech(task.project).vocabulary_size)
        for _ in range(repetitions):
            for side in SIDES:
                command = [sys.executable, __file__, str(task.project), "--side", side, "--sizes", task.size]
                command += ["--adaptation", task.adaptation, "--updates", str(task.updates), "--start", folder]
                output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
                found[side].append(json.loads(output.strip().splitlines()[-1]))
    medians = {
        side: {key: statistics.median(one[key] for one in runs) for key in runs[0]} for side, runs in found.items()
    }
    print(f"\n{task.size}, {task.adaptation}, {precision()}, {DEVICE}: {task.updates} updates, median of {repetitions}")
    for side, one in medians.items():
        print(
            f"  {side:14s} {one['seconds']:7.1f} s for {one['audio_seconds']:5.0f} s of audio "
            f"({one['audio_seconds'] / one['seconds']:5.1f} times real time), peak {one['peak_megabytes']:6.0f} MB, "
            f"dev loss per token {one['dev_loss']:.3f}"
        )
    ours, theirs = (medians[side] for side in SIDES)
    name = task.size if task.adaptation == "full" else f"{task.size}_{task.adaptation}"
    return {
        f"{name}_ratio": round(theirs["seconds"] / ours["seconds"], 3),
        f"{name}_memory_ratio": round(theirs["peak_megabytes"] / ours["peak_megabytes"], 3),
        f"{name}_dev_loss_ratio": round(theirs["dev_loss"] / ours["dev_loss"], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--sizes", nargs="+", choices=list(UPDATES), default=["xs", "base"])
    parser.add_argument("--adaptation", choices=["full", "adapter"], default="full")
    parser.add_argument("--updates", type=int, help="in place of the usual number, for a try")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--side", choices=list(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--start", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    tasks = [
        Task(options.project.resolve(), size, options.adaptation, options.updates or UPDATES[size], options.start)
        for size in options.sizes
    ]
    if options.side:
        print(json.dumps(SIDES[options.side](tasks[0])))
        return
    ratios: dict[str, float] = {}
    for task in tasks:
        ratios |= compare(task, options.repetitions)
    print(json.dumps(ratios))


if __name__ == "__main__":
    main()
