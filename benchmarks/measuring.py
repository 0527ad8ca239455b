"""What the side-by-side measurements of training share: interleaved medians, the GEMM rate, FLOPs, profiles, memory."""

import gc
import math
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from lowres.audio.constants import SAMPLE_RATE as SAMPLE_RATE

PRECISIONS = {"bf16": torch.bfloat16, "fp32": torch.float32}

Run = Callable[[], None]
Clock = Callable[[], float]


def choose_clock(device: str, *, processor_time: bool = False) -> Clock:
    """Choose what seconds are: of the wall, after a GPU has done its work, or of the processor."""
    if processor_time:
        return time.process_time
    if device == "cpu":
        return time.perf_counter

    def wait_and_look() -> float:
        torch.cuda.synchronize()
        return time.perf_counter()

    return wait_and_look


def interleaved_medians(runs: Mapping[str, Run], repetitions: int, clock: Clock) -> dict[str, float]:
    """Seconds of each run; all are run once first, and that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for repetition in range(repetitions + 1):
        for name, run in runs.items():
            start = clock()
            run()
            if repetition:
                seconds[name].append(clock() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def gemm_gflops(dtype: torch.dtype, clock: Clock, device: str = "cpu") -> float:
    """Measure the best of five medians of a square matrix product, in GFLOP per second."""
    size = 2048 if device == "cpu" else 8192
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    best = min(interleaved_medians({"gemm": lambda: torch.mm(a, b)}, 3, clock)["gemm"] for _ in range(5))
    return 2 * size**3 / best / 1e9


def count_gflop(run: Run) -> float:
    """Count the matrix products, convolutions and fused attentions of a run."""
    with FlopCounterMode(display=False, custom_mapping=_CORRECTED_COUNTS) as counter:
        run()
    return counter.get_total_flops() / 1e9


def _count_convolution_backward(
    gradient_shape: list[int], _inputs: Any, weight_shape: list[int], *rest: Any, **_: Any
) -> int:
    """PyTorch counts the weight's gradient as if there were no groups."""
    products = 2 * gradient_shape[0] * math.prod(gradient_shape[2:]) * math.prod(weight_shape)
    needs_input, needs_weight, _ = rest[-1]
    return products * (needs_input + needs_weight)


def _count_attention(query_shape: list[int], key_shape: list[int], *_: Any, **__: Any) -> int:
    """PyTorch does not count the fused kernel of CPUs."""
    return 4 * math.prod(query_shape) * key_shape[-2]


def _count_attention_backward(_gradient: Any, query_shape: list[int], key_shape: list[int], *_: Any, **__: Any) -> int:
    """Five products, of which the first computes the weights again."""
    return 10 * math.prod(query_shape) * key_shape[-2]


_CORRECTED_COUNTS = {
    torch.ops.aten.convolution_backward: _count_convolution_backward,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _count_attention,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _count_attention_backward,
}


def print_profile(title: str, run: Run, device: str = "cpu") -> None:
    """Print the twelve operators in which a run spends most time itself."""
    run()
    on_gpu = device != "cpu"
    with profile(activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]) as profiler:
        run()
    print(f"\nwhere the time of {title} goes")
    microseconds = {
        event: event.self_device_time_total if on_gpu else event.self_cpu_time_total
        for event in profiler.key_averages()
    }
    total = sum(microseconds.values())
    for event in sorted(microseconds, key=lambda event: -microseconds[event])[:12]:
        share = microseconds[event] / total
        print(f"  {event.key[:48]:48s} {microseconds[event] / 1e3:9.1f} ms {share:6.1%} {event.count:6d} calls")


def peak_megabytes(run: Run, device: str = "cpu") -> float:
    """Measure how far memory rises in a run above where it was before, in MB (10^6 bytes).

    On a CPU this is the process's resident memory (VmHWM over VmRSS, Linux only), so each contender needs a process of
    its own; on a GPU what PyTorch has allocated there.
    """
    gc.collect()
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run()
        return (torch.cuda.max_memory_allocated() - before) / 1e6
    reset_peak_memory()
    before = resident_megabytes("VmRSS")
    run()
    return resident_megabytes("VmHWM") - before


def reset_peak_memory() -> None:
    """Set the high-water mark to what is now (Linux): importing and building may have reached higher than a run."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def resident_megabytes(field: str) -> float:
    """Return this process's memory in MB (10^6 bytes): "VmRSS", what is resident now, or "VmHWM", its peak (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    kibibytes = next(line.split()[1] for line in lines if line.startswith(field + ":"))
    return int(kibibytes) * 1024 / 1e6


class Benchmark:
    """Ratios of the best peer's time to ours, and the tables they come from."""

    def __init__(self, repetitions: int, clock: Clock, device: str = "cpu") -> None:
        self.repetitions, self.clock = repetitions, clock
        self.ratios: dict[str, float] = {}
        self.peak = {name: gemm_gflops(dtype, clock, device) for name, dtype in PRECISIONS.items()}
        where = torch.backends.cpu.get_cpu_capability() if device == "cpu" else torch.cuda.get_device_name()
        print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {where}")
        print("GEMM: " + ", ".join(f"{name} {rate:.0f} GFLOP/s" for name, rate in self.peak.items()))

    def compare(self, key: str, precision: str, runs: Mapping[str, Run], gflop: Mapping[str, float]) -> float:
        """Time the runs in turn, of which one is called "lowres", and note the ratio as `key`_ratio.

        Args:
            key: what is compared.
            precision: a key of PRECISIONS.
            runs: of each contender.
            gflop: that each contender's run is credited with.

        Returns:
            Seconds of ours.
        """
        medians = interleaved_medians(runs, self.repetitions, self.clock)
        ours = medians["lowres"]
        best_peer = min(value for name, value in medians.items() if name != "lowres")
        self.ratios[f"{key}_ratio"] = round(best_peer / ours, 3)
        print(f"\n{key}: {best_peer / ours:.2f} x the best peer")
        for name, seconds in medians.items():
            rate = gflop[name] / seconds
            share = rate / self.peak[precision]
            print(
                f"  {name:24s} {seconds * 1e3:9.1f} ms {gflop[name]:7.0f} GFLOP {rate:7.0f} GFLOP/s "
                f"{share:6.1%} of the GEMM rate"
            )
        return ours
