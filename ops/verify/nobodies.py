"""The planted people of the demonstration: none of them can exist, so that their values seen anywhere are a leak."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, repr=False)
class Nobody:
    """A person who cannot exist: every value is unlike anything a programme would write by itself."""

    family: str
    given: str
    other: str
    nhs_number: str
    birth_date: str  # YYYY-MM-DD
    postcode: str
    street: str
    local_id: str
    phone: str
    mailbox: str
    business_id: str
    free_text: str

    def values(self) -> Sequence[str]:
        """Every value that must never be seen past the seal."""
        return tuple(getattr(self, name) for name in self.__dataclass_fields__)


NOBODIES = {
    "gp-hub": Nobody(
        "Quixothyrbel", "Zanphrolique", "Vuxmorthazel", "9990000018", "1901-02-03", "QX9 8ZZ", "Wyxbarnoglut Yard",
        "GPX7719QQZ4", "07700900871", "xanqorvethul@zqxwv.example", "918273640915", "Brolquizanfex",
    ),
    "trust-wm": Nobody(
        "Jaxquomberly", "Ophwyzantrel", "Kezvulphador", "9990000026", "1901-04-05", "XQ7 6YY", "Fyzgrathomel Mews",
        "TRX5508KKW2", "07700900532", "qomfyzbrandel@wvqxz.example", "REFQXZ55081", "Glymphazorque",
    ),
    "council-east": Nobody(
        "Pryxomalthew", "Wexglanidorf", "Thyzquendolp", "9990000034", "1901-06-07", "ZX5 4WW", "Dremquoxalby Rise",
        "CEX3346JJY6", "07700900346", "vyxlamborque@qwzxv.example", "CASEQX33460", "Snarfluxidome",
    ),
}  # fmt: skip
