"""Makes the pictures of the documentation: of the demo's real logs, and of hard cases."""

import argparse
import json
import math
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import matplotlib
from matplotlib import pyplot
from playwright.sync_api import Browser, ViewportSize, sync_playwright
from tensorboard import program

from tb_regplugin import Term, Writer, load, plot

IMAGES = Path(__file__).parent / "images"
# Width and height in pixels.
WINDOW = (1440, 960)
PHONE = (360, 800)


@dataclass(frozen=True)
class Shot:
    """One picture: what the link to it holds, and how it is looked at."""

    name: str
    theme: str = "light"
    window: tuple[int, int] = WINDOW
    state: tuple[tuple[str, str], ...] = ()


# The sweep, and two of its runs: the best strength's and the one that went too far.
FIRST_SIGHT = (
    ("sweepMetric", "epoch_accuracy"),
    ("overview", "folded"),
    ("filter", "lambda=(0.001|1)/seed=0/train"),
)
CARDS_ONLY = (("sweep", "folded"), ("overview", "folded"))
DEMO = (
    Shot("dashboard-light", state=FIRST_SIGHT, window=(1440, 1180)),
    Shot("dashboard-dark", theme="dark", state=FIRST_SIGHT, window=(1440, 1180)),
    Shot(
        "sweep",
        state=(*CARDS_ONLY, ("filter", "seed=0/train"), ("compare", "ratio"), ("view", "share")),
    ),
    Shot("collapse", state=(*CARDS_ONLY, ("filter", "lambda=1/seed=0/train"))),
    Shot("phone", window=PHONE),
)
CASES = (
    Shot("many-terms", state=(("filter", "many"), ("group", "layer:1"), ("table", "true"))),
    Shot("spike", state=(("filter", "spike"), ("zoom", '[["spike","losses",24950,25050]]'))),
    Shot("negative", state=(("filter", "negative"), ("table", "true"))),
)


def main() -> None:
    """Starts TensorBoard on the demo's logs and on made ones, and photographs its dashboard."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log-dir", default="logs/demo")
    parser.add_argument("--sweep-dir", default="logs/demo", help="the logs of the sweep's figure")
    parser.add_argument("--to", type=Path, default=IMAGES)
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    draw_figures(options.log_dir, options.sweep_dir, options.to)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as made:
        write_cases(Path(made))
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            # Containers run as root, where Chromium's sandbox can't.
            args=["--no-sandbox", "--disable-background-networking"],
        )
        for log_dir, shots in ((options.log_dir, DEMO), (made, CASES)):
            server = program.TensorBoard()
            server.configure(argv=["tensorboard", "--logdir", log_dir, "--port", "0"])
            address = server.launch()
            for shot in shots:
                take(browser, address, shot, options.to)
        browser.close()


def draw_figures(log_dir: str, sweep_dir: str, to: Path) -> None:
    """Draws the figures of docs/figures.md."""
    matplotlib.use("agg")
    plot.stack(load(log_dir)["lambda=0.01/seed=0/train"])
    pyplot.savefig(to / "figure-stack.png")
    plot.sweep(sweep_dir)
    pyplot.savefig(to / "figure-sweep.png")
    pyplot.close("all")


def take(browser: Browser, address: str, shot: Shot, to: Path) -> None:
    """Opens the Regularization tab and takes its picture once its charts are drawn."""
    width, height = shot.window
    viewport: ViewportSize = {"width": width, "height": height}
    page = browser.new_page(viewport=viewport, color_scheme=_scheme(shot.theme))
    # Where TensorBoard keeps the choice of its own settings menu.
    settings = json.dumps({"theme": shot.theme})
    page.add_init_script(f"localStorage.setItem('_tb_global_settings', '{settings}')")
    state = "".join(f"&p.regularization.{key}={quote(value)}" for key, value in shot.state)
    page.goto(f"{address}#regularization{state}")
    page.frame_locator("iframe").get_by_role("img").first.wait_for()
    # Findings are asked for after the charts.
    page.wait_for_timeout(1_000)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=to / f"{shot.name}.png")
    page.close()


def _scheme(theme: str) -> Literal["dark", "light"]:
    return "dark" if theme == "dark" else "light"


def write_cases(log_dir: Path) -> None:
    """Writes what the demo does not have: 300 terms, a spike of one step, negative terms."""
    terms = [
        Term(f"block_{block}/layer_{layer}/{part}", kind="l2", strength=1e-4)
        for block in range(10)
        for layer in range(15)
        for part in ("kernel", "bias")
    ]
    with Writer(log_dir / "many") as writer:
        for step in range(2000):
            swing = 1 + 0.4 * math.sin(step / 400)
            sizes: dict[str | Term, float] = {
                term: 0.02 * swing / (1 + i % 7 + i / 1000) for i, term in enumerate(terms)
            }
            writer.write(step, 0.3 + 1.5 * math.exp(-step / 500), sizes)
    kernel = Term("dense/kernel", kind="l2", strength=0.01)
    with Writer(log_dir / "spike") as writer:
        for step in range(50_000):
            penalty = 9.0 if step == 25_000 else 0.5
            writer.write(step, 1 + math.exp(-step / 9000), {kernel: penalty})
    with Writer(log_dir / "negative") as writer:
        for step in range(800):
            entropy = -0.4 - 0.1 * math.sin(step / 30)
            parts: dict[str | Term, float] = {
                Term("entropy"): entropy,
                Term("kl"): 0.3 + step / 2000,
            }
            writer.write(step, 1 + math.exp(-step / 100), parts)


if __name__ == "__main__":
    main()
