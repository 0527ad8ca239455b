"""One CTC training step and one inference pass against transformers' and torchaudio's wav2vec 2.0, in one process.

    uv run --group bench python benchmarks/training_step.py [--sizes xs base] [--repetitions 7]

Everybody gets the same sizes, the same waveforms, the same precision and the same loss; repetitions are interleaved
(lowres, transformers, torchaudio, lowres, ...) and medians compared, so that a noisy machine is noisy for all. A
training step is forward, CTC loss and backward; the optimizer is not a part of anybody's module. Regularisation is what
fine-tuning publishes (activation dropout 0.1), without masking (torchaudio has none) and without layer drop (chance).
FLOPs are those of transformers' plain formulation, counted by torch; whoever needs fewer is not credited less.
The last line is one JSON object; a ratio is the best peer's time over ours, so above 1 = lowres is ahead.
"""

import argparse
import json
import os
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from lowres.model.config import Wav2Vec2Config, preset
from lowres.model.ctc import CTCRecognizer

SAMPLE_RATE = 16_000
VOCABULARY_SIZE = 40
TOKENS_PER_SECOND = 12
PRECISIONS = {"bf16": torch.bfloat16, "fp32": torch.float32}
# Seconds and how many of Mboshi's dev utterances are that long, for machines without the corpus.
MBOSHI_DEV_SECONDS = {
    1.5: 14,
    2.0: 68,
    2.5: 139,
    3.0: 119,
    3.5: 75,
    4.0: 42,
    4.5: 26,
    5.0: 14,
    5.5: 7,
    6.0: 3,
    6.5: 3,
    7.0: 3,
    7.5: 1,
}

Logits = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Contender:
    """A module and how to get logits (B, T, V) from waveforms (B, S) and num_samples (B,)."""

    name: str
    module: nn.Module
    logits: Logits
    freeze: Callable[[], None]


def build_lowres(config: Wav2Vec2Config) -> Contender:
    model = CTCRecognizer(config, VOCABULARY_SIZE)
    return Contender("lowres", model, lambda x, n: model(x, n).logits, lambda: model.freeze_feature_encoder(True))


def build_transformers(config: Wav2Vec2Config) -> Contender:
    from transformers import Wav2Vec2Config as PeerConfig
    from transformers import Wav2Vec2ForCTC

    channels, kernels, strides = zip(*config.conv_layers, strict=True)
    model = Wav2Vec2ForCTC(
        PeerConfig(
            vocab_size=VOCABULARY_SIZE,
            hidden_size=config.width,
            num_hidden_layers=config.num_layers,
            num_attention_heads=config.num_heads,
            intermediate_size=config.feed_forward_width,
            conv_dim=channels,
            conv_kernel=kernels,
            conv_stride=strides,
            conv_bias=config.conv_bias,
            num_feat_extract_layers=len(channels),
            feat_extract_norm=config.feature_norm,
            do_stable_layer_norm=config.transformer_norm == "pre",
            hidden_dropout=config.dropout,
            activation_dropout=config.activation_dropout,
            attention_dropout=config.attention_dropout,
            feat_proj_dropout=config.input_dropout,
            final_dropout=config.final_dropout,
            layerdrop=0.0,
            apply_spec_augment=False,
        )
    )

    def logits(waveforms: Tensor, num_samples: Tensor) -> Tensor:
        # A mask only where something is padded: the peer's best case.
        mask = None
        if int(num_samples.min()) < waveforms.shape[1]:
            mask = (torch.arange(waveforms.shape[1]) < num_samples[:, None]).long()
        return model(waveforms, attention_mask=mask).logits

    return Contender("transformers", model, logits, model.freeze_feature_encoder)


