"""How notebooks show a recording."""

from __future__ import annotations

import pickle
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from tb_regplugin import Recording, Term, Writer, load
from tb_regplugin.terms import Layout, Role
from tests.logs import recording_events, write_events

ATTACK = '<script>alert("1")</script>&'


def _record(log_dir: Path, term: str = "kernel", penalty: float = 0.5) -> Recording:
    with Writer(log_dir) as writer:
        for step in range(200):
            writer.write(step, 1.5 + step / 1000, {term: penalty + step / 1000})
    return load(log_dir)["."]


def test_a_recording_shows_its_figure_and_what_was_found(tmp_path: Path) -> None:
    """Terms are text in the picture; a finding says what to do."""
    html = _record(tmp_path, penalty=50)._repr_html_()
    assert html.count("<svg") == 1
    picture = ET.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])
    assert picture.tag.endswith("svg")
    texts = ["".join(each.itertext()) for each in picture.iter() if each.tag.endswith("}text")]
    assert {"total", "data", "kernel", "step", "loss"} <= set(texts)
    assert "<b>" in html
    assert "<br>→ " in html


def test_without_findings_it_says_so(tmp_path: Path) -> None:
    """No news is told from no look."""
    with Writer(tmp_path) as writer:
        writer.write(0, 1.0, {})
    assert "No findings." in load(tmp_path)["."]._repr_html_()


def test_a_large_recording_takes_little_room(tmp_path: Path) -> None:
    """A notebook keeps what it shows: 300 terms and 5,000 steps of noise in 300 kB."""
    values = np.random.default_rng(0).random((5000, 300))
    with Writer(tmp_path, terms=[Term(f"layer_{i}/kernel") for i in range(300)]) as writer:
        for step, row in enumerate(values):
            writer.write(step, 1.0, row)
    html = load(tmp_path)["."]._repr_html_()
    assert "288 more terms" in html
    assert len(html.encode()) < 300_000


def test_names_are_no_markup(tmp_path: Path) -> None:
    """A term's name is what somebody chose, in the picture and in the findings."""
    html = _record(tmp_path, term=ATTACK, penalty=50)._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


WITHOUT_MATPLOTLIB = """
import sys
sys.modules["matplotlib"] = None
import tb_regplugin
(recording,) = tb_regplugin.load(sys.argv[1]).values()
print(recording._repr_html_())
"""


def _without_matplotlib(log_dir: Path) -> str:
    command = [sys.executable, "-c", WITHOUT_MATPLOTLIB, str(log_dir)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_without_matplotlib_it_shows_a_table(tmp_path: Path) -> None:
    """The terms by their last values, the findings, and how to get the figure."""
    _record(tmp_path, term=ATTACK, penalty=50)
    html = _without_matplotlib(tmp_path)
    assert "<svg" not in html
    assert "<script" not in html
    last = float(np.float32(50 + 0.199))
    share = last / (last + float(np.float32(1.5 + 0.199)))
    assert f"<td>penalty</td><td>{last:.6g}</td><td>{share:.2%}</td>" in html
    assert "pip install &quot;tb_regplugin[plot]&quot;" in html
    assert "<b>" in html


@pytest.mark.parametrize("role", ["gradient", "total", "penalty", "unused"])
def test_whatever_was_recorded_is_shown(tmp_path: Path, role: Role) -> None:
    """Also what makes no figure, and values that are no numbers."""
    values = [[float("nan")], [float("inf")], [1.0]]
    layout = Layout((Term("kernel", role=role),))
    write_events(tmp_path, recording_events([0, 1, 2], values, layout))
    assert "kernel" in load(tmp_path)["."]._repr_html_()


def test_its_text_is_short(tmp_path: Path) -> None:
    """A list of recordings can be read."""
    recording = _record(tmp_path)
    assert repr(recording) == "<Recording: 200 steps of 2 columns>"


def test_a_recording_can_be_pickled(tmp_path: Path) -> None:
    """As when it goes to another process."""
    recording = _record(tmp_path)
    copy = pickle.loads(pickle.dumps(recording))
    np.testing.assert_array_equal(copy.values, recording.values)
    assert copy._repr_html_() == recording._repr_html_()
