"""How fast `lowres prepare` decodes, resamples, measures, hashes and writes: hours of audio per hour and core.

    uv run --group bench python benchmarks/prepare.py [--minutes 20] [--corpora ../shared/corpora]

One process makes parts exactly as a worker of `prepare` does, from recordings of five seconds (as in a corpus of read
sentences) in several formats: synthesised here, and real Mboshi ones where they are at hand. Speed is by processor
time, best of three; wall time beside it shows how busy the machine was. The last line is JSON.
"""

import argparse
import cProfile
import json
import os
import pstats
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.parts import RecordingJob, make_part

RECORDING_SECONDS = 5.0
ROUNDS = 3
GOALS = {"wav16k": 400, "flac16k": 400, "opus16k": 400, "mboshi_opus16k": 400, "mp3_44k": 150, "wav_44k_stereo": 150}


@dataclass(frozen=True)
class Speed:
    """One format's figures: `hours` of audio, and the seconds it took the processor and the clock."""

    hours: float
    cpu_seconds: float
    wall_seconds: float

    @property
    def hours_per_hour(self) -> float:
        """Hours of audio per hour of processor time."""
        return self.hours * 3600 / self.cpu_seconds


def synthesise_voice(sample_rate: int, seed: int) -> np.ndarray:
    """Return (S,) float32 of something like speech: a buzz with formants, hisses, pauses, a noisy room."""
    generator = np.random.default_rng(seed)
    times = np.arange(int(RECORDING_SECONDS * sample_rate)) / sample_rate
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * times + seed)
    phase = 2 * np.pi * np.cumsum(pitch) / sample_rate
    buzz = sum(np.sin(k * phase) / k * (1 + np.cos(2 * np.pi * (k * 0.13 + 1.5 * times))) for k in range(1, 25))
    syllables = np.clip(np.sin(2 * np.pi * 2.5 * times + seed), 0, 1) ** 0.5
    hiss = generator.standard_normal(times.size) * np.clip(np.sin(2 * np.pi * 2.5 * times + 2.5 + seed), 0, 1) ** 4
    voice = 0.06 * buzz * syllables + 0.02 * hiss + 0.001 * generator.standard_normal(times.size)
    return np.asarray(voice, dtype=np.float32)


def write_recordings(folder: Path, number: int) -> dict[str, list[Path]]:
    """Write `number` recordings in each format and return their paths by format."""
    formats: dict[str, tuple[str, int, int, dict[str, str]]] = {
        "wav16k": ("wav", 16_000, 1, {"subtype": "PCM_16"}),
        "flac16k": ("flac", 16_000, 1, {}),
        "opus16k": ("opus", 16_000, 1, {"format": "OGG", "subtype": "OPUS"}),
        "mp3_44k": ("mp3", 44_100, 1, {}),
        "wav_44k_stereo": ("wav", 44_100, 2, {"subtype": "PCM_16"}),
    }
    # Forty voices are enough variety, and synthesising them takes longer than decoding them.
    voices = {rate: [synthesise_voice(rate, seed) for seed in range(40)] for rate in (16_000, 44_100)}
    paths: dict[str, list[Path]] = {}
    for name, (suffix, rate, channels, options) in formats.items():
        (folder / name).mkdir()
        for index in range(number):
            voice = voices[rate][index % 40]
            path = folder / name / f"{index:05d}.{suffix}"
            soundfile.write(path, np.stack([voice] * channels, axis=1), rate, **options)
            paths.setdefault(name, []).append(path)
    return paths


def measure(paths: Sequence[Path], folder: Path) -> Speed:
    """Make a part of these recordings three times and return the best."""
    jobs = [RecordingJob(path, path.name, None, path.stat().st_size, 0, ((0.0, None),)) for path in paths]
    best: Speed | None = None
    for _ in range(ROUNDS):
        cpu, wall = time.process_time(), time.perf_counter()
        result = make_part(folder / "part.pcm", jobs)
        speed = Speed(result.num_samples / SAMPLE_RATE / 3600, time.process_time() - cpu, time.perf_counter() - wall)
        if best is None or speed.cpu_seconds < best.cpu_seconds:
            best = speed
    assert best is not None
    return best


def profile(run: Callable[[], object]) -> None:
    """Print where the time of one run goes."""
    profiler = cProfile.Profile()
    profiler.runcall(run)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(12)


def main() -> None:
    """Synthesise, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, help="audio per format")
    parser.add_argument("--corpora", type=Path, default=Path(os.environ.get("LOWRES_CORPORA", "../shared/corpora")))
    parser.add_argument("--profile", default="", help="also profile this format, such as opus16k")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = write_recordings(folder, max(1, int(options.minutes * 60 / RECORDING_SECONDS)))
        real = sorted((options.corpora / "mboshi" / "train").glob("*.opus"))[: int(options.minutes * 60 / 3)]
        if real:
            paths["mboshi_opus16k"] = real
        print(f"{'format':<16}{'hours':>7}{'cpu s':>8}{'wall s':>8}{'hours per hour and core':>26}{'goal':>6}")
        speeds = {}
        for kind, of_kind in paths.items():
            speeds[kind] = speed = measure(of_kind, folder)
            print(
                f"{kind:<16}{speed.hours:>7.2f}{speed.cpu_seconds:>8.2f}{speed.wall_seconds:>8.2f}"
                f"{speed.hours_per_hour:>26.0f}{GOALS[kind]:>6}"
            )
        if options.profile:
            chosen = paths[options.profile]
            profile(lambda: measure(chosen, folder))
    figures = {f"{kind}_hours_per_hour_per_core": round(speed.hours_per_hour, 1) for kind, speed in speeds.items()}
    figures |= {f"{kind}_goal_ratio": round(speed.hours_per_hour / GOALS[kind], 3) for kind, speed in speeds.items()}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
