"""Bundles as sent and as we write them, beside the facts they tell: a change shows itself here in words.

After a meant change: `python tests/unit/test_fhir_golden.py` writes the files anew; read the difference.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from fhir_samples import GP_HUB, RECEIVED_AT, TRUST, every_fact, referral_bundle

from schemas.check import check
from schemas.fhir.write import bundle
from schemas.sources import Source

FOLDER = Path(__file__).resolve().parents[1] / "golden/primary_care"
SENT: dict[str, tuple[Source, Any]] = {
    "gp_referral": (GP_HUB, referral_bundle),
    "every_fact": (TRUST, lambda: bundle(every_fact(), source=TRUST)),
}


def facts_of(document: object, source: Source) -> list[dict[str, Any]]:
    checked, message = check(document, source=source, test_mode=True, received_at=RECEIVED_AT)
    assert message is not None, checked
    return [
        {
            "business_id": fact.business_id,
            "referral_business_id": fact.referral_business_id,
            "retracted": fact.retracted,
            "body": fact.body.model_dump(mode="json", exclude_none=True),
        }
        for fact in message.facts
    ]


def golden(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SENT)
def test_a_bundle_tells_the_facts_it_told_before(name: str) -> None:
    source, _ = SENT[name]
    assert facts_of(golden(f"{name}.bundle.json"), source) == golden(f"{name}.facts.json")


def test_what_we_write_is_what_we_wrote_before() -> None:
    assert bundle(every_fact(), source=TRUST) == golden("every_fact.bundle.json")


def test_another_weight_is_another_fact() -> None:
    document = golden("gp_referral.bundle.json")
    document["entry"][3]["resource"]["valueQuantity"]["value"] = 99.5
    assert facts_of(document, GP_HUB) != golden("gp_referral.facts.json")


if __name__ == "__main__":
    for name, (source, make) in SENT.items():
        for suffix, value in (("bundle", make()), ("facts", facts_of(make(), source))):
            text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
            (FOLDER / f"{name}.{suffix}.json").write_text(text, encoding="utf-8")
