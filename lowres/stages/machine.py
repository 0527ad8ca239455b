"""What this machine lends to a command."""

import os


def num_cores() -> int:
    """Return how many cores this process may use."""
    # Less than the machine has, where it is shared; Windows and macOS cannot tell.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
