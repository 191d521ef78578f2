"""Workers: several processes that serve one port, under uvicorn's own supervisor.

That keeps as many as there are to be, and renews them one by one. What it does not do is here: it would let workers
outlive it, wait without end for one that hangs, and see a hanging event loop as well as long as its threads run.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread, Timer
from time import monotonic, sleep
from types import FrameType

import uvicorn
from uvicorn.supervisors import multiprocess

LAST_RESORT_SECONDS = 4.5
"""How long after SIGTERM a process ends in any case."""

START_SECONDS = 60
"""How long a worker may take until it serves."""

HANGS_AFTER_SECONDS = 10
"""How long the event loop of a worker may stand still before the worker is replaced."""

_ALIKE = {signal.SIGINT, signal.SIGHUP}
"""Signals that a terminal sends to the workers as well, and that are the supervisor's alone."""


class Server(uvicorn.Server):
    """Uvicorn's server, which ends in any case, and by which one sees whether its event loop runs."""

    ticked_at = 0.0

    def __init__(self, config: uvicorn.Config, on_start: Callable[[socket.socket], None] | None = None) -> None:
        super().__init__(config)
        self.on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve, and say so."""
        await super().startup(sockets)
        if self.started and sockets and self.on_start:
            self.on_start(sockets[0])

    async def on_tick(self, counter: int) -> bool:
        """Note that the event loop runs; uvicorn calls this ten times a second."""
        self.ticked_at = monotonic()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop to listen, and end when the requests under way are answered."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(0)  # What was accepted a moment ago becomes a connection, which is told of it as well.
        await super().shutdown(sockets)

    def hangs(self) -> bool:
        """Check whether the event loop stands still."""
        return self.ticked_at > 0 and monotonic() - self.ticked_at > HANGS_AFTER_SECONDS

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Finish the requests under way, and then end."""
        # What waits for a database that hangs does not let itself be cancelled, and must not keep the process.
        super().handle_exit(sig, frame)
        _end_in_any_case()


class Worker(multiprocess.Process):
    """A process that serves, as its supervisor has it; `target` and what that calls run in the process itself."""

    is_up = False

    def start(self) -> None:
        """Start it deaf to what a terminal sends to all: it ends when its supervisor says so."""
        self.starts_until = monotonic() + START_SECONDS
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _ALIKE)
        super().start()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve."""
        leave_quietly()
        Thread(target=_end_with_parent, daemon=True).start()
        self._server = self.watched = Server(self.config)
        super().target(sockets)

    def pong(self) -> None:
        """Answer the supervisor, unless the event loop stands still."""
        self.child_conn.recv()
        if not self.watched.hangs():
            self.child_conn.send(self.server.started)

    def wait_until_ready(self, timeout: float, should_exit: Event | None = None) -> bool:
        """Wait until it serves; uvicorn would wait no longer than for a sign of life."""
        self.is_up = super().wait_until_ready(max(timeout, START_SECONDS), should_exit)
        return self.is_up

    def is_alive(self, timeout: float = 5) -> bool:
        """Check whether it is there and answers, or is still to start: on a busy machine, that takes its time."""
        if not self.is_up:
            self.is_up = self.is_ready(timeout=0)
            return self.process.is_alive() and (self.is_up or monotonic() < self.starts_until)
        with suppress(OSError, EOFError):
            while self.parent_conn.poll():  # An answer to an earlier question says nothing of now.
                self.parent_conn.recv()
        return super().is_alive(timeout)


# Uvicorn's supervisor takes its workers' class from its own module alone.
multiprocess.Process = Worker  # type: ignore[misc]


class _Flag(Event):
    """An event that a signal handler can set: without the lock, which the code that was interrupted may hold."""

    is_up = False

    def is_set(self) -> bool:
        return self.is_up

    def set(self) -> None:
        self.is_up = True

    def wait(self, timeout: float | None = None) -> bool:
        sleep(timeout or 0)
        return self.is_up


class Supervisor(multiprocess.Multiprocess):
    """Uvicorn's supervisor, that says once where the server is, ends in time, and renews with settings read anew."""

    def __init__(
        self,
        config: uvicorn.Config,
        listener: socket.socket,
        on_start: Callable[[socket.socket], None],
        read_anew: Callable[[], uvicorn.Config | None],
    ) -> None:
        """Take what to call when all workers serve, and what reads the settings anew, or logs why it cannot."""
        super().__init__(config, [listener])
        self.should_exit = _Flag()
        self.on_start = on_start
        self.read_anew = read_anew
        self.is_told_to_stop = False
        self.has_terminal = sys.stderr.isatty()
        for stop in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop, self._stop)

    def supervise(self) -> int:
        """Keep the workers serving until told to stop; return the exit code."""
        self.run()
        return 0 if self.is_told_to_stop else 1

    def init_processes(self) -> None:
        """Start the workers, and wait until all of them serve."""
        super().init_processes()
        if all(worker.wait_until_ready(START_SECONDS, self.should_exit) for worker in self.processes):
            self.on_start(self.sockets[0])
            # In this process uvicorn has little to say, and all of it is about the workers.
            logging.getLogger("uvicorn").setLevel(logging.getLogger().level)
        else:
            self.should_exit.set()

    def restart_all(self) -> None:
        """Renew the workers one by one, by settings that are read anew; if those cannot be used, none is."""
        config = self.read_anew()
        if config is not None:
            self.config = config
            super().restart_all()

    def handle_hup(self) -> None:
        """Renew the workers; or stop, if it was the terminal that was closed."""
        if self.has_terminal and not sys.stderr.isatty():
            self._stop()
        else:
            super().handle_hup()

    def _stop(self, *_: object) -> None:
        # At once, whatever it is doing: a renewal waits for workers that start, and for others that end.
        self.is_told_to_stop = True
        self.should_exit.set()
        for worker in multiprocessing.active_children():
            worker.terminate()
        _end_in_any_case()


def leave_quietly() -> None:
    """Let the signals that stop a server end this process without a word, as no failure.

    Uvicorn lets them happen again when it has finished all requests. SIGHUP is one of them, as terminals send it when
    they are closed: a server of a single process cannot be renewed without a gap.
    """
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: sys.exit())
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as `nohup` wants it
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        _end_in_any_case()


def _end_in_any_case() -> None:
    last_resort = Timer(LAST_RESORT_SECONDS, _end_at_once)
    last_resort.daemon = True
    last_resort.start()


def _end_at_once() -> None:
    for worker in multiprocessing.active_children():
        worker.kill()
    os._exit(1)
