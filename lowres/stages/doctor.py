"""Find out what works on this machine, by trying it, and say how to mend what does not."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lowres import __version__
from lowres.errors import AudioError, LowresError
from lowres.stages.machine import num_cores
from lowres.training.machine_memory import machine_memory_gb

Verdict = Literal["good", "note", "broken"]

# Written and read back by the doctor: every format that a phone, a recorder or an archive hands out without ffmpeg.
SOUNDFILE_FORMATS = (
    ("wav", "WAV", "PCM_16"),
    ("flac", "FLAC", "PCM_16"),
    ("ogg", "OGG", "VORBIS"),
    ("opus", "OGG", "OPUS"),
    ("mp3", "MP3", "MPEG_LAYER_III"),
)
LITTLE_MEMORY_GB = 4.0
LITTLE_DISK_GB = 5.0
_TRIAL_SAMPLE_RATE = 48_000


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    subject: str
    verdict: Verdict
    """good; note: lowres works, with something missing; broken: lowres cannot do its main job."""
    detail: str
    remedy: str = ""
    """What to do; empty when there is nothing to do."""


def examine_machine(project: Path) -> list[Finding]:
    """Run every check; a check that fails unexpectedly becomes a finding itself, so this never raises.

    Args:
        project: the project folder, for the disk it lies on.

    Returns:
        Findings in the order they are best read, the essential ones first.
    """
    checks: list[tuple[str, Callable[[], list[Finding]]]] = [
        ("python", _check_python),
        ("torch", _check_torch),
        ("torchaudio", _check_torchaudio),
        ("processor", _check_processor),
        ("GPU", _check_gpu),
        ("memory", _check_memory),
        ("disk", lambda: _check_disk(project)),
        ("audio formats", _check_formats),
        ("corpora", _check_corpora),
        ("eSpeak NG", _check_espeak),
    ]
    findings: list[Finding] = []
    for subject, check in checks:
        try:
            findings += check()
        except Exception as problem:  # the doctor outlives every patient
            remedy = (
                "Please report this: it is a defect of lowres, or a broken installation; try `uv sync --reinstall`."
            )
            essential: Verdict = "broken" if subject in ("torch", "audio formats") else "note"
            findings.append(Finding(subject, essential, f"{type(problem).__name__}: {problem}", remedy))
    return findings


def is_usable(findings: list[Finding]) -> bool:
    """Say whether lowres can do its main job on this machine."""
    return all(finding.verdict != "broken" for finding in findings)


def _check_python() -> list[Finding]:
    place = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return [Finding("python", "good", f"{place}, lowres {__version__}")]


def _check_torch() -> list[Finding]:
    try:
        import torch
    except Exception as problem:
        remedy = "Install it again: `uv sync --frozen --reinstall-package torch`."
        return [Finding("torch", "broken", f"cannot be imported: {problem}", remedy)]
    return [Finding("torch", "good", str(torch.__version__))]


def _check_torchaudio() -> list[Finding]:
    """Import it in a process of its own: a mismatched pair can kill the interpreter, not only raise."""
    code = "import torchaudio; print(torchaudio.__version__)"
    trial = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    if trial.returncode == 0:
        return [Finding("torchaudio", "good", f"{trial.stdout.strip()}, and it pairs with this torch")]
    last_line = (trial.stderr.strip().splitlines() or [f"exit status {trial.returncode}"])[-1]
    remedy = (
        "torchaudio 2.11 pairs with torch 2.11 to 2.13 as PyPI has them; a CPU-only torch, or 2.14 and later, cannot "
        "load it. `uv sync --frozen` restores the pair. Only importing torchaudio's own models needs it."
    )
    return [Finding("torchaudio", "note", f"cannot be imported: {last_line}", remedy)]


def _check_processor() -> list[Finding]:
    """Time one matrix product in both precisions, for about a second in all."""
    import torch

    from lowres.training.precision import has_fast_bf16

    available = num_cores()
    rates = {dtype: _products_per_second(torch, dtype) for dtype in (torch.float32, torch.bfloat16)}
    speeds = f"fp32 {rates[torch.float32]:.0f} GFLOP/s, bf16 {rates[torch.bfloat16]:.0f} GFLOP/s"
    cores = f"{available} core{'' if available == 1 else 's'}"
    if has_fast_bf16("cpu"):
        faster = rates[torch.bfloat16] / rates[torch.float32]
        return [Finding("processor", "good", f"{cores}; {speeds}: training uses bf16 ({faster:.1f} times as fast)")]
    return [Finding("processor", "good", f"{cores}; {speeds}: no bf16 instructions, so training uses fp32")]


def _products_per_second(torch: Any, dtype: Any, size: int = 768, seconds: float = 0.4) -> float:
    """Give the GFLOP per second of a square matrix product."""
    left, right = (torch.ones(size, size, dtype=dtype) for _ in range(2))
    for _ in range(3):
        left @ right
    num_products, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        left @ right
        num_products += 1
    return num_products * 2 * size**3 / elapsed / 1e9


def _check_gpu() -> list[Finding]:
    import torch

    from lowres.training.precision import has_fast_bf16

    if not torch.cuda.is_available():
        return [Finding("GPU", "good", "none that torch can use; everything runs on the processor, only slower")]
    gpus = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    names = ", ".join(f"{gpu.name} ({gpu.total_memory / 2**30:.0f} GiB)" for gpu in gpus)
    precision = "bf16" if has_fast_bf16("cuda") else "fp32"
    return [Finding("GPU", "good", f"{names}; training uses {precision}")]


def _check_memory() -> list[Finding]:
    total, available = machine_memory_gb()
    if total is None:
        return [Finding("memory", "note", "its size cannot be read on this system")]
    free = "" if available is None else f", {available:.1f} GB free now"
    detail = f"{total:.1f} GB{free}"
    if (available if available is not None else total) < LITTLE_MEMORY_GB:
        remedy = "Close other programs, or train with --set finetune.micro_batch_seconds=10 and the model preset xs."
        return [Finding("memory", "note", detail, remedy)]
    return [Finding("memory", "good", detail)]


def _check_disk(project: Path) -> list[Finding]:
    folder = project.resolve()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    detail = f"{free:.1f} GB free at {folder}"
    if not os.access(folder, os.W_OK):
        return [Finding("disk", "broken", f"{folder} cannot be written to", "Choose another folder with --project.")]
    if free < LITTLE_DISK_GB:
        remedy = "An hour of prepared speech takes 0.12 GB and a run of BASE about 2 GB: free some space first."
        return [Finding("disk", "note", detail, remedy)]
    return [Finding("disk", "good", detail)]


def _check_formats() -> list[Finding]:
    """Write a fifth of a second in every format and read it back the way `lowres prepare` does."""
    failures: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="lowres-doctor-") as folder:
        for suffix in (*(name for name, _, _ in SOUNDFILE_FORMATS), "m4a"):
            try:
                _write_and_read(Path(folder) / f"trial.{suffix}")
            except Exception as problem:  # any failure at all means: this format does not work here
                failures[suffix] = problem.message if isinstance(problem, LowresError) else str(problem)
    working = [name for name, _, _ in SOUNDFILE_FORMATS if name not in failures]
    working += [name for name in ("m4a",) if name not in failures]
    if not failures:
        return [Finding("audio formats", "good", f"{', '.join(working)}: written and read back without ffmpeg")]
    reasons = "; ".join(f"{name}: {reason}" for name, reason in failures.items())
    remedy = "Install the readers again: `uv sync --frozen --reinstall-package soundfile --reinstall-package av`."
    verdict: Verdict = "broken" if "wav" in failures else "note"
    return [Finding("audio formats", verdict, f"{', '.join(working) or 'none'} work; {reasons}", remedy)]


def _write_and_read(path: Path) -> None:
    import numpy as np
    import soundfile

    from lowres.audio.decode import decode_recording

    seconds = np.arange(_TRIAL_SAMPLE_RATE // 5) / _TRIAL_SAMPLE_RATE
    tone = (0.3 * np.sin(2 * np.pi * 440.0 * seconds)).astype(np.float32)
    formats = {suffix: (container, codec) for suffix, container, codec in SOUNDFILE_FORMATS}
    suffix = path.suffix.lstrip(".")
    if suffix in formats:
        container, codec = formats[suffix]
        soundfile.write(path, tone, _TRIAL_SAMPLE_RATE, format=container, subtype=codec)
    else:
        _write_m4a(path, tone)
    recording = decode_recording(path)
    if abs(recording.duration_seconds - 0.2) > 0.1 or float(np.abs(recording.waveform).max()) < 0.1:
        raise AudioError(f"read back {recording.duration_seconds:.2f} s that are not what was written")


def _write_m4a(path: Path, tone: Any) -> None:
    import av

    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=_TRIAL_SAMPLE_RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone[None, :], format="fltp", layout="mono")
        frame.sample_rate = _TRIAL_SAMPLE_RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _check_corpora() -> list[Finding]:
    from lowres.corpora.catalog import find_corpora_folder

    folder = find_corpora_folder()
    if folder is None:
        detail = "no folder of public corpora; they are downloaded when a recipe asks for one"
        return [Finding("corpora", "good", detail)]
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    return [Finding("corpora", "good", f"{folder}: {', '.join(names) or 'empty'}")]


def _check_espeak() -> list[Finding]:
    from lowres.stages.synthesize import MISSING_HINT, SpokenSentence, Voice, espeak_is_installed, synthesize

    if not espeak_is_installed():
        return [Finding("eSpeak NG", "note", "not installed; only `lowres demo` needs it", MISSING_HINT)]
    with tempfile.TemporaryDirectory(prefix="lowres-doctor-") as folder:
        trial = SpokenSentence("Habari za asubuhi.", Voice("trial", "f2"), Path(folder) / "trial.wav")
        try:
            seconds = synthesize("sw", [trial])
        except AudioError as problem:
            return [Finding("eSpeak NG", "note", problem.message, problem.hint)]
    return [Finding("eSpeak NG", "good", f"spoke {seconds:.1f} s; `lowres demo` uses it")]
