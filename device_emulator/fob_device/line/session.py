"""One open session on a line: records in, the security manager's answers out."""

import asyncio
from collections.abc import Callable
from typing import Final

from fob_device.approval.askers import Asker
from fob_device.line.jobs import Fate, Job, JobMemory, Jobs
from fob_device.line.silence import Silence
from fob_device.security.manager import SecurityManager
from fob_device.security.values import octets, whole
from fob_protocol.at.answer import Answer, Event, encode_answer, encode_event
from fob_protocol.at.command import Command, decode_command
from fob_protocol.at.values import Value
from fob_protocol.catalogue import EVENT_ASK, EVENT_UNPAIRED, RECALL, STATE_EVENTS
from fob_protocol.errors import AtSyntaxError
from fob_protocol.link.frames import Frame
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.session.responder import Closed, Responder, Run, Withdraw

# What only the newest event tells: how something stands, or what is asked about one request.
Topic = tuple[str, Value]

UNPAIRED: Final = Answer(ckr=Ckr.DEVICE_REMOVED, words="this computer was unpaired on the device")


class DeviceSession:
    """Drives a Responder and a SecurityManager with the event loop's clock. Octets leave by `write`."""

    def __init__(
        self,
        responder: Responder,
        jobs: Jobs,
        memory: JobMemory,
        write: Callable[[bytes], None],
        clock: Callable[[], float],
    ) -> None:
        self._responder = responder
        self._jobs = jobs
        self._memory = memory
        self._write = write
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._silence = Silence(jobs, lambda: responder.pace.silence)
        self._manager: SecurityManager | None = None
        # The newest event of each topic, and its number.
        self._announced: dict[Topic, tuple[int, Event]] = {}
        self._is_retired = False
        self.closed = False

    def attach(self, manager: SecurityManager) -> None:
        """The manager that runs this session's commands; it announces through `announce`."""
        self._manager = manager

    def is_run_by(self, manager: SecurityManager | None) -> bool:
        """True when this manager runs this session's commands."""
        return manager is not None and self._manager is manager

    def retire(self) -> None:
        """The device's person unpaired this PC: it hears so, in answer to whatever it asks, and nothing is done."""
        self._is_retired = True
        self.announce(Event(EVENT_UNPAIRED))

    def receive(self, frame: Frame) -> None:
        """Take a record. One that comes too late, when the session is over, does nothing: the next one settles it."""
        if self.closed:
            return
        not_opened = self._responder.not_opened
        happening = self._responder.receive(frame, self._clock())
        if self._responder.not_opened == not_opened:
            self._silence.end()
        match happening:
            case Run(number, text):
                self._run(number, text)
            case Withdraw(number):
                self._jobs.withdraw(number)
            case Closed():
                self.close()
        self.flush()

    def announce(self, event: Event) -> None:
        """Send an event to the PC. It takes the place of an older one of its topic that is on its way."""
        if self.closed:
            return
        topic = _topic(event)
        if topic is not None:
            self._retract(topic)
        number = self._responder.emit(encode_event(event), self._clock())
        if topic is not None:
            self._announced[topic] = number, event
        self.flush()

    def correct(self, event: Event) -> None:
        """Announce it if the PC may still receive an event of the same name that tells otherwise."""
        number, on_its_way = self._announced.get((event.name, None), (-1, event))
        if self._responder.is_waiting(number) and on_its_way != event:
            self.announce(event)

    def flush(self) -> None:
        """Write what is due and set the timer for what will be."""
        if self.closed:
            return
        for frame in self._responder.due(self._clock()):
            self._write(frame.to_bytes())
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._responder.next_timer()
        if due is not None:
            delay = max(due - self._clock(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(delay, self.flush)

    def close(self) -> None:
        """The session is over. Jobs that run go on when a FOBRECALL comes soon; when they have ended the logins do."""
        if self.closed:
            return
        self.closed = True
        self._silence.stop()
        self._memory.end(self._jobs, self._responder.pace)
        if self._timer is not None:
            self._timer.cancel()
        waiting = [job.task for job in self._jobs.unfinished()]
        if self._manager is None:
            return
        if waiting:
            asyncio.gather(*waiting, return_exceptions=True).add_done_callback(lambda _: self._end())
        else:
            self._end()

    def _end(self) -> None:
        if self._manager is not None:
            self._manager.close()

    def _run(self, number: int, text: bytes) -> None:
        asker = Asker()
        task = asyncio.get_running_loop().create_task(self._execute(number, text, asker))
        self._jobs.add(number, Job(task, asker))
        task.add_done_callback(lambda done: self._finish(number, done))

    def _finish(self, number: int, task: asyncio.Task[Answer]) -> None:
        if not self.closed:
            answer = self._withdrawn() if task.cancelled() else task.result()
            self._retract((EVENT_ASK, number))
            self._responder.answer(number, encode_answer(answer))
            self.flush()

    def _retract(self, topic: Topic) -> None:
        """What was announced about it is not sent any more."""
        if topic in self._announced:
            self._responder.retract(self._announced.pop(topic)[0])

    def _withdrawn(self) -> Answer:
        return UNPAIRED if self._is_retired else Answer(ckr=Ckr.FUNCTION_CANCELED)

    async def _execute(self, number: int, text: bytes, asker: Asker) -> Answer:
        if self._is_retired:
            return UNPAIRED
        try:
            command = decode_command(text)
            if command.name == RECALL.name:
                return await self._recall(command)
        except AtSyntaxError as error:
            return Answer(ckr=Ckr.ARGUMENTS_BAD, words=str(error))
        if self._manager is None:
            return Answer(ckr=Ckr.DEVICE_ERROR)
        return await self._manager.execute(command, number, asker)

    async def _recall(self, command: Command) -> Answer:
        session, number = RECALL.check(command.values)
        job = self._memory.recall(self._jobs, octets(session), whole(number), self._responder.pace)
        if job is Fate.NEVER_CAME:
            return Answer(ckr=Ckr.OPERATION_NOT_INITIALIZED, words=job.value)
        if job is Fate.FORGOTTEN:
            return Answer(ckr=Ckr.DEVICE_ERROR, words=job.value)
        try:
            return await asyncio.shield(job.task)
        except asyncio.CancelledError as cancelled:
            if job.task.cancelled():
                return Answer(ckr=Ckr.FUNCTION_CANCELED)
            # What an ended session recalled, a newer one may have recalled too.
            if not self.closed:
                job.task.cancel(*cancelled.args)
            raise


def _topic(event: Event) -> Topic | None:
    if event.name in STATE_EVENTS:
        return event.name, None
    return (event.name, event.values[0]) if event.name == EVENT_ASK else None
