"""What worker processes do instead of transcribing, in tests: it must be found by its name from another process."""

import os
import time
from pathlib import Path

from lowres.stages.transcribe_files import Done, FileStamp
from lowres.stages.transcribe_work import Outcome, Work


def die_at_rec1(work: Work) -> Outcome:
    """End the process as the system ends one that takes too much memory."""
    if work.job.name == "rec1.wav":
        largest = work.job.outputs["json"].with_name("rec2.json")
        while not largest.exists():
            time.sleep(0.1)
        time.sleep(1)
        os._exit(9)
    return finished(work)


def take_for_ever(work: Work) -> Outcome:
    """Finish rec2 alone, which is the largest and so the first."""
    if work.job.name != "rec2.wav":
        Path(work.job.recording.parent, f"{work.job.name}.begun").touch()
        time.sleep(600)
    return finished(work)


def find_the_disk_full(work: Work) -> Outcome:
    """Refuse as a full disk does, after the first recording."""
    if work.job.name != "rec0.wav":
        time.sleep(1)
        raise OSError(28, "No space left on device")
    return finished(work)


def finished(work: Work) -> Outcome:
    for path in work.job.outputs.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    stat = work.job.recording.stat()
    return Outcome(
        work.job.name,
        Done(
            work.job.name,
            str(work.job.recording),
            FileStamp(stat.st_size, stat.st_mtime_ns),
            FileStamp(),
            work.settings,
            dict.fromkeys(work.job.outputs, empty),
            12.0,
            7.0,
            5,
            None,
        ),
    )
