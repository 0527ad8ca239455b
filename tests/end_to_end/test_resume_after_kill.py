"""A run killed at any moment and gone on with is the run that was never killed, bit for bit."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tone_corpus import TINY_PRETRAIN_RECIPE, TINY_RECIPE, hash_of, write_project

from lowres.stages.run_folder import RunFolder
from lowres.training.checkpoint import load_training_state, rebuild_training_state
from lowres.training.monitors import without_timings
from lowres.training.pretraining_parts import rebuild_pretraining_state

FINETUNE_RECIPE, PRETRAIN_RECIPE = (
    recipe.replace("updates = 12", "updates = 36\ncheckpoint_every_minutes = 0.003")
    for recipe in (TINY_RECIPE, TINY_PRETRAIN_RECIPE)
)
NUM_KILLS = 3

# One process imports torch, once, and forks every run: what is killed is a real process, and the test stays short.
SCRIPT = """
import os, random, signal, sys, time
from pathlib import Path
from lowres.recipe import load_recipe
from lowres.stages.finetune import FinetuneOptions, finetune
from lowres.stages.pretrain import PretrainOptions, pretrain

def start(project, resume):
    child = os.fork()
    if child == 0:
        train, options = {"finetune": (finetune, FinetuneOptions), "pretrain": (pretrain, PretrainOptions)}[sys.argv[4]]
        train(project, load_recipe(project=project), options(resume=resume, run="run"))
        os._exit(0)
    return child

def wait(child):
    assert os.waitpid(child, 0)[1] == 0

whole, killed = Path(sys.argv[1]), Path(sys.argv[2])
chance = random.Random(11)
began = time.monotonic()
wait(start(whole, False))
# All kills together come before half of a run is over, however fast the machine is.
longest = (time.monotonic() - began) / (2 * int(sys.argv[3]))
run_file = killed / "runs" / "run" / "run.json"
for number in range(int(sys.argv[3])):
    begun = run_file.stat().st_mtime_ns if run_file.exists() else 0
    child = start(killed, number > 0)
    while not run_file.exists() or run_file.stat().st_mtime_ns == begun:
        time.sleep(0.005)
    time.sleep(chance.uniform(0.0, longest))
    os.kill(child, signal.SIGKILL)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1]), "the run ended before it was killed"
wait(start(killed, True))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "recipe"), [("finetune", FINETUNE_RECIPE), ("pretrain", PRETRAIN_RECIPE)])
def test_a_run_killed_several_times_equals_the_uninterrupted_one(tmp_path: Path, stage: str, recipe: str) -> None:
    whole, killed = (write_project(tmp_path / name, recipe=recipe) for name in ("whole", "killed"))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, str(whole), str(killed), str(NUM_KILLS), stage]
    subprocess.run(command, env=environment, check=True, timeout=900)

    runs = [RunFolder(project / "runs" / "run") for project in (whole, killed)]
    for name in ("last", "best"):
        weights = {hash_of(run.path / "checkpoints" / name / "weights.safetensors") for run in runs}
        assert len(weights) == 1, f"the weights of {name} differ"
    metrics = [[without_timings(event) for event in run.metrics.read()] for run in runs]
    assert metrics[0] == metrics[1]
    rebuild = rebuild_training_state if stage == "finetune" else rebuild_pretraining_state
    states = [load_training_state(run.last / "training_state.pt", rebuild) for run in runs]
    assert states[0].state.position == states[1].state.position
    if stage == "finetune":
        assert states[0].random_states.masking.equal(states[1].random_states.masking)
