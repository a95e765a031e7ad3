"""Ingress: open an entry, judge each value, build pseudonymous ones by allow-list. After this step no name exists.

One entry becomes its identity as sealed tokens, its facts in one sealed element, and last the receipt for its source;
or, where it ends here, its disposition and the receipt with the reasons. What is kept of a record, its data keys and
identities, is the vault (`vault.py`). Erasures, and turns of a bucket, come from operations (`schemas.erasures`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

from schemas import canonical, elements, erasures
from schemas.data_keys import BucketKeys, Family, bucket_of
from schemas.disposition import Disposition, Receipt, disposition_value, receipt_value
from schemas.door_session import Refusal
from schemas.envelope import Envelope, entry_name
from schemas.erasures import Turn
from schemas.errors import Unreadable
from schemas.intake_keys import IntakeKeys
from schemas.keyring import Keyring
from schemas.record_keys import WrappedKeys
from schemas.sealed_body import IDENTITY_PAD_BYTES, seal_body, seal_padded
from schemas.sources import Source
from schemas.topics import DISPOSITIONS, ERASURES, EVENTS, partition_of
from streams.steps import vault
from streams.steps.intake_desk import IntakeDesk
from streams.steps.outcome import Change, Claim, Emit, Message, MessageByMessage, Outcome, Reject, Release
from streams.steps.pseudonyms import PseudonymousEntry, Pseudonyms
from streams.steps.vault import WAITING_MAX_MS, OpenRecord, VaultState

EXPIRED_AT_ONCE = 10


class IngressStep(MessageByMessage):
    """intake.<source>.v1, erasures.v1 -> events.v1, dispositions.v1, receipts.<source>.v1.

    `intake` and `data_keys` give the keys as they are now: those of doors and days, and the bucket keys.
    """

    def __init__(
        self,
        keys: Keyring,
        sources: Mapping[str, Source],
        *,
        intake: Callable[[], IntakeKeys],
        data_keys: Callable[[], BucketKeys],
        test_mode: bool,
        recheck: bool = False,
        quintiles: Mapping[str, int] | None = None,
    ) -> None:
        self._pseudonyms = Pseudonyms.of(keys, quintiles)
        self._desk = IntakeDesk(intake, test_mode=test_mode, recheck=recheck)
        self._data_keys = data_keys
        self._by_topic = {source.intake_topic: source for source in sources.values()}

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> VaultState:
        """The vault of one task from its changelog."""
        return VaultState.of_changelog(elements)

    def advance(self, state: VaultState, message: Message) -> tuple[VaultState, tuple[Outcome, ...]]:
        """Everything that follows from one entry, one erasure or one turn.

        Raises LookupError while the key of the message's day, or a bucket key, has not arrived: the worker then ends,
        to try again.
        """
        if message.topic == ERASURES:
            return state, tuple(self._on_erasure(state, message))
        source = self._by_topic[message.topic]
        expired = _expired(state, message.timestamp_ms)
        try:
            envelope, entry = self.read(source, message)
        except Refusal as refusal:  # anybody may have written it: sealed apart, and no source is told anything
            return state, (*expired, Reject(refusal.code))
        if entry is None:
            name = entry_name(self._pseudonyms.keys, source.slug, envelope.entry_id)
            rejected = _ended(source, envelope, name, Receipt.REJECTED, envelope.reasons)
            return state, (*expired, Reject("rejected"), *rejected)
        if entry.record_id in state.erased:
            return state, (*expired, *_ended(source, envelope, entry.content.entry, Receipt.WITHDRAWN, ()))
        receipt = _receipt(source, envelope, Receipt.ACCEPTED, envelope.reasons)
        return state, (*expired, *self._kept(state, entry, message.timestamp_ms), receipt)

    def read(self, source: Source, message: Message) -> tuple[Envelope, PseudonymousEntry | None]:
        """What an intake message says, None when its door could not read the entry; of the message alone.

        Raises Refusal, and LookupError as `advance`.
        """
        taken = self._desk.take(source, message)
        if taken.message is None:
            return taken.envelope, None
        return taken.envelope, self._pseudonyms.entry(taken.message, source, taken.envelope.entry_id)

    # ------------------------------------------------------------ entries

    def _kept(self, state: VaultState, entry: PseudonymousEntry, now_ms: int) -> Iterable[Outcome]:
        """The vault's claims, then the elements for `events.v1`: keys, identity, merges, and the entry last."""
        record_id, content = entry.record_id, entry.content
        is_new = record_id not in state.wrapped
        record = self._record(state, record_id)
        record.ours = record.ours or entry.is_ours
        # the mark first: of a record that has keys and no mark, nothing would ever be removed
        yield from _waits(state, record_id, entry, is_new=is_new, now_ms=now_ms)
        if is_new:
            yield _claim(record_id, vault.KEYS, state.wrapped[record_id])
        yield from self._identity(state, record, entry)
        if f"{record_id}/{elements.KEYS}/{record.wrapped.epoch}" not in record.sent:
            yield _sent(record, record_id, *elements.keys_element(record_id, record.wrapped))
        name = f"{record_id}/{elements.IDENTITY}/{content.identity}"
        if name not in record.sent:
            yield _sent(record, record_id, *self._identity_element(record, entry))
        for retired, key, value in entry.merges:
            yield _emit(retired, key, value)
        yield _emit(record_id, *elements.entry_element(content, self._pseudonyms.keys, record.data_keys[Family.BODY]))

    def _record(self, state: VaultState, record_id: str) -> OpenRecord:
        """The record with its data keys open; made when it is new. Raises LookupError as `advance`."""
        record = state.in_use.get(record_id)
        if record is None:
            held, wrapped = self._data_keys(), state.wrapped_keys(record_id)
            if wrapped is None:
                bucket = bucket_of(record_id)
                epoch = max(state.epochs.get(bucket, 0), held.oldest(Family.BODY, bucket))
                made = {family: held.made(family, record_id, epoch) for family in Family}
                wrapped = WrappedKeys.of(record_id, made, epoch, held)
                state.wrapped[record_id] = wrapped.value()
                record = OpenRecord(made, wrapped)
            else:
                record = OpenRecord(_opened(record_id, wrapped, held), wrapped)
        return state.use(record_id, record)

    def _identity(self, state: VaultState, record: OpenRecord, entry: PseudonymousEntry) -> Iterable[Outcome]:
        """The claim of an identity that the vault has not yet."""
        record_id, name = entry.record_id, entry.person_name
        kept = state.identities.setdefault(record_id, set())
        if name in kept:
            return
        kept.add(name)
        key = f"{record_id}/{vault.IDENTITY}/{name}".encode()
        sealed = seal_body(record.data_keys[Family.IDENTITY], entry.person, context=key, pad_bytes=IDENTITY_PAD_BYTES)
        yield Claim(key, vault.sealed_identity(sealed))

    def _identity_element(self, record: OpenRecord, entry: PseudonymousEntry) -> tuple[str, bytes]:
        """Key and value of the identity in `events.v1`: its tokens, sealed for the linker."""
        name, record_id = entry.content.identity, entry.record_id
        if name not in record.identities:
            encoded = self._pseudonyms.encoded(entry.identity)
            sealed = seal_padded(
                record.data_keys[Family.TOKENS],
                encoded.to_bytes(),
                context=record_id.encode(),
                pad_bytes=IDENTITY_PAD_BYTES,
            )
            record.identities[name] = elements.identity_element(
                record_id, name, sealed_tokens=sealed, usable=encoded.usable
            )
        return record.identities[name] if not record.ours else record.identities.pop(name)

    # ------------------------------------------------------------ erasures and turns

    def _on_erasure(self, state: VaultState, message: Message) -> Iterable[Outcome]:
        try:
            received = erasures.parse(message.key, message.value)
        except Unreadable:
            return (Reject("unreadable"),)
        if isinstance(received, Turn):
            return self._turn(state, received)
        record_id = received.record_id
        state.erased.add(record_id)
        return (
            _claim(record_id, f"{vault.ERASED}/", b"{}"),
            _emit(record_id, *elements.erased_element(record_id)),
            *map(Release, state.forget(record_id)),
        )

    def _turn(self, state: VaultState, turn: Turn) -> Iterable[Outcome]:
        """The keys of every record of the bucket, wrapped in the new epoch; nothing when that is in the state.

        The bucket's own element comes last: while it is not in the changelog, all of it is sent again.
        """
        held = self._data_keys()
        if turn.epoch <= state.epochs.get(turn.bucket, 0):
            return ()
        if turn.epoch > held.newest(Family.BODY, turn.bucket):
            return (Reject("epoch"),)
        outcomes: list[Outcome] = []
        for record_id in sorted(filter(lambda name: bucket_of(name) == turn.bucket, state.wrapped)):
            former = state.wrapped_keys(record_id)
            assert former is not None
            wrapped = WrappedKeys.of(record_id, _opened(record_id, former, held), turn.epoch, held)
            state.wrapped[record_id] = wrapped.value()
            if record_id in state.in_use:
                state.in_use[record_id].wrapped = wrapped
            outcomes.append(_emit(record_id, *elements.keys_element(record_id, wrapped)))
            if former.epoch != turn.epoch:
                outcomes.append(_emit(record_id, elements.keys_element(record_id, former)[0], None))
            outcomes.append(Change(f"{record_id}/{vault.KEYS}".encode(), state.wrapped[record_id]))
        state.epochs[turn.bucket] = turn.epoch
        element = canonical.dump({"epoch": turn.epoch})
        return [*outcomes, Change(f"{vault.BUCKET}/{turn.bucket}".encode(), element)]


