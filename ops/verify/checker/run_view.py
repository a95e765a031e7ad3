"""What the checker reads: one engine from outside, running but quiet, or stopped with its broker started."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ops.client.journal import Journal, Sent
from ops.runtime.paths import EnginePaths
from schemas import topics
from schemas.envelope import IntakeReader
from schemas.keyring import Keyring
from schemas.sources import Source
from schemas.topics import Topic

Pages = Callable[[], Iterable[tuple[str, str]]]


def no_pages() -> Iterable[tuple[str, str]]:
    """A stopped engine serves none."""
    return ()


@dataclass(frozen=True)
class RunView:
    """`pages` gives process and text of each /metrics; `journal` is written by senders, not by the engine."""

    bootstrap: str
    layout: EnginePaths
    sources: Mapping[str, Source]
    topics: Sequence[Topic]
    keys: Keyring
    recipient: str = "demo"
    pages: Pages = no_pages

    @property
    def journal(self) -> Iterator[Sent]:
        """What was sent and how it was answered."""
        return Journal(self.layout.journal).read()

    @property
    def intake(self) -> IntakeReader:
        """Opens its intake. Raises SettingsError when its keys cannot be read."""
        return IntakeReader(self.layout.current_intake_keys())

    @property
    def topic_names(self) -> Sequence[str]:
        """Every topic, in the order the messages flow."""
        return tuple(topic.name for topic in self.topics)

    @property
    def intakes(self) -> Sequence[str]:
        """The topics that doors write."""
        return tuple(source.intake_topic for source in self.sources.values())

    @property
    def groups(self) -> Mapping[str, Sequence[str]]:
        """Consumer group -> what it reads. Repeated here, so that a stage that the engine forgets is missed."""
        return {
            "tierlink-ingress": (*self.intakes, topics.ERASURES),
            "tierlink-records": (topics.EVENTS, topics.LINK_MAP),
            "tierlink-linker": (topics.IDENTITY,),
            "tierlink-pathway": (topics.PATHWAY_IN,),
        }
