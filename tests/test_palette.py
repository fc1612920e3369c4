"""The colours of figures, against what the dashboard's own sources say."""

from __future__ import annotations

import json

import numpy as np

from tb_regplugin import Term
from tb_regplugin.plot.bands import OUTSIDE, TOP
from tb_regplugin.plot.palette import DARK, LIGHT, colour_of, number_terms, variant_of
from tests.dashboard_sources import run_module


def test_colours_and_reasons_are_the_dashboards() -> None:
    """Of each of many terms in both themes, with what tells those of one colour apart."""
    random = np.random.default_rng(0)
    sizes = random.integers(1, 9, 40).tolist()
    terms = [Term(f"layers.1.{i}.weight", shape=(size, 3)) for i, size in enumerate(sizes)]
    terms += [Term(f"data{i}", role="data") for i in range(6)]
    terms += [Term("decay", role="implicit", size=30), Term("left", role="unexplained")]
    shown = [terms[i] for i in [*range(0, 40, 7), *range(1, 40, 12), 24, 25, *range(40, 48)]]
    asked = [{k: v for k, v in vars(term).items() if v is not None} for term in terms]
    keys = [f"{term.role}:{term.name}" for term in dict.fromkeys(shown)]
    told = run_module(f"""
import {{ columnColour, DATA_COLOURS, PENALTY_COLOURS, termVariant }} from "./drawing/colours.ts";
import {{ numberTerms, rankTerms, ShownTerms }} from "./drawing/termNumbers.ts";
import {{ whyOutside }} from "./data/recording.ts";
import {{ LOOKS }} from "./drawing/look.ts";
import {{ DEFAULT_TOP }} from "./model/settings.ts";
const keys = {json.dumps(keys)};
const recording = {{ key: "k", columns: {json.dumps(asked)} }};
const ranks = rankTerms(new Map(), [recording], () => (column) => column.name);
const shown = new ShownTerms();
shown.add("k", keys);
const numbers = numberTerms(ranks, shown.inOrder([recording], ranks));
const looks = ["light", "dark"].map((theme) => ({{
  penalties: PENALTY_COLOURS[theme],
  data: DATA_COLOURS[theme],
  more: columnColour(theme, "more", numbers),
  ...LOOKS[theme],
  terms: keys.map((key) => columnColour(theme, key, numbers)),
}}));
const reasons = ["implicit", "unused", "inside"].map((role) => [role, whyOutside({{ role }})]);
const variants = keys.map((key) => termVariant(key, numbers));
console.log(JSON.stringify({{ looks, variants, top: DEFAULT_TOP, reasons }}));
""")
    assert dict(told["reasons"]) == OUTSIDE
    assert told["top"] == TOP
    numbers = number_terms(terms, shown)
    once = list(dict.fromkeys(shown))
    assert told["variants"] == [variant_of(term, numbers.get(term)) for term in once]
    for palette, look in zip((LIGHT, DARK), told["looks"], strict=True):
        assert look["terms"] == [colour_of(palette, term, numbers.get(term)) for term in once]
        for name in ("penalties", "data", "more", "total", "heat", "text", "caution", "warning"):
            colours = getattr(palette, name)
            assert look[name] == (list(colours) if isinstance(colours, tuple) else colours)
