"""A recogniser with random weights that hears something in bursts of noise, and such recordings."""

from pathlib import Path

import numpy as np
import soundfile
from recognizers import make_recognizer

from lowres.backbones.checkpoint_folder import write_checkpoint
from lowres.stages.evaluate_run import best_checkpoint

RATE = 16_000


def write_run(project: Path) -> Path:
    """Write a run called "tiny"; return the project."""
    recognizer = make_recognizer("xs")
    write_checkpoint(best_checkpoint(project / "runs" / "tiny"), recognizer.model.state_dict(), recognizer.metadata)
    return project


def write_bursts(path: Path, seconds: float = 6.0) -> Path:
    """Write a recording of noise that changes all the time, with silence before and after."""
    generator = np.random.default_rng(3)
    samples = generator.standard_normal(round(seconds * RATE)) * 1e-4
    first, last = RATE, round((seconds - 1) * RATE)
    loudness = np.repeat(generator.uniform(0.05, 0.3, (last - first) // 800 + 1), 800)[: last - first]
    samples[first:last] = generator.standard_normal(last - first) * loudness
    soundfile.write(path, samples, RATE)
    return path
