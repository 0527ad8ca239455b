"""Long recordings: hours of audio per hour and peak memory, beside transformers' speech recognition pipeline.

    uv run --group bench python benchmarks/transcribing.py [--minutes 60] [--repetitions 3] [--long]
        [--networks base xs] [--peer-precisions fp32]

Recordings are joined from LOWRES_CORPORA (else ../shared/corpora, else bursts of noise) into one of --minutes. Each
contender transcribes it in a process of its own, in turn, the order changing each time, on all cores and greedily, with
the times of words. Networks of random weights, the same in both (`lowres export --to transformers`): BASE, which has 94
million parameters, and the preset xs. The pipeline gets chunk_length_s = 20 with strides of 4 s on both sides, the
samples already decoded, and in int8 with PyTorch's dynamic quantisation of its linear layers; ours reads the file, with
pieces of 20 s, once taking everything for speech as the pipeline does, and once with the built-in detector, which
leaves silence out. Loading is not timed. Memory is the peak of the
whole process. The log-mel network of `lowres-small` is timed for our side alone; it has no twin in transformers. --long
adds a recording of ten hours to those whose memory is compared. The last line is JSON; above 1 = lowres is ahead.
`ratio` is that of the first network: the pipeline as it comes, in fp32, against ours in the fastest precision of this
machine, everything taken for speech; `ratio_with_detector` the same with silence left out by ours.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import numpy as np
import soundfile
import torch
from measuring import SAMPLE_RATE, print_profile, resident_megabytes

from lowres.model.int8 import is_int8_here
from lowres.training.precision import has_fast_bf16

REPOSITORY = Path(__file__).resolve().parents[1]
NETWORKS = ("base", "xs")
LETTERS = "abcdefghijklmnopqrstuvwxyz ɛɔŋ"
DETECTORS = ("none", "energy")
PRECISIONS = ("fp32", "bf16", "int8")


def write_networks(project: Path) -> None:
    """Write runs with random weights, and their exports."""
    from lowres.backbones.checkpoint_folder import CheckpointMetadata, write_checkpoint
    from lowres.model.config import preset, to_dict
    from lowres.model.ctc import CTCRecognizer
    from lowres.stages.export import export
    from lowres.text.vocabulary import VocabularySettings, build_vocabulary

    vocabulary = build_vocabulary([LETTERS], VocabularySettings())
    for name in (*NETWORKS, "xs_mel"):
        torch.manual_seed(1)
        config = preset(name)
        model = CTCRecognizer(config, len(vocabulary)).eval()
        metadata = CheckpointMetadata(
            kind="recognizer",
            model_config=to_dict(config),
            vocabulary=vocabulary.to_json(),
            vocabulary_sha256=vocabulary.hash,
            step=0,
            training={},
        )
        write_checkpoint(project / "runs" / name / "checkpoints" / "best", model.state_dict(), metadata)
        if name in NETWORKS:
            export(project, name, project / "exports" / name, "transformers")


def speech() -> Iterator[np.ndarray]:
    """Yield recordings without end: those of the corpora, else noise that comes and goes."""
    folder = Path(os.environ.get("LOWRES_CORPORA", REPOSITORY.parent / "shared" / "corpora"))
    paths = sorted(path for path in folder.rglob("*.wav") if soundfile.info(path).samplerate == SAMPLE_RATE)[::7]
    if not paths:
        generator = np.random.default_rng(0)
        while True:
            loudness = np.repeat(generator.uniform(0, 0.2, 40) * (generator.uniform(size=40) > 0.3), 4000)
            yield (generator.standard_normal(160_000) * loudness).astype(np.float32)
    for path in cycle(paths[:2000]):
        yield soundfile.read(path, dtype="float32", always_2d=True)[0].mean(axis=1)


def write_recording(path: Path, minutes: float) -> Path:
    """Join recordings into one of so many minutes."""
    missing = round(minutes * 60 * SAMPLE_RATE)
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, subtype="PCM_16") as file:
        for samples in speech():
            file.write(samples[:missing])
            missing -= len(samples[:missing])
            if not missing:
                return path
    raise AssertionError("speech never ends")


def transcribe_with_lowres(project: Path, network: str, recording: Path, precision: str, detector: str) -> float:
    """Return the seconds that it took."""
    from lowres.audio.stretch_plan import stretches_up_to
    from lowres.stages.transcribe_listener import transcribe_recording
    from lowres.stages.transcribe_work import ListenerSpec, open_listener

    spec = ListenerSpec(
        project,
        project / "runs" / network / "checkpoints" / "best",
        precision=precision,
        detector=None if detector == "none" else detector,
        stretches=stretches_up_to(20.0),
    )
    listener = open_listener(spec, 1).listener
    began = time.perf_counter()
    transcript = transcribe_recording(listener, recording)
    seconds = time.perf_counter() - began
    assert sum(len(one.words) for one in transcript.utterances) >= 0
    return seconds


def transcribe_with_transformers(project: Path, network: str, recording: Path, precision: str) -> float:
    """Return the seconds that it took."""
    from transformers import pipeline

    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    recogniser = pipeline(
        "automatic-speech-recognition", model=str(project / "exports" / network), device="cpu", dtype=dtype
    )
    if precision == "int8":
        recogniser.model = torch.ao.quantization.quantize_dynamic(recogniser.model, {torch.nn.Linear}, torch.qint8)
    samples, _ = soundfile.read(recording, dtype="float32")
    began = time.perf_counter()
    recogniser(samples, chunk_length_s=20, stride_length_s=4, return_timestamps="word")
    return time.perf_counter() - began


def be_a_child(contender: str, project: Path, network: str, recording: Path, precision: str) -> None:
    """Transcribe once and say what it cost."""
    if contender == "transformers":
        seconds = transcribe_with_transformers(project, network, recording, precision)
    else:
        seconds = transcribe_with_lowres(project, network, recording, precision, contender)
    print(json.dumps({"seconds": seconds, "megabytes": resident_megabytes("VmHWM")}))


def ask(contender: str, project: Path, network: str, recording: Path, precision: str) -> tuple[float, float]:
    """Return seconds and megabytes of a process of its own."""
    command = [sys.executable, __file__, "--child", contender, str(project), network, str(recording), precision]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{contender} failed:\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return found["seconds"], found["megabytes"]


def compare(
    contenders: list[str], project: Path, network: str, recording: Path, precision: str, repetitions: int
) -> dict[str, tuple[float, float]]:
    """Return the median seconds and the largest memory of each contender; the order turns round each time."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for number in range(repetitions):
        for name in contenders if number % 2 == 0 else contenders[::-1]:
            found[name].append(ask(name, project, network, recording, precision))
    medians = {
        name: (statistics.median(seconds for seconds, _ in each), max(megabytes for _, megabytes in each))
        for name, each in found.items()
    }
    length = soundfile.info(recording).duration
    for name, (seconds, megabytes) in medians.items():
        whose = "transformers" if name == "transformers" else f"lowres, --vad {name}"
        print(
            f"| {network} | {precision} | {whose} | {length / 60:.0f} min | {seconds:.1f} s | {length / seconds:.1f} | "
            f"{megabytes:,.0f} MB |",
            flush=True,
        )
    return medians


