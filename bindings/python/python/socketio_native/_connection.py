"""One connection of a client, from the attempt to its end."""

from __future__ import annotations

from . import _native
from ._futures import future, start

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping
    from typing import Any, Protocol

    from ._loop import Loop

    class _Owner(Protocol):
        """Who is told about a connection."""

        async def _joined(self, namespace: str, sid: str) -> None: ...

        async def _refused(self, namespace: str, why: Any) -> None: ...

        async def _left(self, namespace: str, reason: str) -> None: ...

        def _lost(self, connection: Connection, lost: bool) -> None: ...


OPEN = 1
ERROR = 2

#: Why a connection ended that this side has closed.
ON_PURPOSE = "forced close"

#: The words of python-socketio for the reasons that it has words for.
REASONS = {"io client disconnect": "client disconnect", "io server disconnect": "server disconnect"}


class Connection:
    """A connection that is tried for, is there, or was."""

    def __init__(self, owner: _Owner, loop: Loop, url: str, options: Mapping[str, Any]) -> None:
        import json

        self._owner = owner
        self._manager = _native.Manager(
            _without_path(url),
            json.dumps({**options, "reconnection": False, "autoConnect": False}),
            loop.queue,
            self._told,
        )
        #: The ends of the namespaces that are wanted.
        self.clients: dict[str, _native.Client] = {}
        #: `None` when there is a connection, or else why there is none.
        self.opened: asyncio.Future[str | None] = future()
        #: When there is no connection any more.
        self.over: asyncio.Future[None] = future()
        #: When the handlers have ended, too, which learn of that.
        self.ended: asyncio.Future[None] = future()
        self.closing = False
        self._lost = False
        self._undecided: set[str] = set()
        #: Those of them whose handler is being told what became of them.
        self._deciding: set[str] = set()
        self._joined: set[str] = set()
        self._progress: asyncio.Future[None] = future()
        self._tasks: set[asyncio.Task[Any]] = set()

    def open(self, namespaces: list[str], auth: Any, handlers: _native.Handlers) -> None:
        """Connects to the namespaces, and sends `auth` to each."""
        self._undecided = set(namespaces)
        for name in namespaces:
            self.clients[name] = self._manager.client(name, auth, self, handlers)
        for client in self.clients.values():
            client.connect()

    async def all_joined(self, timeout: float) -> bool:
        """Waits until each namespace is joined, or is not to be, or nothing has come of any for `timeout` seconds.

        Whether all are joined.
        """
        import asyncio

        # A refusal and the end of the connection may come in one turn, before the handler of the first has begun.
        while self._deciding or (self._undecided and not self.over.done()):
            awaited = [self._progress] if self.over.done() else [self._progress, self.over]
            done, _ = await asyncio.wait(awaited, timeout=timeout, return_when="FIRST_COMPLETED")
            if not done:
                break
            if self._progress.done():
                self._progress = future()
        return self._joined == set(self.clients)

    def close(self) -> None:
        """Disconnects from all namespaces, and closes the connection."""
        self.closing = True
        for client in self.clients.values():
            client.disconnect()
        self._manager.close(self._closed)

    def abandon(self) -> None:
        """Is told nothing any more."""
        if not self.over.done():
            self._manager.close(_nobody)
        self._manager.forget()
        for client in self.clients.values():
            client.forget()
        for waiting in (self.over, self.ended):
            if not waiting.done() and not waiting.get_loop().is_closed():
                waiting.set_result(None)

    # What the queue calls.

    def _told(self, event: int, reason: str, message: str) -> None:
        if event == OPEN:
            self._open(None)
        elif event == ERROR:
            self._open(message)
        elif not self.over.done():
            self._lost = not self.closing and reason != ON_PURPOSE
            self._over()

    def _open(self, error: str | None) -> None:
        if not self.opened.done():
            self.opened.set_result(error)

    def _closed(self, *_: Any) -> None:
        self._open("the client was disconnected")
        if not self.over.done():
            self._over()

    # Each has a task of its own, whose end is noticed also when it is cancelled before it has begun.

    def _on_connect(self, client: _native.Client) -> None:
        name = client.namespace
        self._joined.add(name)
        self._decide(name, start(self._tasks, self._owner._joined, name, client.sid or ""))

    def _on_connect_error(self, client: _native.Client, refused: bool, message: str, *data: Any) -> None:
        if refused:
            name = client.namespace
            why = {"message": message, "data": data[0]} if data else {"message": message}
            self._decide(name, start(self._tasks, self._owner._refused, name, why))

    def _on_disconnect(self, client: _native.Client, reason: str) -> None:
        name = client.namespace
        task = start(self._tasks, self._owner._left, name, REASONS.get(reason, reason))
        task.add_done_callback(lambda _: self._leave(name))

    def _leave(self, namespace: str) -> None:
        self._joined.discard(namespace)
        self._end()

    def _decide(self, namespace: str, told: asyncio.Task[None]) -> None:
        """The namespace is joined, or is not to be, when its handler has been told."""
        self._deciding.add(namespace)
        told.add_done_callback(lambda _: self._decided(namespace))

    def _decided(self, namespace: str) -> None:
        self._undecided.discard(namespace)
        self._deciding.discard(namespace)
        if not self._progress.done():
            self._progress.set_result(None)
        self._end()

    def _over(self) -> None:
        self.over.set_result(None)
        self._end()

    def _end(self) -> None:
        """The end, when the connection is over and all handlers were told."""
        if self.over.done() and not self._joined and not self._deciding and not self.ended.done():
            self.ended.set_result(None)
            self._owner._lost(self, self._lost and not self.closing)


def _nobody(*_: Any) -> None:
    """Is told that a connection is closed which nobody wants to know of any more."""


def _without_path(url: str) -> str:
    """The URL of a server, whose path means nothing: namespaces are named by themselves."""
    from urllib.parse import urlsplit, urlunsplit

    parts = urlsplit(url)
    if not parts.netloc:
        return url  # refused as it was given
    return urlunsplit((parts.scheme, parts.netloc, "/", parts.query, ""))
