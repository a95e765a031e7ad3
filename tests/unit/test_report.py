"""The demonstration's report says what was found, and says so when there is little to show."""

import io
import json
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from memory_engine import MemoryEngine
from rich.console import Console
from small_world import small_world

from ops.lab.demo.canary import CanaryFindings
from ops.lab.demo.demo import DemoResult
from ops.lab.demo.judging import Judgement
from ops.lab.demo.outcome_figures import OutcomeFigures
from ops.lab.demo.report import show
from ops.lab.simulator import default_rates, simulate
from ops.lab.simulator.truth import LinkageScore
from ops.runtime.paths import EnginePaths
from ops.verify.ledger import Ledger
from schemas import topics


@cache
def snapshots() -> list[dict[str, Any]]:
    """What the steps publish about a handful of people."""
    engine = MemoryEngine(seed=4)
    for slug, message in small_world():
        engine.take(slug, message)
    return list(engine.run().latest(topics.pathway_state("demo")).values())


FIGURES = OutcomeFigures(52, 9, 2, 5, 2, 4, 1)


def result(**changes: Any) -> DemoResult:
    """What a demonstration with these people would have found."""
    score = LinkageScore(1.0, 0.98, 0.99)
    found = DemoResult(
        ledgers={"": Ledger(acknowledged=40, dispositions=Counter(linked=40))},
        snapshots=snapshots(),
        stalled=0,
        judgement=Judgement(score, LinkageScore(1.0, 0.6, 0.75), 9, 9, (), FIGURES, FIGURES),
        noise=simulate(5, 1, rates=default_rates()).noise,
        found=CanaryFindings(36, 36, 0, 1_000),
        kills=0,
        redelivered=0,
        seconds=42.0,
    )
    return replace(found, **changes)


def shown(found: DemoResult) -> str:
    console = Console(file=io.StringIO(), width=150)
    with TemporaryDirectory() as directory:
        layout = EnginePaths(Path(directory))
        layout.up.write_text(json.dumps({"pages": {"records-0": 20001}}))
        show(console, found, layout)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_it_shows_one_path_across_three_tiers_with_its_definitions() -> None:
    text = shown(result())
    for words in ("primary care", "Tier 2", "Tier 3", "referral received", "kg (", "loss-5pct-nearest/1", "waits/2"):
        assert words in text, words


def test_it_shows_funnel_gaps_equity_ledger_score_and_where_to_look() -> None:
    text = shown(result())
    for words in (
        "Funnel",
        "of all starters",
        "of closed windows",
        "of completers",
        "answered",
        "never received",
        "IMD quintile",
        "unaccounted",
        "NHS number join",
        "0.9800",
    ):
        assert words in text, words
    assert "./run consume" in text
    assert "http://127.0.0.1:20001/metrics" in text


def test_without_a_three_tier_pathway_it_says_so() -> None:
    text = shown(result(snapshots=[]))
    assert "No pathway reaches across all three tiers." in text
    assert "0 of 0" in text, "no share is made of nothing"


def test_what_went_wrong_is_not_left_out() -> None:
    text = shown(result(stalled=7, found=CanaryFindings(36, 35, 4, 1_000)))
    assert "stalled 7" in text
    assert "35 seen where they may be, 4 anywhere else" in text


def test_the_json_says_the_same_figures() -> None:
    printed = result(stalled=7).as_json()
    assert (printed["acknowledged"], printed["linked"], printed["stalled"]) == (40, 40, 7)
    assert printed["linkage"] == {"precision": 1.0, "recall": 0.98, "f1": 0.99}
    assert printed["tier2_52_weeks_expected"] == {"starters": [2, 9], "closed": [2, 5], "completers": [1, 4]}
    assert printed["tier2_52_weeks"] == printed["tier2_52_weeks_expected"]
    assert printed["canary"]["planted_found"] == printed["canary"]["planted"]