def profile_ours(project: Path, recording: Path) -> None:
    """Show where our time goes."""
    for precision in precisions():
        print_profile(
            f"BASE, {precision}",
            lambda kind=precision: transcribe_with_lowres(project, "base", recording, kind, "none"),
        )


def precisions() -> tuple[str, ...]:
    """Return those that this machine computes in."""
    return ("fp32", *(("bf16",) if has_fast_bf16("cpu") else ()), *(("int8",) if is_int8_here() else ()))


def measure_speed(project: Path, options: argparse.Namespace) -> dict[str, float]:
    """Print the table of both programs; return the ratios."""
    ratios: dict[str, float] = {}
    recording = write_recording(project / "recording.wav", options.minutes)
    if options.profile:
        profile_ours(project, recording)
    print("| network | precision | program | audio | time | hours of audio per hour | peak memory |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for network in options.networks:
        peer_as_it_comes = 0.0
        for precision in precisions():
            has_peer = precision in options.peer_precisions
            contenders = [*(("transformers",) if has_peer else ()), *DETECTORS]
            found = compare(contenders, project, network, recording, precision, options.repetitions)
            if has_peer:
                peer, ours = found["transformers"], found["none"]
                peer_as_it_comes = peer_as_it_comes or peer[0]  # fp32 comes first
                ratios[f"{network}_{precision}_speed_ratio"] = round(peer[0] / ours[0], 3)
                ratios[f"{network}_{precision}_with_detector_speed_ratio"] = round(peer[0] / found["energy"][0], 3)
                ratios[f"{network}_{precision}_memory_ratio"] = round(peer[1] / ours[1], 3)
            for ratio, detector in (("ratio", "none"), ("ratio_with_detector", "energy")):
                against_fp32 = round(peer_as_it_comes / found[detector][0], 3)
                ratios[f"{network}_{precision}_against_fp32_{ratio}"] = against_fp32
                if network == options.networks[0]:
                    ratios[ratio] = max(ratios.get(ratio, 0.0), against_fp32)
    return ratios


def measure_memory(project: Path, options: argparse.Namespace) -> dict[str, float]:
    """Time the log-mel network, and see whether its memory grows with the recording."""
    ratios: dict[str, float] = {}
    for precision in precisions():
        compare(list(DETECTORS), project, "xs_mel", project / "recording.wav", precision, options.repetitions)
    for detector in DETECTORS:
        peaks = []
        for minutes in (10.0, 60.0, *((600.0,) if options.long else ())):
            minutes *= options.scale
            long = write_recording(project / "long.wav", minutes)
            peaks.append(compare([detector], project, "xs_mel", long, "fp32", 1)[detector][1])
        ratios[f"{detector}_flat_memory_ratio"] = round(peaks[0] / peaks[-1], 3)
    return ratios


def main() -> None:
    """Measure, or be one of those that are measured."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command `lowres` sets it; for both
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument(
        "--peer-precisions", nargs="+", choices=PRECISIONS, default=list(PRECISIONS), help="fp32 among them"
    )
    parser.add_argument("--long", action="store_true", help="also ten hours, for the memory")
    parser.add_argument("--profile", action="store_true", help="first show where our time goes")
    parser.add_argument("--scale", type=float, default=1.0, help="of the lengths whose memory is compared, for a try")
    parser.add_argument("--child", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        contender, project, network, recording, precision = options.child
        be_a_child(contender, Path(project), network, Path(recording), precision)
        return
    with tempfile.TemporaryDirectory() as place:
        write_networks(Path(place))
        print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {os.uname().machine}")
        ratios = measure_speed(Path(place), options) | measure_memory(Path(place), options)
    print(json.dumps({"minutes": options.minutes, "repetitions": options.repetitions, **ratios}))


if __name__ == "__main__":
    main()
