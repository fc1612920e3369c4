"""Makes the README's screenshots from the real logs of `make demo`."""

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright
from tensorboard import program

IMAGES = Path(__file__).parent / "images"
WINDOW: ViewportSize = {"width": 1440, "height": 960}


def main() -> None:
    """Starts TensorBoard on the demo's logs and photographs its dashboard, light and dark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log-dir", default="logs/demo")
    parser.add_argument("--to", type=Path, default=IMAGES)
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    server = program.TensorBoard()
    server.configure(argv=["tensorboard", "--logdir", options.log_dir, "--port", "0"])
    address = server.launch()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            # Containers run as root, where Chromium's sandbox can't.
            args=["--no-sandbox", "--disable-background-networking"],
        )
        for theme in ("light", "dark"):
            page = browser.new_page(viewport=WINDOW, color_scheme=theme)
            show_dashboard(page, address, theme)
            page.screenshot(path=options.to / f"dashboard-{theme}.png")
            page.close()
        browser.close()


def show_dashboard(page: Page, address: str, theme: str) -> None:
    """Opens the Regularization tab in a theme and waits until its charts are drawn."""
    # Where TensorBoard keeps the choice of its own settings menu.
    page.add_init_script(
        f"""localStorage.setItem("_tb_global_settings", JSON.stringify({{theme: "{theme}"}}))"""
    )
    page.goto(f"{address}#regularization")
    dashboard = page.frame_locator("iframe")
    dashboard.get_by_role("img").first.wait_for()
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    main()
