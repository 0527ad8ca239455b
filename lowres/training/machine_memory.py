"""The memory of this machine, asked without torch, so that `lowres doctor` can tell it when torch is broken."""

import os
from pathlib import Path


def machine_memory_gb() -> tuple[float | None, float | None]:
    """Give total and available memory in GB (10^9 bytes); None for what this system does not tell."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (AttributeError, ValueError, OSError):
        return None, None
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return total, None
    free = [int(line.split()[1]) * 1024 / 1e9 for line in lines if line.startswith("MemAvailable:")]
    return total, free[0] if free else None
