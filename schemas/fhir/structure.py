"""What FHIR R4 says of a resource's structure, as warnings: whether a message is refused depends on the parts we need.

About one in seven of NHS's own published BaRS files breaks strict FHIR (an object where a list belongs, a required
element missing) in parts nobody reads. Models: fhir.resources R4B, which differs from R4 in none of these resources.
"""

from collections.abc import Mapping
from functools import cache
from typing import cast, get_args

from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel, ValidationError

from schemas.errors import Issue, Severity, error, issues_of, warning
from schemas.fhir.fast_valid import is_fast_valid

USED = (
    "MessageHeader", "Patient", "ServiceRequest", "Appointment", "Encounter", "Observation",
    "QuestionnaireResponse", "Task",
)  # fmt: skip
LIST_MAX = 200  # identifiers, names, extensions of one resource; no real one seen has over 20


# What fhir.resources 8.3.0 itself stumbles over before it can say what is wrong: a number where a URL belongs
# ends as an AttributeError.
_LIBRARY_FAULTS = (AttributeError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError)


def issues(resource: Mapping[str, object], path: str) -> tuple[Issue, ...]:
    """Every structural fault of a resource of a type in USED, as warnings; none where a list is absurdly long."""
    if absurd_lists(resource, path) or is_fast_valid(resource):
        return ()
    try:
        cast(type[BaseModel], get_fhir_model_class(str(resource["resourceType"]))).model_validate(resource)
    except ValidationError as failure:
        return issues_of(failure, root=path, known_names=known_names(), severity=Severity.WARNING)
    except _LIBRARY_FAULTS:
        return (warning(path, "has an element of another JSON type than FHIR says", code="structure"),)
    return ()


def absurd_lists(resource: Mapping[str, object], path: str) -> tuple[Issue, ...]:
    """An error for each list of the resource that no real one has; quick, whatever the resource holds."""
    long = [name for name, value in resource.items() if isinstance(value, list) and len(value) > LIST_MAX]
    names = [name if name in known_names() else "element" for name in long]
    return tuple(error(f"{path}.{name}", f"has over {LIST_MAX} items", code="too-long") for name in names)


@cache
def known_names() -> frozenset[str]:
    """Every element name of the resources in USED and of the types inside them: a name may be repeated, a value
    may not."""
    names: set[str] = set()
    waiting: list[type[BaseModel]] = [cast(type[BaseModel], get_fhir_model_class(name)) for name in USED]
    seen: set[type[BaseModel]] = set()
    while waiting:
        model = waiting.pop()
        if model in seen:
            continue
        seen.add(model)
        for name, field in model.model_fields.items():
            names.update((name, field.alias or name))
            waiting.extend(_models_in(field.annotation))
    return frozenset(names)


def _models_in(annotation: object) -> list[type[BaseModel]]:
    """The models an annotation holds, inside lists and unions. fhir.resources names them by types with a getter."""
    found = []
    for part in (annotation, *get_args(annotation)):
        if part is not annotation:
            found += _models_in(part)
        getter = getattr(part, "get_model_klass", None)
        if callable(getter):
            try:
                found.append(cast(type[BaseModel], getter()))
            except (ValueError, AttributeError):
                continue  # an abstract type: no model of its own
    return found
