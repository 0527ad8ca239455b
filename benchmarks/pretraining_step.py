"""One pretraining step against transformers' Wav2Vec2ForPreTraining, in one process, in turn.

    uv run --group bench python benchmarks/pretraining_step.py [--cases xs-bf16 xs-fp32 base-bf16] [--device cuda]

A step is drawing masks, distractors and Gumbel noise, forward, losses and backward; the optimizer is no part of it.
Both get the same waveforms, sizes, precision and regularisation (no layer drop, which is chance); the peer draws masks
and distractors with its own functions, as its pretraining example does. Ours has the latent penalty and the gradient
scaling besides, which the peer does not know. Repetitions alternate and medians are compared. Each is credited with the
FLOPs of its own matrix products and convolutions, counted by torch: the peer quantises and projects all frames, we the
masked ones.

Memory is the rise of a process's resident memory over that after building the network and the batch, through two steps
(so the gradients of the weights are part of it), each contender in a process of its own; on a GPU, of what PyTorch has
allocated. The last line is one JSON object; a ratio is the peer's time or memory over ours, so above 1 = lowres is
ahead.
"""

import argparse
import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from measuring import PRECISIONS, SAMPLE_RATE, Benchmark, Run, choose_clock, count_gflop, peak_megabytes, print_profile
from torch import Tensor

from lowres.backbones.transformers_layout import transformers_config, transformers_quantizer_config
from lowres.model.config import QuantizerConfig, Wav2Vec2Config, preset
from lowres.model.pretraining import PretrainingNetwork
from lowres.training.precision import Compute
from lowres.training.self_supervision import LossWeights, pretraining_loss_function

GUMBEL_TEMPERATURE = 2.0
QUANTIZER = QuantizerConfig()
WEIGHTS = LossWeights()


@dataclass(frozen=True)
class Case:
    """One comparison."""

    size: str
    precision: str
    num_utterances: int
    seconds: float
    device: str

    @property
    def config(self) -> Wav2Vec2Config:
        return replace(preset(self.size), layer_drop=0.0, channel_span_start_probability=0.0)


@dataclass(frozen=True)
class Speech:
    waveforms: Tensor
    num_samples: Tensor


def make_speech(case: Case) -> Speech:
    num_samples = int(case.seconds * SAMPLE_RATE)
    generator = torch.Generator().manual_seed(0)
    waveforms = torch.randn(case.num_utterances, num_samples, generator=generator) * 0.1
    return Speech(waveforms.to(case.device), torch.full((case.num_utterances,), num_samples))


def build_lowres(case: Case) -> Run:
    torch.manual_seed(0)
    network = PretrainingNetwork(case.config, QUANTIZER).to(case.device).train()
    compute = Compute(case.device, "bf16" if case.precision == "bf16" else "fp32")
    loss_of = pretraining_loss_function(network, case.config, QUANTIZER, compute, WEIGHTS)
    speech = make_speech(case)
    generators = [torch.Generator().manual_seed(index) for index in range(case.num_utterances)]

    def step() -> None:
        network.zero_grad(set_to_none=True)
        loss_of(speech, generators, GUMBEL_TEMPERATURE).total.backward()

    return step


