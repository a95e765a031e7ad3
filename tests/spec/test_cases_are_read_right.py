"""What a source says is read whole, or its absence is said: every golden case against its answer.

`tests/golden/cases/not_yet.txt` lists the cases not yet read so. One that becomes right must leave the list.
"""

import pytest
from case_answers import Case, cases, not_yet

WAITING = not_yet()


def parameter(case: Case) -> object:
    waits = case.name in WAITING
    marks = [pytest.mark.xfail(strict=True, reason="not yet read so")] if waits else []
    return pytest.param(case, id=case.name, marks=marks)


@pytest.mark.parametrize("case", [parameter(case) for case in cases()])
def test_case_is_read_as_its_answer_says(case: Case) -> None:
    assert case.differences() == []


def test_the_list_names_only_cases_there_are() -> None:
    assert {case.name for case in cases()} >= WAITING