def _opened(record_id: str, wrapped: WrappedKeys, held: BucketKeys) -> dict[Family, bytes]:
    """Raises LookupError as `BucketKeys.opened`, and when the bucket key was destroyed though the vault has the record:
    an older copy of the vault, which must not go on by itself.
    """
    opened = {family: wrapped.opened(record_id, family, held) for family in Family}
    found = {family: key for family, key in opened.items() if key is not None}
    if len(found) < len(opened):
        raise LookupError("the vault has a record whose bucket key was destroyed")
    return found


def _waits(
    state: VaultState, record_id: str, entry: PseudonymousEntry, *, is_new: bool, now_ms: int
) -> Iterable[Outcome]:
    """The mark of a record that is not ours, or its end."""
    key = f"{record_id}/{vault.SINCE}/".encode()
    if is_new and not entry.is_ours:
        state.waiting[record_id] = now_ms
        yield Claim(key, canonical.dump({"since_ms": now_ms}))
    elif entry.is_ours and state.waiting.pop(record_id, None) is not None:
        yield Change(key, None)


def _expired(state: VaultState, now_ms: int) -> Iterable[Outcome]:
    """Nothing is kept of a record that has waited longer than records lets it; a few with each message."""
    outcomes: list[Outcome] = []
    for record_id, since_ms in list(islice(state.waiting.items(), EXPIRED_AT_ONCE)):
        if now_ms - since_ms < WAITING_MAX_MS:
            break
        outcomes += map(Release, state.forget(record_id))
    return outcomes


