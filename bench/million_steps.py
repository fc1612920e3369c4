"""One run of a million steps: bytes on disk, and seconds from a cold start to NumPy.

Usage: python -m bench.million_steps [--steps N] [--terms N] [--repeats N]
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tb_regplugin import Writer

# In a process of its own, so that each reading starts cold; imports are not counted.
_READ = """
import sys, time
import tb_regplugin.reading.load
start = time.perf_counter()
(recording,) = tb_regplugin.load(sys.argv[1]).values()
print(time.perf_counter() - start, recording.values.shape[0], recording.values.nbytes)
"""


def main() -> None:
    """Writes and reads, and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--terms", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as log_dir:
        seconds = write(log_dir, options.steps, options.terms)
        values = options.steps * (options.terms + 2)
        size = sum(path.stat().st_size for path in Path(log_dir).iterdir())
        print(f"{options.steps:,} steps of total, data loss and {options.terms} penalty terms")
        print(f"written in {seconds / options.steps * 1e6:.1f} µs a step")
        print(f"{size:,} bytes, {size / values / 4:.3f} × float32 for each value")
        readings = [read(log_dir) for _ in range(options.repeats)]
        print(
            f"loaded in {statistics.median(readings):.2f} s "
            f"(median of {options.repeats}; {min(readings):.2f} to {max(readings):.2f} s)"
        )


def write(log_dir: str, steps: int, terms: int) -> float:
    """Records random numbers and returns the seconds it took."""
    rows = np.random.default_rng(0).random((1000, terms)).tolist()
    names = [f"layer_{number}/kernel" for number in range(terms)]
    penalties = [dict(zip(names, row, strict=True)) for row in rows]
    start = time.perf_counter()
    with Writer(log_dir) as writer:
        for step in range(steps):
            writer.write(step, 0.5, penalties[step % 1000], 1.0)
    return time.perf_counter() - start


def read(log_dir: str) -> float:
    """Returns the seconds that load() takes in a new process."""
    result = subprocess.run(
        [sys.executable, "-c", _READ, log_dir], check=True, capture_output=True, text=True
    )
    return float(result.stdout.split()[0])


if __name__ == "__main__":
    main()
