"""A run killed at any moment and gone on with is the run that was never killed, bit for bit."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tone_corpus import TINY_RECIPE, hash_of, write_project

from lowres.stages.finetune_run import RunFolder
from lowres.training.checkpoint import load_training_state
from lowres.training.monitors import without_timings

RECIPE = TINY_RECIPE.replace("updates = 12", "updates = 40\ncheckpoint_every_minutes = 0.001")
SCRIPT = """
import sys
from pathlib import Path
from lowres.recipe import load_recipe
from lowres.stages.finetune import FinetuneOptions, finetune
project = Path(sys.argv[1])
finetune(project, load_recipe(project=project), FinetuneOptions(resume=sys.argv[2] == "resume"))
"""
NUM_KILLS = 4


def start(project: Path, how: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(project), how], env=environment)


def run_to_the_end(project: Path, how: str) -> None:
    assert start(project, how).wait(timeout=120) == 0


def kill_while_training(project: Path, how: str, chance: random.Random) -> None:
    """Start a run and kill it at a random moment after its first sign of life."""
    process = start(project, how)
    run_file = project / "runs" / "finetune-all-seed1" / "run.json"
    begun = run_file.stat().st_mtime if run_file.exists() else 0.0
    while process.poll() is None and not (run_file.exists() and run_file.stat().st_mtime > begun):
        time.sleep(0.01)
    time.sleep(chance.uniform(0.0, 1.5))
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.slow
def test_a_run_killed_several_times_equals_the_uninterrupted_one(tmp_path: Path) -> None:
    whole, killed = (write_project(tmp_path / name, recipe=RECIPE) for name in ("whole", "killed"))
    run_to_the_end(whole, "begin")
    chance = random.Random(11)
    for number in range(NUM_KILLS):
        kill_while_training(killed, "resume" if number else "begin", chance)
    run_to_the_end(killed, "resume")

    runs = [RunFolder(project / "runs" / "finetune-all-seed1") for project in (whole, killed)]
    for name in ("last", "best"):
        weights = {hash_of(run.path / "checkpoints" / name / "weights.safetensors") for run in runs}
        assert len(weights) == 1, f"the weights of {name} differ"
    metrics = [[without_timings(event) for event in run.metrics.read()] for run in runs]
    assert metrics[0] == metrics[1]
    states = [load_training_state(run.last / "training_state.pt") for run in runs]
    assert states[0].state.position == states[1].state.position
    assert states[0].random_states.masking.equal(states[1].random_states.masking)
