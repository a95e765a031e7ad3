"""Where a published snapshot says otherwise than expected."""

from collections.abc import Iterator, Mapping, Sequence

from ops.lab.simulator.expected.definitions import TIERS
from ops.lab.simulator.expected.handovers import label

Pathway = dict[str, object]
# How the things in a list are paired where their order says nothing.
_KEYS: Mapping[str, Sequence[str]] = {
    "weights": ("on", "method", "kg"),
    "outcomes": ("definition", "weeks"),
    "completions": ("basis", "definition"),
    "eligibility": ("basis", "rule"),
    "handovers": ("sent_on", "from_tier", "to_tier", "provider_ods", "status"),
    "courses": ("started_on",),
    "medicines": ("started_on", "dmd_code"),
    "procedures": ("on", "code"),
    "scores": ("questionnaire",),
    "suspensions": ("from_on",),
    "findings": ("on", "rule"),
}


def differences(expected: Mapping[str, object], published: Mapping[str, object]) -> list[str]:
    """Where the published snapshot (its JSON) says otherwise: one line a place, empty when exact.

    Only what `expected` holds is compared, so a snapshot may say more. Episodes are paired in order of tier and day,
    and stand by these where they are named by an id. Numbers are equal when equal to 0.001: one side went through JSON.
    """
    return list(_differing("", expected, _ordered(published)))


def _ordered(published: Mapping[str, object]) -> Pathway:
    """The snapshot in our order, with labels instead of ids."""
    episodes = sorted(_objects(published["episodes"]), key=episode_order)
    labels = {episode.get("id"): label(episode) for episode in episodes} | {None: None}
    handovers = [_relabelled(handover, labels) for handover in _objects(published["handovers"])]
    courses = [_relabelled(course, labels) for course in _objects(published.get("courses", ()))]
    snapshot = {**published, "handovers": handovers, "courses": courses}
    return {**_with_lists_ordered(snapshot), "episodes": [_with_lists_ordered(episode) for episode in episodes]}


def _relabelled(thing: Mapping[str, object], labels: Mapping[object, str | None]) -> Pathway:
    """Ids of episodes as labels; what is no id of an episode stays."""
    named = {name: labels.get(thing[name], thing[name]) for name in ("episode", "from_episode") if name in thing}
    episodes = thing.get("episodes")
    if isinstance(episodes, list | tuple):
        named["episodes"] = sorted(str(labels.get(episode, episode)) for episode in episodes)
    return {**thing, **named}


def _with_lists_ordered(thing: Mapping[str, object]) -> Pathway:
    ordered = {
        name: in_order(name, _objects(value))
        for name, value in thing.items()
        if name in _KEYS and isinstance(value, list | tuple)
    }
    return {**thing, **ordered}


def in_order(name: str, things: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """The things of a list of that name, as they are paired."""
    return sorted(things, key=lambda thing: tuple(_sortable(thing.get(key)) for key in _KEYS[name]))


def _sortable(value: object) -> tuple[float, str]:
    return (float(value), "") if isinstance(value, int | float) else (0.0, "" if value is None else str(value))


def episode_order(episode: Mapping[str, object]) -> tuple[object, ...]:
    """By tier, day of receipt, and whether the referral was taken back."""
    received_on, retracted = str(episode["received_on"] or ""), bool(episode.get("referral_retracted"))
    return TIERS.index(str(episode["tier"])), received_on, retracted, str(episode.get("stage"))


def _objects(values: object) -> list[Mapping[str, object]]:
    assert isinstance(values, list | tuple)
    return list(values)


def _differing(place: str, expected: object, published: object) -> Iterator[str]:
    if isinstance(expected, Mapping) and isinstance(published, Mapping):
        for name, value in expected.items():
            yield from _differing(f"{place}.{name}" if place else name, value, published.get(name))
    elif isinstance(expected, list) and isinstance(published, list | tuple):
        if len(expected) != len(published):
            yield f"{place}: expected {len(expected)}, published {len(published)}"
        for position, (wanted, found) in enumerate(zip(expected, published, strict=False)):
            yield from _differing(f"{place}[{position}]", wanted, found)
    elif not _equal(expected, published):
        yield f"{place}: expected {expected}, published {published}"


def _equal(expected: object, published: object) -> bool:
    if isinstance(expected, float) and isinstance(published, int | float):
        return abs(expected - published) < 0.001
    return bool(expected == published)
