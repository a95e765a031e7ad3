"""What must hold once a simulated run has come to rest."""

from ops.lab.memory_engine.engine import finals
from ops.lab.model_check.run_trace import Violation
from ops.lab.model_check.scheduler import ScheduledRun
from ops.verify.checker.histories import History
from ops.verify.compare import final_values
from schemas.topics import DISPOSITIONS
from streams.steps.outcome import Change, Claim, Message, Outcome, Release, Step

PROBES = 3  # messages asked of the live state and of the one read back


def judge(run: ScheduledRun, *, probe: bool) -> None:
    """Nothing lost, nothing different, everything committed, the state as its changelog says. Raises Violation.

    `probe`: what is read back from the changelog also answers the last messages as the live state does; this
    ends the run, as a state is used up by the asking.
    """
    _nothing_lost(run)
    _nothing_differs(run)
    _nothing_went_backwards(run)
    _everything_committed(run)
    _state_is_its_changelog(run)
    if probe:
        _state_answers_alike(run)


def _nothing_lost(run: ScheduledRun) -> None:
    answered = {key.decode() for key in final_values(run.logs.read([DISPOSITIONS]))}
    if lost := run.world.entries - answered:
        raise Violation("lost", f"{len(lost)} entries without a disposition")


def _nothing_differs(run: ScheduledRun) -> None:
    expected, found = run.world.finals, finals(run.logs)
    for topic, values in expected.items():
        keys = values.keys() | found[topic].keys()
        differing = sum(values.get(key) != found[topic].get(key) for key in keys)
        if differing:
            raise Violation("differing", f"{topic}: {differing} of {len(keys)} keys")


def _nothing_went_backwards(run: ScheduledRun) -> None:
    """Of every key the value that stands last is the newest, and of what is published it has the highest revision."""
    for topic in sorted({topic for topic, _ in run.logs.partitions}):
        history = History(topic)
        for message in run.logs.read([topic]):
            history.take(message)
        if count := history.tally().counts["backwards"]:
            raise Violation("backwards", f"{topic}: {count} keys")


def _everything_committed(run: ScheduledRun) -> None:
    for (topic, partition), behind in run.lag().items():
        if behind:
            raise Violation("lag", f"{topic}/{partition}: {behind}")


def _state_is_its_changelog(run: ScheduledRun) -> None:
    for (name, task), worker in run.owners().items():
        changelog = worker.context.stage.changelog
        if changelog and worker.elements.get(task, {}) != run.logs.folded((changelog, task)):
            raise Violation("state differs from its changelog", f"{name}/{task}")


def _state_answers_alike(run: ScheduledRun) -> None:
    for (name, task), worker in run.owners().items():
        changelog = worker.context.stage.changelog
        if changelog is None or task not in worker.states:
            continue
        step = worker.context.step
        live, restored = worker.states[task], step.restore(run.logs.folded((changelog, task)).items())
        for topic in worker.context.stage.reads:
            for message in run.logs.messages((topic, task))[-PROBES:]:
                live, live_outcomes = _answered(step, live, message)
                restored, restored_outcomes = _answered(step, restored, message)
                if not live_outcomes <= restored_outcomes or any(
                    isinstance(outcome, Change | Claim | Release) for outcome in restored_outcomes - live_outcomes
                ):
                    raise Violation("restored state answers otherwise", f"{name} {topic}/{task}@{message.offset}")


def _answered(step: Step[object], state: object, message: Message) -> tuple[object, set[Outcome]]:
    """The outcomes of one message as a batch; after a restart there may be more outputs, as claims are not sure."""
    state, outcomes = step.advance(state, message)
    return state, {*outcomes, *(outcome for _, found in step.finish(state) for outcome in found)}
