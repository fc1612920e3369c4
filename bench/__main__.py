"""Measures the project side by side with what people use today, and writes bench/RESULTS.md.

Usage: python -m bench [--quick] [--only NAME … [--update]]

With --quick or --only nothing is written; with --update, the sections measured take their places in
the report of before, and say that they were measured by themselves.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import platform
import re
import time
from pathlib import Path

from bench.report import Section

MEASUREMENTS = (
    "write_cost",
    "keras_cost",
    "cold_start",
    "requests",
    "spikes",
    "memory",
    "clients",
    "hostile",
    "browser",
    "findings",
    "sweep",
    "scalars",
    "scalar_tabs",
    "scaling",
)
RESULTS = Path(__file__).parent / "RESULTS.md"
_PACKAGES = (
    *("tb_regplugin", "numpy", "tensorboard", "tensorboard-data-server", "google-crc32c"),
    *("tensorflow", "torch", "tensorboardX"),
)


def main() -> None:
    """Runs all measurements, or some."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small, to see whether it runs")
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, default=MEASUREMENTS)
    parser.add_argument("--update", action="store_true", help="put them into the last report")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    sections = []
    for name in options.only:
        print(f"{name} …", flush=True)
        start = time.perf_counter()
        found = importlib.import_module(f"bench.{name}").measure(options.quick)
        measured: list[Section] = found if isinstance(found, list) else [found]
        measured[-1].notes.append(f"`python -m bench --only {name}`")
        sections += measured
        print(f"    {time.perf_counter() - start:.0f} s", flush=True)
    if options.update and not options.quick:
        for section in sections:
            section.notes.append(
                f"Measured by itself, on {time.strftime('%Y-%m-%d')}, from a load of {load:.1f} on."
            )
        report = _updated(RESULTS.read_text(encoding="utf-8"), sections)
        RESULTS.write_text(report, encoding="utf-8")
        return
    if options.quick or tuple(options.only) != MEASUREMENTS:
        print("\n".join(section.markdown() for section in sections))
        return
    RESULTS.write_text(_report(sections, load), encoding="utf-8")
    print(f"{RESULTS} is written.")


def _updated(report: str, sections: list[Section]) -> str:
    """Puts sections in place of those with the same titles; new ones come last."""
    head, *parts = re.split(r"^(?=## )", report, flags=re.MULTILINE)
    by_title = {
        text.partition("\n")[0]: text.rstrip()
        for text in (*parts, *(section.markdown() for section in sections))
    }
    return head + "\n\n".join(by_title.values()) + "\n"


def _report(sections: list[Section], load: float) -> str:
    versions = [f"Python {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{package} not installed")
    head = [
        "# Results",
        "",
        "Written by `make bench`. Everything is measured in one run, unless a section says that it "
        "was measured by itself, one thing after another, on logs that are generated from fixed "
        "seeds.",
        "",
        f"{os.cpu_count()} processor cores, {platform.system()}; the machine's load was {load:.1f} "
        "when it began. Where that is not near 0, other programs were running: wall times are too "
        "long then, by about the load on each core, and ratios are what counts.",
        "",
        f"{', '.join(versions)}.",
        "",
    ]
    return "\n".join(head) + "\n" + "\n".join(section.markdown() for section in sections)


if __name__ == "__main__":
    main()