def build_transformers(case: Case) -> Run:
    from transformers import Wav2Vec2Config as PeerConfig
    from transformers import Wav2Vec2ForPreTraining
    from transformers.models.wav2vec2.modeling_wav2vec2 import _compute_mask_indices, _sample_negative_indices

    torch.manual_seed(0)
    config = case.config
    network = Wav2Vec2ForPreTraining(
        PeerConfig(
            **transformers_config(config),
            **transformers_quantizer_config(QUANTIZER),
            num_negatives=WEIGHTS.num_distractors,
            contrastive_logits_temperature=WEIGHTS.temperature,
            diversity_loss_weight=WEIGHTS.diversity,
        )
    )
    network.to(case.device).train()
    network.set_gumbel_temperature(GUMBEL_TEMPERATURE)
    speech = make_speech(case)

    def step() -> None:
        network.zero_grad(set_to_none=True)
        shape = (case.num_utterances, int(network._get_feat_extract_output_lengths(speech.waveforms.shape[1])))
        # Its mask_prob is the paper's p times the span length.
        probability = config.span_start_probability * config.span_length
        mask = _compute_mask_indices(shape, probability, config.span_length, min_masks=1)
        negatives = _sample_negative_indices(shape, WEIGHTS.num_distractors, mask)
        with torch.autocast(case.device, PRECISIONS[case.precision], enabled=case.precision != "fp32"):
            output = network(
                speech.waveforms,
                mask_time_indices=torch.tensor(mask, dtype=torch.long, device=case.device),
                sampled_negative_indices=torch.tensor(negatives, dtype=torch.long, device=case.device),
            )
        output.loss.backward()

    return step


BUILDERS: dict[str, Callable[[Case], Run]] = {"lowres": build_lowres, "transformers": build_transformers}


def compare_case(benchmark: Benchmark, case: Case, profiles: bool) -> None:
    runs = {name: build(case) for name, build in BUILDERS.items()}
    key = f"{case.size}_{case.precision}"
    seconds = benchmark.compare(key, case.precision, runs, {name: count_gflop(run) for name, run in runs.items()})
    audio = case.num_utterances * case.seconds
    print(f"  lowres: {1 / seconds:.2f} steps per second, {audio / seconds:.0f} times real time")
    if profiles:
        print_profile(f"lowres, {key}", runs["lowres"], case.device)


def measure_memory(case: Case, name: str) -> float:
    run = BUILDERS[name](case)

    def two_steps() -> None:
        run()
        run()

    return peak_megabytes(two_steps, case.device)


def compare_memory(benchmark: Benchmark, case: Case) -> None:
    megabytes = {}
    for name in BUILDERS:
        arguments = [f"--cases={case.size}-{case.precision}", f"--utterances={case.num_utterances}"]
        arguments += [f"--seconds={case.seconds}", f"--device={case.device}", f"--memory-of={name}"]
        arguments.append(f"--threads={torch.get_num_threads()}")
        child = subprocess.run([sys.executable, __file__, *arguments], check=True, capture_output=True, text=True)
        megabytes[name] = float(child.stdout.splitlines()[-1])
    ratio = megabytes["transformers"] / megabytes["lowres"]
    benchmark.ratios[f"{case.size}_memory_ratio"] = round(ratio, 3)
    print(f"\n{case.size}, {case.precision}, peak memory of a step: the peer's is {ratio:.2f} x ours")
    for name, value in megabytes.items():
        print(f"  {name:24s} {value:9.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", default=["xs-bf16", "xs-fp32", "base-bf16"], help="SIZE-PRECISION")
    parser.add_argument("--memory-cases", nargs="*", default=["xs-bf16", "base-bf16"], help="one precision a size")
    parser.add_argument("--utterances", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each utterance")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, help="of the processor; by default as many as PyTorch takes")
    parser.add_argument("--processor-time", action="store_true", help="one thread's, for a machine that others use too")
    parser.add_argument("--no-profile", action="store_true")
    parser.add_argument("--memory-of", choices=list(BUILDERS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    if options.threads or options.processor_time:
        torch.set_num_threads(options.threads or 1)

    def case_of(name: str) -> Case:
        size, _, precision = name.rpartition("-")
        return Case(size, precision, options.utterances, options.seconds, options.device)

    if options.memory_of:
        print(measure_memory(case_of(options.cases[0]), options.memory_of))
        return
    clock = choose_clock(options.device, processor_time=options.processor_time)
    benchmark = Benchmark(options.repetitions, clock, options.device)
    for name in options.cases:
        compare_case(benchmark, case_of(name), not options.no_profile)
    for name in options.memory_cases:
        compare_memory(benchmark, case_of(name))
    print(json.dumps(benchmark.ratios))


if __name__ == "__main__":
    main()
