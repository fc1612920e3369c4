"""What the pages of the documentation show runs as it stands there; the guides have their own."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.test_guides import GROUPS

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "bench" / "RESULTS.md"]
# These have tests of their own: figures.md needs logs such as the demo's.
_ELSEWHERE = (*GROUPS, "README", "figures")
WITH_CODE = [
    page.relative_to(ROOT).as_posix()
    for page in PAGES
    if "```python" in page.read_text(encoding="utf-8") and page.stem not in _ELSEWHERE
]


@pytest.mark.parametrize("path", WITH_CODE)
def test_code_of_a_page_runs(path: str, tmp_path: Path) -> None:
    """Its Python as one script, and then its commands on what that wrote."""
    text = (ROOT / path).read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    for line in re.findall(r"^tb-regplugin (.*)$", text, re.MULTILINE):
        arguments = shlex.split(line, comments=True)
        command = [sys.executable, "-m", "tb_regplugin", *arguments]
        result = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        assert result.stdout.strip()


@pytest.mark.parametrize("path", [page.relative_to(ROOT).as_posix() for page in PAGES])
def test_links_lead_somewhere(path: str) -> None:
    """To a file that is there, and to a heading of it; other hosts are not asked."""
    for link in re.findall(r"(?:\]\(|src=\"|srcset=\")([^)\s\"]+)", text_of(ROOT / path)):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = unquote(link).partition("#")
        target = (ROOT / path).parent / file if file else ROOT / path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def text_of(page: Path) -> str:
    """Returns a page without its code."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Returns how GitHub and MkDocs call a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)|[^\w\s-]", r"\1", heading) for heading in headings)
    return {re.sub(r"\s", "-", heading.strip().lower()) for heading in plain}
