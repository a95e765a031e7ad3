"""The base of every published model."""

from pydantic import BaseModel, ConfigDict


class PublishedModel(BaseModel):
    """What every published value shares: frozen, and nothing in it that is not named here."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