def _sent(record: OpenRecord, record_id: str, key: str, value: bytes) -> Emit:
    """The element; it need not be sent again in this life when nothing downstream removes it."""
    if record.ours:
        record.sent.add(key)
    return _emit(record_id, key, value)


def _claim(record_id: str, name: str, value: bytes) -> Claim:
    return Claim(f"{record_id}/{name}".encode(), value)


def _emit(record_id: str, key: str, value: bytes | None) -> Emit:
    return Emit(EVENTS, partition_of(record_id), key.encode(), value)


def _ended(
    source: Source, envelope: Envelope, name: str, receipt: Receipt, reasons: Sequence[Mapping[str, str]]
) -> tuple[Emit, ...]:
    """An entry that goes no further: its disposition, and its receipt with the reasons."""
    value = disposition_value(Disposition(receipt.value), source.slug, revision=0)
    return Emit(DISPOSITIONS, partition_of(name), name.encode(), value), _receipt(source, envelope, receipt, reasons)


def _receipt(source: Source, envelope: Envelope, receipt: Receipt, reasons: Sequence[Mapping[str, str]]) -> Emit:
    entry_id = envelope.entry_id
    return Emit(source.receipts_topic, partition_of(entry_id), entry_id.encode(), receipt_value(receipt, reasons))
