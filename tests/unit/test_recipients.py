"""The list of recipients is read strictly: a slip in it would publish to somebody what no agreement allows."""

from datetime import date

import pytest

from ops.errors import MissingInput, SettingsError
from ops.runtime.paths import load_recipients
from schemas.errors import InvalidField
from schemas.field_sets import FIELD_SETS
from schemas.recipients import RECIPIENTS_MAX, parse

DEMO = {"slug": '"demo"', "purpose": '"direct care"', "fields": '"full"', "from": "2026-04-01", "to": "2027-03-31"}
CITY = DEMO | {"slug": '"city"', "purpose": '"planning"', "fields": '"planning"'}


def text(*tables: dict[str, str]) -> str:
    return "\n".join("[[recipient]]\n" + "\n".join(f"{key} = {value}" for key, value in t.items()) for t in tables)


def test_recipients_come_in_the_order_of_the_file() -> None:
    found = parse(text(DEMO, CITY))
    assert list(found) == ["demo", "city"]
    assert (found["city"].purpose, found["city"].fields) == ("planning", FIELD_SETS["planning"])


def test_both_days_of_the_period_belong_to_it() -> None:
    demo = parse(text(DEMO))["demo"]
    days = [date(2026, 3, 31), date(2026, 4, 1), date(2027, 3, 31), date(2027, 4, 1)]
    assert [demo.covers(day) for day in days] == [False, True, True, False]


def test_the_packaged_list_has_demo_and_stands_for_direct_care() -> None:
    (demo,) = load_recipients(None).values()
    assert (demo.slug, demo.purpose, demo.fields.name) == ("demo", "direct care", "full")


@pytest.mark.parametrize(
    ("changed", "place", "rule"),
    [
        ({"slug": '"Demo"'}, "recipient[1].slug", "lower-case"),
        ({"slug": '"../x"'}, "recipient[1].slug", "lower-case"),
        ({"slug": "5"}, "recipient[1].slug", "lower-case"),
        ({"slug": '"demo"'}, "recipient[1].slug", "used twice"),
        ({"purpose": '"curiosity"'}, "recipient[1].purpose", "direct care, planning, research"),
        ({"purpose": "[]"}, "recipient[1].purpose", "direct care, planning, research"),
        ({"fields": '"everything"'}, "recipient[1].fields", "full, planning, research"),
        ({"fields": '"full"'}, "recipient[1].fields", "not a set for this purpose"),
        ({"fields": '"research"'}, "recipient[1].fields", "not a set for this purpose"),
        ({"from": '"2026-04-01"'}, "recipient[1].from", "is a day"),
        ({"from": "2026-04-01T00:00:00Z"}, "recipient[1].from", "is a day"),
        ({"to": "2026-03-31"}, "recipient[1].to", "not before from"),
        ({"note": '"for Mary Smith"'}, "recipient[1]", "no recipient has"),
    ],
)
def test_a_slip_is_named_by_place_and_rule_and_never_repeated(changed: dict[str, str], place: str, rule: str) -> None:
    with pytest.raises(InvalidField, match=rule) as refused:
        parse(text(DEMO, CITY | changed))
    assert refused.value.field == place
    assert not any(word in str(refused.value) for word in ("Mary", "curiosity", "everything", "../x"))


@pytest.mark.parametrize("missing", ["slug", "purpose", "fields", "from", "to"])
def test_nothing_is_taken_for_granted(missing: str) -> None:
    """No period without an end, no purpose by default: whoever signs the agreement wrote them down."""
    with pytest.raises(InvalidField) as refused:
        parse(text({key: value for key, value in DEMO.items() if key != missing}))
    assert refused.value.field == f"recipient[0].{missing}"


@pytest.mark.parametrize(
    "file",
    [
        "recipient = 5",
        "recipient = [5]",
        "[recipient]",
        "[[recipients]]",
        "\x00",
        "recipient = [",
        "",
        "recipient = []",
    ],
)
def test_what_is_no_list_of_recipients_is_refused(file: str) -> None:
    with pytest.raises(InvalidField):
        parse(file)


def test_there_is_a_limit_to_recipients() -> None:
    many = [DEMO | {"slug": f'"r{number}"'} for number in range(RECIPIENTS_MAX + 1)]
    assert len(parse(text(*many[1:]))) == RECIPIENTS_MAX
    with pytest.raises(InvalidField):
        parse(text(*many))


def test_a_file_at_fault_is_a_wrong_setting_and_one_that_is_missing_a_missing_input(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "recipients.toml"
    with pytest.raises(MissingInput):
        load_recipients(file)
    file.write_text(text(DEMO, DEMO))
    with pytest.raises(SettingsError, match=r"recipient\[1\].slug: is used twice") as refused:
        load_recipients(file)
    assert refused.value.exit_code == 78
