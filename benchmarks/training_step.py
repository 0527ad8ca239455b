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
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from measuring import PRECISIONS, SAMPLE_RATE, Benchmark, choose_clock, count_gflop, print_profile
from torch import Tensor, nn
from torch.nn import functional

from lowres.backbones.transformers_layout import transformers_config
from lowres.model.config import Wav2Vec2Config, preset
from lowres.model.ctc import CTCRecognizer

VOCABULARY_SIZE = 40
TOKENS_PER_SECOND = 12
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

    # Its masking is on unless it is told otherwise.
    numbers = transformers_config(config) | {"vocab_size": VOCABULARY_SIZE, "layerdrop": 0.0}
    model = Wav2Vec2ForCTC(PeerConfig(**numbers, apply_spec_augment=False))

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


def compare(
    benchmark: Benchmark,
    key: str,
    precision: str,
    contenders: list[Contender],
    run: Callable[[Contender], None],
    gflop: float,
) -> None:
    runs = {contender.name: (lambda contender=contender: run(contender)) for contender in contenders}
    benchmark.compare(key, precision, runs, dict.fromkeys(runs, gflop))


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

            key = f"{prefix}{case}_{precision}"
            compare(
                benchmark, key, precision, contenders, run, count_gflop(lambda run=run, peer=contenders[1]: run(peer))
            )
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
    compare(benchmark, "inference_mboshi_mix", "bf16", contenders, run, gflop)


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
    benchmark = Benchmark(options.repetitions, choose_clock("cpu", processor_time=options.processor_time))
    for size in options.sizes:
        compare_size(benchmark, size, options.cases, options.precisions, not options.no_profile)
    if options.mboshi_utterances:
        compare_mboshi_mix(benchmark, options.mboshi_utterances, batch_size=16)
    print(json.dumps(benchmark.ratios))


if __name__ == "__main__":
    main()
