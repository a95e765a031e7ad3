"""The demonstration's report for people: a timeline, the funnel, gaps, equity, the ledger, the score, where to look."""

from rich.console import Console
from rich.table import Table

from ops.lab.demo import figures
from ops.lab.demo.demo import DemoResult
from ops.lab.demo.outcome_figures import DEFINITION, HORIZON_WEEKS, outcome_figures
from ops.runtime.paths import EnginePaths
from ops.verify.ledger import DISPOSITIONS

GAPS_SHOWN = 3
_TIER_NAMES = {"primary_care": "primary care", "tier2": "Tier 2", "tier3": "Tier 3", "tier4": "Tier 4"}


def show(console: Console, result: DemoResult, layout: EnginePaths) -> None:
    """Print the whole report."""
    _timeline(console, result)
    _funnel(console, result)
    _outcomes(console, result)
    _gaps(console, result)
    _equity(console, result)
    _ledger(console, result)
    _score(console, result)
    _where_next(console, layout)


def _timeline(console: Console, result: DemoResult) -> None:
    person = figures.example(result.snapshots)
    if person is None:
        console.print("No pathway reaches across all three tiers.")
        return
    table = Table(title=f"One person's linked pathway, as recipient demo sees it: {person['person']}")
    for heading in ("date", "where", "what"):
        table.add_column(heading)
    for line in figures.timeline(person):
        table.add_row(line.on, _TIER_NAMES[line.tier], line.text)
    console.print(table)


def _funnel(console: Console, result: DemoResult) -> None:
    table = Table(title="Funnel: medians of waits in days (waits/2)")
    for heading in ("tier", "referred", "accepted", "started", "completed", "wait to acceptance", "to first session"):
        table.add_column(heading)
    for tier in figures.TIERS:
        funnel = figures.funnel(result.snapshots, tier)
        counts = (funnel.referred, funnel.accepted, funnel.started, funnel.completed)
        waits = (_days(funnel.acceptance_wait_days), _days(funnel.session_wait_days))
        table.add_row(_TIER_NAMES[tier], *map(str, counts), *waits)
    console.print(table)


def _outcomes(console: Console, result: DemoResult) -> None:
    table = Table(title=f"At least 5 % lost ({DEFINITION})")
    for heading in ("tier", "weeks", "of all starters", "of closed windows", "of completers"):
        table.add_column(heading)
    for tier in figures.TIERS:
        for weeks in HORIZON_WEEKS:
            found = outcome_figures(result.snapshots, tier, weeks)
            table.add_row(
                _TIER_NAMES[tier],
                str(weeks),
                _share(found.lost_starters, found.starters),
                _share(found.lost_closed, found.closed),
                _share(found.lost_completers, found.completers),
            )
    console.print(table)


def _gaps(console: Console, result: DemoResult) -> None:
    table = Table(title="Referred onward, and what became of it (handover/2)")
    for heading in ("from", "to", "sent", "received", "answered", "never received"):
        table.add_column(heading)
    for gap in figures.gaps(result.snapshots):
        counts = map(str, (gap.sent, gap.received, gap.answered, gap.overdue))
        table.add_row(_TIER_NAMES[gap.from_tier], _TIER_NAMES[gap.to_tier], *counts)
    console.print(table)
    for person in figures.never_received(result.snapshots)[:GAPS_SHOWN]:
        tiers = f"{_TIER_NAMES[person.from_tier]} to {_TIER_NAMES[person.to_tier]}"
        console.print(f"  never received: {person.person}, {tiers}, sent {person.sent_on}")


def _equity(console: Console, result: DemoResult) -> None:
    table = Table(title="Equity: Tier 2 by IMD quintile (1 = most deprived)")
    for heading in ("IMD quintile", "people", "referred", "started", ">=5 % at 12 weeks, of closed windows"):
        table.add_column(heading)
    for row in figures.equity(result.snapshots):
        name = "not known" if row.imd_quintile is None else str(row.imd_quintile)
        counts = map(str, (row.people, row.referred, row.started))
        table.add_row(name, *counts, _share(row.lost_closed, row.closed))
    console.print(table)


def _ledger(console: Console, result: DemoResult) -> None:
    table = Table(title="Message ledger: every acknowledged entry has one end")
    for heading in ("source", "acknowledged", "duplicates", "refused", *DISPOSITIONS, "unaccounted"):
        table.add_column(heading.replace("_", " "))
    for source, ledger in sorted(result.ledgers.items(), key=lambda item: (item[0] == "", item[0])):
        counts = ledger.as_json()
        table.add_row(source or "all", *(str(counts[name]) for name in counts))
    console.print(table)
    console.print(f"stalled {result.stalled}, redelivered {result.redelivered} after {result.kills} kills")
    found = result.found
    console.print(
        f"canary: {found.planted} planted, {found.planted_found} seen where they may be, {found.hits} anywhere else "
        f"({found.bytes_scanned:,} bytes searched)"
    )


def _score(console: Console, result: DemoResult) -> None:
    table = Table(title="Linkage against the simulator's truth (pairs of records)")
    for heading in ("method", "precision", "recall", "F1"):
        table.add_column(heading)
    judgement = result.judgement
    for name, score in (("tierlink", judgement.linkage), ("NHS number join", judgement.nhs_join)):
        table.add_row(name, f"{score.precision:.4f}", f"{score.recall:.4f}", f"{score.f1:.4f}")
    console.print(table)
    console.print(
        f"pathways exact for {judgement.pathway_exact:.1%} of {judgement.compared} people linked rightly, "
        f"against the simulator; {result.seconds:.0f} s in all"
    )


def _where_next(console: Console, layout: EnginePaths) -> None:
    console.print("Where to look next:")
    console.print(f"  ./run consume pathway.state.demo.v1 --latest --max 1 --directory {layout.root}")
    console.print(f"  ./run topics list --directory {layout.root}")
    for name, port in sorted(layout.addresses()["pages"].items()):
        console.print(f"  {name}: http://127.0.0.1:{port}/metrics")


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.0%})" if whole else "0 of 0"


def _days(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