def build_torchaudio(config: Wav2Vec2Config) -> Contender:
    from torchaudio.models import wav2vec2_model

    model = wav2vec2_model(
        extractor_mode="group_norm" if config.feature_norm == "group" else "layer_norm",
        extractor_conv_layer_config=list(config.conv_layers),
        extractor_conv_bias=config.conv_bias,
        encoder_embed_dim=config.width,
        encoder_projection_dropout=config.input_dropout,
        encoder_pos_conv_kernel=config.positional_kernel,
        encoder_pos_conv_groups=config.positional_groups,
        encoder_num_layers=config.num_layers,
        encoder_num_heads=config.num_heads,
        encoder_attention_dropout=config.attention_dropout,
        encoder_ff_interm_features=config.feed_forward_width,
        encoder_ff_interm_dropout=config.activation_dropout,
        encoder_dropout=config.dropout,
        encoder_layer_norm_first=config.transformer_norm == "pre",
        encoder_layer_drop=0.0,
        aux_num_out=VOCABULARY_SIZE,
    )

    def logits(waveforms: Tensor, num_samples: Tensor) -> Tensor:
        lengths = None if int(num_samples.min()) == waveforms.shape[1] else num_samples
        return model(waveforms, lengths)[0]

    return Contender("torchaudio", model, logits, lambda: model.feature_extractor.requires_grad_(False))


@dataclass(frozen=True)
class Batch:
    waveforms: Tensor
    num_samples: Tensor
    token_ids: Tensor


def make_batch(seconds: list[float]) -> Batch:
    num_samples = torch.tensor([int(length * SAMPLE_RATE) for length in seconds])
    waveforms = torch.zeros(len(seconds), int(num_samples.max()))
    for row, length in zip(waveforms, num_samples.tolist(), strict=True):
        row[:length] = torch.randn(length) * 0.1
    num_tokens = max(1, int(TOKENS_PER_SECOND * min(seconds)))
    return Batch(waveforms, num_samples, torch.randint(1, VOCABULARY_SIZE, (len(seconds), num_tokens)))


def train_step(contender: Contender, batch: Batch, dtype: torch.dtype) -> None:
    contender.module.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        logits = contender.logits(batch.waveforms, batch.num_samples)
    log_probs = functional.log_softmax(logits.float(), dim=-1).transpose(0, 1)
    frames = torch.full((logits.shape[0],), logits.shape[1])
    tokens = torch.full((logits.shape[0],), batch.token_ids.shape[1])
    functional.ctc_loss(log_probs, batch.token_ids, frames, tokens, zero_infinity=True).backward()


def infer(contender: Contender, batches: list[Batch], dtype: torch.dtype) -> None:
    with torch.no_grad(), torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        for batch in batches:
            contender.logits(batch.waveforms, batch.num_samples)


def interleaved_medians(
    runs: dict[str, Callable[[], None]], repetitions: int, clock: Callable[[], float]
) -> dict[str, float]:
    """Seconds of each run; all are run once first, and that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for repetition in range(repetitions + 1):
        for name, run in runs.items():
            start = clock()
            run()
            if repetition:
                seconds[name].append(clock() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def gemm_gflops(dtype: torch.dtype, clock: Callable[[], float], size: int = 2048) -> float:
    a, b = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
    best = min(interleaved_medians({"gemm": lambda: torch.mm(a, b)}, 3, clock)["gemm"] for _ in range(5))
    return 2 * size**3 / best / 1e9


def count_gflop(run: Callable[[], None]) -> float:
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() / 1e9


def mboshi_seconds() -> list[float]:
    """Durations of Mboshi's dev utterances in corpus order."""
    corpora = Path(os.environ.get("LOWRES_CORPORA", Path(__file__).parents[2] / "shared" / "corpora"))
    recordings = sorted(path for path in (corpora / "mboshi" / "dev").glob("*") if path.suffix in {".wav", ".opus"})
    if recordings:
        import soundfile

        return [soundfile.info(path).duration for path in recordings]
    shuffled = [length for length, count in MBOSHI_DEV_SECONDS.items() for _ in range(count)]
    order = torch.randperm(len(shuffled), generator=torch.Generator().manual_seed(0)).tolist()
    return [shuffled[index] for index in order]


def print_profile(title: str, run: Callable[[], None]) -> None:
    run()
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        run()
    print(f"\nwhere the time of {title} goes")
    events = [event for event in profiler.key_averages() if event.self_cpu_time_total > 0]
    total = sum(event.self_cpu_time_total for event in events)
    for event in sorted(events, key=lambda event: -event.self_cpu_time_total)[:12]:
        share = event.self_cpu_time_total / total
        print(f"  {event.key:48s} {event.self_cpu_time_total / 1e3:9.1f} ms {share:6.1%} {event.count:6d} calls")


