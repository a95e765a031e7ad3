"""Training: weights from counted agreement patterns, and the gate a model passes before it decides about anyone.

`anchored` fits on pairs that both carry an NHS number, where equal numbers say "one person": free labels, still
pseudonymous. `em` needs no label and is only a cold start. Source: linkage design §4.2.
"""

from dataclasses import dataclass

from linkage.anchored import Fitting, anchored
from linkage.counts import Counts, counted
from linkage.em import em
from linkage.errors import ModelRefused
from linkage.model import Model, Origin, weigh

__all__ = [
    "Counts",
    "Fitting",
    "LabelQuality",
    "ModelRefused",
    "Origin",
    "anchored",
    "counted",
    "em",
    "quality_on_labels",
    "refuse_unless_precise",
]

PRECISION_MIN = 0.99
LINKED_MIN = 100  # fewer labelled links cannot tell 0.99 from chance


@dataclass(frozen=True, slots=True)
class LabelQuality:
    """Labelled pairs a model would link by its weights alone, and what the labels say: `right` are one person,
    `wrong` two; `missed` are one person and not linked.
    """

    right: int
    wrong: int
    missed: int

    @property
    def linked(self) -> int:
        """Labelled pairs the model links."""
        return self.right + self.wrong

    @property
    def precision(self) -> float:
        """Right links of all links; 1.0 when there is none."""
        return self.right / self.linked if self.linked else 1.0

    @property
    def recall(self) -> float:
        """Right links of all labelled matches; 1.0 when there is none."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


def quality_on_labels(model: Model, counts: Counts) -> LabelQuality:
    """What the model does with the labelled pairs when their NHS numbers are set aside."""
    matches, others = counts.matches(), counts.others()
    right = sum(pairs for at, pairs in matches.items() if weigh(model, at).bits >= model.link)
    wrong = sum(pairs for at, pairs in others.items() if weigh(model, at).bits >= model.link)
    return LabelQuality(right, wrong, sum(matches.values()) - right)


def refuse_unless_precise(model: Model, counts: Counts, *, at_least: float = PRECISION_MIN) -> None:
    """Raises ModelRefused when the model's precision on labelled pairs is below `at_least`, or when it links fewer
    than LINKED_MIN of them, so that nobody can say.
    """
    quality = quality_on_labels(model, counts)
    if quality.linked < LINKED_MIN:
        raise ModelRefused(
            "labels", rule=f"at least {LINKED_MIN} labelled pairs linked to judge by, found {quality.linked}"
        )
    if quality.precision < at_least:
        raise ModelRefused("precision", rule=f"at least {at_least} on labelled pairs, found {quality.precision:.4f}")
