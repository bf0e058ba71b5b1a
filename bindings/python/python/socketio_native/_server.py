"""The server."""

from __future__ import annotations

import builtins
import logging

from . import _log, _native, exceptions
from ._futures import answering, future, outcome, run, settling, settling_answer, start
from ._events import Events, fitting, is_awaitable
from ._loop import Inherited, Loop
from ._options import cors, milliseconds, only, only_standard_json, refuse, transports as transport_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Iterable, Mapping
    from types import ModuleType, TracebackType
    from typing import Any, TypeVar, Union

    _T = TypeVar("_T")
    _Room = Union[str, int]

#: The words of python-socketio for the reasons that it has words for.
REASONS = {
    "client namespace disconnect": "client disconnect",
    "server namespace disconnect": "server disconnect",
    "server shutting down": "server disconnect",
}


class AsyncServer(Events):
    """A Socket.IO server for asyncio, with a listener of its own.

    The arguments are those of python-socketio, times in seconds. One that asks for something that is not built raises
    `ValueError`, which says why.

    :param logger: whether to log what happens; or a logger to use.
    :param async_handlers: whether events of a client are handled at once, or one after the other.
    :param always_connect: whether a client is let in before its ``connect`` handler has decided.
    :param namespaces: namespaces that clients may join beside those that have handlers.
    :param cors_allowed_origins: origins whose pages may connect, ``'*'`` for all; by default only the server's own.
    :param cors_credentials: whether the origins that are named may send cookies.
    :param ping_interval: how often clients are pinged.
    :param ping_timeout: how long an answer to that may take.
    :param max_http_buffer_size: how many bytes a message may have.
    :param engineio_logger: the same as `logger`, for what the library itself does.
    :param connect_timeout: how long a connection may take to join a namespace; python-socketio has no such bound.
    """

    class reason:
        """Why a client left: the argument of ``disconnect`` handlers. There are others, as the official server has them."""

        SERVER_DISCONNECT = "server disconnect"
        CLIENT_DISCONNECT = "client disconnect"
        PING_TIMEOUT = "ping timeout"
        TRANSPORT_CLOSE = "transport close"
        TRANSPORT_ERROR = "transport error"

    reserved_events = ["connect", "disconnect"]

    def __init__(
        self,
        client_manager: None = None,
        logger: bool | logging.Logger = False,
        json: ModuleType | None = None,
        async_handlers: bool = True,
        namespaces: Iterable[str] | None = None,
        *,
        serializer: str = "default",
        always_connect: bool = False,
        async_mode: str | None = None,
        ping_interval: float | tuple[float, float] = 25,
        ping_timeout: float = 20,
        max_http_buffer_size: int = 1_000_000,
        allow_upgrades: bool = True,
        http_compression: bool = True,
        compression_threshold: int = 1024,
        cookie: None = None,
        cors_allowed_origins: str | Iterable[str] | None = None,
        cors_credentials: bool = True,
        monitor_clients: bool | None = None,
        transports: str | Iterable[str] | None = None,
        engineio_logger: bool | logging.Logger = False,
        connect_timeout: float = 45,
    ) -> None:
        del async_mode, http_compression, compression_threshold  # they change nothing that a program could notice
        only("client_manager", client_manager, None, why="several servers cannot share their clients yet")
        only("serializer", serializer, "default", why="only the default parser is built")
        only("cookie", cookie, None, False, why="cookies are not built yet")
        only("monitor_clients", monitor_clients, None, True, why="clients are always monitored")
        only_standard_json(json)
        if namespaces == "*" or (namespaces is not None and "*" in namespaces):
            refuse("namespaces", "*", "each namespace has to be named")
        if isinstance(ping_interval, tuple):
            only("ping_interval", ping_interval, (ping_interval[0], 0), why="there is no period of grace")
            ping_interval = ping_interval[0]
        self.logger = _log.choose(logger, "socketio_native.server")
        _log.choose_engine(engineio_logger, "server")
        self.async_handlers = async_handlers
        self.always_connect = always_connect
        self.async_mode = "asyncio"
        self._options = {
            "pingInterval": milliseconds(ping_interval),
            "pingTimeout": milliseconds(ping_timeout),
            "connectTimeout": milliseconds(connect_timeout),
            "maxHttpBufferSize": max_http_buffer_size,
            "allowUpgrades": allow_upgrades,
            "transports": transport_names(transports),
            "cors": cors(cors_allowed_origins, cors_credentials),
        }
        self._same_origin = cors_allowed_origins is None
        self._accepted = ["/"] if namespaces is None else list(namespaces)
        self._handlers = _native.Handlers(self.reserved_events, True)
        self._loop: Loop | None = None
        self._server: _native.Server | None = None
        self._addresses = 0
        self._namespaces: dict[str, _native.Namespace] = {}
        #: Whoever waits for the ``disconnect`` handler of a socket to end.
        self._leaving: dict[_native.Socket, asyncio.Future[None]] = {}
        #: What is still to be handled for sockets whose events are handled one after the other.
        self._turns: dict[_native.Socket, list[tuple[Any, ...]]] = {}
        self._background: set[asyncio.Task[Any]] = set()

    # ---- listening ------------------------------------------------------------------------------------------------

    async def listen(self, host: str, port: int) -> tuple[str, int]:
        """Listens on one more address, in the running loop. Port 0 is any that is free; returns what it became.

        Raises `OSError` when the address cannot be used.
        """
        server = self._start()
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        listening: asyncio.Future[None] = future()
        server.listen(address, settling(listening))
        number = self._addresses
        self._addresses += 1
        await listening
        name, _, number_text = server.address(number).rpartition(":")
        return name.strip("[]"), int(number_text)

    async def shutdown(self) -> None:
        """Closes the server: it listens no more and disconnects its clients. Returns when their handlers have ended.

        It may listen again afterwards.
        """
        server, loop = self._server, self._loop
        if server is None or loop is None:
            return
        self._server = None
        self.logger.info("Socket.IO is shutting down")
        if loop.is_over():
            self._forget(loop)
            return
        closed: asyncio.Future[None] = future()
        server.close(settling(closed))
        await closed
        while self._leaving:
            await next(iter(self._leaving.values()))
        self._forget(loop)

    def _start(self) -> _native.Server:
        """The native server of the running loop."""
        len(self._namespaces)  # raises in a forked child
        import json

        running = Loop.running()
        if self._server is not None and self._loop is not running:
            if self._loop is not None and not self._loop.is_over():
                raise RuntimeError("the server runs in another event loop")
            self._forget(self._loop)
        if self._server is None:
            self._server = _native.Server(json.dumps(self._options), running.queue)
            self._loop = running
            self._addresses = 0
            running.open.add(self)
            for name in {*self._accepted, *self._handlers.namespaces()}:
                self._open(name)
        return self._server

    def _open(self, name: str) -> None:
        if self._server is not None and name not in self._namespaces and name.startswith("/"):
            self._namespaces[name] = self._server.of(name, self, self._handlers, not self.async_handlers)

    def _registered(self, namespace: str) -> None:
        self._open(namespace)

    def _forget(self, loop: Loop | None) -> None:
        if loop is not None:
            loop.open.discard(self)
        for namespace in self._namespaces.values():
            namespace.close()
        self._namespaces = {}
        self._server = self._loop = None

    def _inherited(self) -> None:
        self._namespaces = Inherited()  # type: ignore[assignment]

    # ---- sending --------------------------------------------------------------------------------------------------

    async def emit(
        self,
        event: str,
        data: Any = None,
        to: _Room | Iterable[_Room] | None = None,
        room: _Room | Iterable[_Room] | None = None,
        skip_sid: str | list[str] | None = None,
        namespace: str | None = None,
        callback: Callable[..., Any] | None = None,
        ignore_queue: bool = False,
    ) -> None:
        """Sends an event.

        :param data: the argument; a tuple is several, `None` is none.
        :param to: the id of a client, a room, or a list of them; all clients of the namespace when it is left out.
        :param room: the same as `to`.
        :param skip_sid: the id of a client that does not get it, or a list of them.
        :param callback: is called with what a client answers.
        """
        del ignore_queue  # there is none
        space = self._namespaces.get(namespace or "/")
        if self.logger.isEnabledFor(logging.INFO):
            self.logger.info('emitting event "%s" to %s [%s]', event, to or room or "all", namespace or "/")
        if space is None:
            return
        if callback is None:
            tired = space.emit(event, data, to or room, skip_sid)
        else:
            space.ask(event, data, to or room, skip_sid, 0, answering(callback))
            tired = False
        if tired:
            await self.sleep(0)

    async def send(
        self,
        data: Any,
        to: _Room | Iterable[_Room] | None = None,
        room: _Room | Iterable[_Room] | None = None,
        skip_sid: str | list[str] | None = None,
        namespace: str | None = None,
        callback: Callable[..., Any] | None = None,
        ignore_queue: bool = False,
    ) -> None:
        """Sends the event ``'message'``; the arguments are those of `emit`."""
        await self.emit("message", data, to, room, skip_sid, namespace, callback, ignore_queue)

    async def call(
        self,
        event: str,
        data: Any = None,
        to: str | None = None,
        sid: str | None = None,
        namespace: str | None = None,
        timeout: float | None = 60,
        ignore_queue: bool = False,
    ) -> Any:
        """Sends an event to a client and returns what it answers: one argument, a tuple of several, or `None`.

        Raises `socketio_native.exceptions.TimeoutError` when no answer comes in time, or the client is gone.
        """
        del ignore_queue
        if to is None and sid is None:
            raise ValueError("Cannot use call() to broadcast.")
        if not self.async_handlers:
            raise RuntimeError("Cannot use call() when async_handlers is False.")
        space = self._namespaces.get(namespace or "/")
        answered: asyncio.Future[Any] = future()
        answer = settling_answer(answered)
        if space is None or not space.ask(event, data, to or sid, None, milliseconds(timeout), answer):
            raise exceptions.TimeoutError("there is no such client")
        return await answered

    # ---- rooms and clients ----------------------------------------------------------------------------------------

    async def enter_room(self, sid: str, room: _Room, namespace: str | None = None) -> None:
        """Puts a client into a room."""
        if self._find(str(room), namespace) is not None and room != sid:
            raise ValueError("cannot enter a sid room")
        self._known(sid, namespace).join(str(room))

    async def leave_room(self, sid: str, room: _Room, namespace: str | None = None) -> None:
        """Takes a client out of a room, if it is in it."""
        socket = self._find(sid, namespace)
        if socket is not None:
            socket.leave(str(room))

    async def close_room(self, room: _Room, namespace: str | None = None) -> None:
        """Takes all clients out of a room."""
        if self._find(str(room), namespace) is not None:
            raise ValueError("cannot close a sid room")
        space = self._namespaces.get(namespace or "/")
        if space is not None:
            space.close_room(str(room))

    def rooms(self, sid: str, namespace: str | None = None) -> list[str]:
        """The rooms that a client is in; one has the name of its id."""
        socket = self._find(sid, namespace)
        return [] if socket is None else socket.rooms()

    async def disconnect(
        self, sid: str, namespace: str | None = None, ignore_queue: bool = False, *, close: bool = False
    ) -> None:
        """Disconnects a client from a namespace. Returns when its ``disconnect`` handler has ended.

        :param close: disconnects it from all namespaces, and closes its connection.
        """
        del ignore_queue
        socket = self._find(sid, namespace)
        if socket is None or not socket.connected:
            return
        self.logger.info("Disconnecting %s [%s]", sid, namespace or "/")
        if self._handlers.get(namespace or "/", "disconnect") is None:
            socket.disconnect(close)
            return
        left = self._leaving.setdefault(socket, future())
        socket.disconnect(close)
        await left

    def transport(self, sid: str, namespace: str | None = None) -> str:
        """The transport that a client uses: ``'polling'`` or ``'websocket'``."""
        return self._session_of(sid, namespace).transport

    def get_environ(self, sid: str, namespace: str | None = None) -> dict[str, Any] | None:
        """The request that opened a client's connection, as WSGI has it; the dict that its ``connect`` handler got."""
        socket = self._find(sid, namespace)
        return None if socket is None else socket.environ()

    async def get_session(self, sid: str, namespace: str | None = None) -> Any:
        """What the program keeps with a client: a dict."""
        return self._session_of(sid, namespace).session

    async def save_session(self, sid: str, session: Any, namespace: str | None = None) -> None:
        """Keeps another dict with a client."""
        self._session_of(sid, namespace).keep(session)

    def session(self, sid: str, namespace: str | None = None) -> _Session:
        """The session of a client, to be changed: ``async with sio.session(sid) as session: ...``."""
        return _Session(self, sid, namespace)

    def _find(self, sid: str, namespace: str | None) -> _native.Socket | None:
        space = self._namespaces.get(namespace or "/")
        return None if space is None else space.socket(sid)

    def _known(self, sid: str, namespace: str | None) -> _native.Socket:
        socket = self._find(sid, namespace)
        if socket is None:
            raise ValueError("sid is not connected to requested namespace")
        return socket

    def _session_of(self, sid: str, namespace: str | None) -> _native.Socket:
        socket = self._find(sid, namespace)
        if socket is None:
            raise KeyError("Session not found")
        return socket

    # ---- background -----------------------------------------------------------------------------------------------

    def start_background_task(
        self, target: Callable[..., Coroutine[Any, Any, _T]], *args: Any, **kwargs: Any
    ) -> asyncio.Task[_T]:
        """Starts a task that runs a coroutine function."""
        return start(self._background, target, *args, **kwargs)

    async def sleep(self, seconds: float = 0) -> None:
        """Waits, and lets others run meanwhile."""
        import asyncio

        await asyncio.sleep(seconds)

    # ---- what the queue calls -------------------------------------------------------------------------------------

    def _admit(self, namespace: _native.Namespace, socket: _native.Socket, admission: _native.Admission) -> bool:
        """Has the ``connect`` handler decide about a client that wants to join. Whether a task is still to do so."""
        if self._same_origin and not socket.same_origin:
            self._turn_away(namespace, socket, admission, {"message": "Not an accepted origin"})
            return False
        found = self._handlers.get(namespace.name, "connect")
        if found is None:
            self._let_in(namespace, socket, admission)
            return False
        handler, _, first = found
        arguments = fitting(handler, (*first, socket.sid, socket.environ(), socket.auth() or None))
        if self.always_connect:
            self._let_in(namespace, socket, admission)
        try:
            result = handler(*arguments)
        except Exception as error:
            result = error
        if is_awaitable(result):
            task = run(self._background, result)
            task.add_done_callback(lambda task: self._decide(namespace, socket, admission, outcome(task)))
            return not task.done()
        self._decide(namespace, socket, admission, result)
        return False

    def _decide(
        self, namespace: _native.Namespace, socket: _native.Socket, admission: _native.Admission, result: Any
    ) -> None:
        """Lets a client in unless its handler has returned `False` or raised."""
        if isinstance(result, exceptions.ConnectionRefusedError):
            self._turn_away(namespace, socket, admission, result.error_args)
        elif isinstance(result, builtins.ConnectionRefusedError):
            self._turn_away(namespace, socket, admission, {"message": "Connection refused by server"})
        elif result is False:
            self._turn_away(namespace, socket, admission, exceptions.ConnectionRefusedError().error_args)
        elif isinstance(result, BaseException):
            self._turn_away(namespace, socket, admission, {"message": "internal error"})
            self._report(result)
        elif not self.always_connect:
            self._let_in(namespace, socket, admission)

    def _let_in(self, namespace: _native.Namespace, socket: _native.Socket, admission: _native.Admission) -> None:
        if not admission.accept():
            namespace.forget(socket)

    def _turn_away(
        self,
        namespace: _native.Namespace,
        socket: _native.Socket,
        admission: _native.Admission,
        why: Mapping[str, object],
    ) -> None:
        if self.always_connect and socket.connected:
            socket.disconnect(False)
            return
        namespace.forget(socket)
        admission.reject(str(why["message"]), why.get("data"))

    def _ended(self, namespace: _native.Namespace, socket: _native.Socket, reason: str) -> None:
        """Calls the ``disconnect`` handler, and forgets the socket when it has ended."""
        found = self._handlers.get(namespace.name, "disconnect")
        if found is None:
            self._left(namespace, socket, None)
            return
        handler, _, first = found
        arguments = fitting(handler, (*first, socket.sid, REASONS.get(reason, reason)))
        try:
            result = handler(*arguments)
        except Exception as error:
            result = error
        if is_awaitable(result):
            task = run(self._background, result)
            task.add_done_callback(lambda task: self._left(namespace, socket, outcome(task)))
        else:
            self._left(namespace, socket, result)

    def _left(self, namespace: _native.Namespace, socket: _native.Socket, result: Any) -> None:
        namespace.forget(socket)
        if isinstance(result, BaseException):
            self._report(result)
        waiting = self._leaving.pop(socket, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _in_turn(
        self,
        socket: _native.Socket,
        handler: Callable[..., Any],
        arguments: tuple[Any, ...],
        reply: Callable[[Any], None] | None,
    ) -> None:
        """Has an event handled when those of its client that came before have been."""
        waiting = self._turns.get(socket)
        if waiting is not None:
            waiting.append((handler, arguments, reply))
            return
        self._turns[socket] = [(handler, arguments, reply)]
        start(self._background, self._take_turns, socket)

    async def _take_turns(self, socket: _native.Socket) -> None:
        waiting = self._turns[socket]
        try:
            while waiting:
                handler, arguments, reply = waiting.pop(0)
                try:
                    result = handler(*arguments)
                    if is_awaitable(result):
                        result = await result
                    if reply is not None:
                        reply(result)
                except Exception as error:
                    self._report(error)
        finally:
            del self._turns[socket]

    def _report(self, error: BaseException) -> None:
        """Has the loop report what a handler raised."""
        if self._loop is not None and isinstance(error, Exception):
            self._loop.report(error)


class _Session:
    """The context manager that `AsyncServer.session` returns."""

    def __init__(self, server: AsyncServer, sid: str, namespace: str | None) -> None:
        self._server = server
        self._sid = sid
        self._namespace = namespace
        self._session: Any = None

    async def __aenter__(self) -> Any:
        self._session = await self._server.get_session(self._sid, self._namespace)
        return self._session

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._server.save_session(self._sid, self._session, self._namespace)
