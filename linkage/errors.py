"""Every error the linkage library raises: a LinkageError that names a field and the rule it broke, never the value.

A value here may be a person or a key.
"""


class LinkageError(ValueError):
    """Something given to the library broke a rule. `field` and `rule` say which; the value is never kept."""

    def __init__(self, field: str, *, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class ModelInvalid(LinkageError):
    """The model text is not JSON, of another format, or a weight is missing, unknown or out of range."""


class ModelRefused(LinkageError):
    """A fit had too little to go by or did not settle, or its model failed the gate. The rule gives the figure: a
    count or a share, never a value.
    """


class EncodingInvalid(LinkageError):
    """The bytes are not the canonical form of an encoded identity of a version this code reads."""


class KeyInvalid(LinkageError):
    """The token key is shorter than 32 bytes, or the epoch does not fit 32 bits."""