class Benchmark:
    def __init__(self, repetitions: int, clock: Callable[[], float]) -> None:
        self.repetitions, self.clock = repetitions, clock
        self.ratios: dict[str, float] = {}
        self.peak = {name: gemm_gflops(dtype, clock) for name, dtype in PRECISIONS.items()}
        print(
            f"torch {torch.__version__}, {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"
        )
        print("GEMM 2048^3: " + ", ".join(f"{name} {rate:.0f} GFLOP/s" for name, rate in self.peak.items()))

    def compare(
        self, key: str, precision: str, contenders: list[Contender], run: Callable[[Contender], None], gflop: float
    ) -> None:
        runs = {contender.name: (lambda contender=contender: run(contender)) for contender in contenders}
        medians = interleaved_medians(runs, self.repetitions, self.clock)
        ours = medians["lowres"]
        best_peer = min(value for name, value in medians.items() if name != "lowres")
        self.ratios[f"{key}_ratio"] = round(best_peer / ours, 3)
        print(f"\n{key}: {best_peer / ours:.2f} x the best peer, {gflop:.0f} GFLOP")
        for name, seconds in medians.items():
            rate = gflop / seconds
            share = rate / self.peak[precision]
            print(f"  {name:24s} {seconds * 1e3:9.1f} ms {rate:7.0f} GFLOP/s {share:6.1%} of the GEMM rate")


def compare_size(benchmark: Benchmark, size: str, cases: list[str], precisions: list[str], profiles: bool) -> None:
    prefix = "" if size == "xs" else f"{size}_"
    torch.manual_seed(0)
    batch = make_batch([10.0] * 4)
    for case in cases:
        contenders = [
            build(replace(preset(size), layer_drop=0.0))
            for build in (build_lowres, build_transformers, build_torchaudio)
        ]
        for contender in contenders:
            contender.module.train(case != "inference")
            if case == "train_frozen":
                contender.freeze()
        for precision in precisions:
            dtype = PRECISIONS[precision]

            def run(contender: Contender, dtype: torch.dtype = dtype, case: str = case) -> None:
                if case == "inference":
                    infer(contender, [batch], dtype)
                else:
                    train_step(contender, batch, dtype)

            gflop = count_gflop(lambda run=run, peer=contenders[1]: run(peer))
            key = f"{prefix}{case}_{precision}"
            benchmark.compare(key, precision, contenders, run, gflop)
            if profiles:
                print_profile(f"lowres, {key}", lambda run=run, ours=contenders[0]: run(ours))


def compare_mboshi_mix(benchmark: Benchmark, num_utterances: int, batch_size: int) -> None:
    seconds = mboshi_seconds()[:num_utterances]
    batches = [make_batch(seconds[start : start + batch_size]) for start in range(0, len(seconds), batch_size)]
    padded = sum(batch.waveforms.numel() for batch in batches) / SAMPLE_RATE
    print(f"\nMboshi mix: {len(seconds)} utterances, {sum(seconds):.0f} s of speech, {padded:.0f} s with padding")
    contenders = [build(preset("xs")) for build in (build_lowres, build_transformers)]
    for contender in contenders:
        contender.module.eval()
    gflop = count_gflop(lambda: infer(contenders[1], batches, torch.float32))
    run = lambda contender: infer(contender, batches, torch.bfloat16)  # noqa: E731
    benchmark.compare("inference_mboshi_mix", "bf16", contenders, run, gflop)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="*", default=["xs", "base"])
    parser.add_argument("--cases", nargs="+", default=["train_frozen", "train_all", "inference"])
    parser.add_argument("--precisions", nargs="+", default=list(PRECISIONS))
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--mboshi-utterances", type=int, default=64)
    parser.add_argument("--processor-time", action="store_true", help="one thread's, for a machine that others use too")
    parser.add_argument("--no-profile", action="store_true")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    if options.processor_time:
        torch.set_num_threads(1)
    benchmark = Benchmark(options.repetitions, time.process_time if options.processor_time else time.perf_counter)
    for size in options.sizes:
        compare_size(benchmark, size, options.cases, options.precisions, not options.no_profile)
    if options.mboshi_utterances:
        compare_mboshi_mix(benchmark, options.mboshi_utterances, batch_size=16)
    print(json.dumps(benchmark.ratios))


if __name__ == "__main__":
    main()
