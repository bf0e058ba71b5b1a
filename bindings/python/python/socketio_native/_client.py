"""The client."""

from __future__ import annotations

import logging

from . import _log, _native, exceptions
from ._connection import Connection
from ._events import Events, fitting, is_awaitable
from ._futures import answering, future, settling_answer, start
from ._loop import Inherited, Loop
from ._options import milliseconds, only, only_standard_json, transports as transport_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Iterable, Mapping
    from types import ModuleType
    from typing import Any, TypeVar, Union

    _T = TypeVar("_T")
    _Url = Union[str, Callable[[], Any]]
    _Headers = Union[Mapping[str, str], Callable[[], Any]]


class AsyncClient(Events):
    """A Socket.IO client for asyncio.

    The arguments are those of python-socketio, times in seconds. One that asks for something that is not built raises
    `ValueError`, which says why.

    :param reconnection: whether a lost connection is opened again.
    :param reconnection_attempts: how often that is tried; 0 is for ever.
    :param reconnection_delay: how long to wait before the first attempt, twice as long before each that follows.
    :param reconnection_delay_max: how long to wait at most.
    :param randomization_factor: by how many seconds, at most, each wait is changed at random.
    :param logger: whether to log what happens; or a logger to use.
    :param request_timeout: how long opening a connection may take.
    :param engineio_logger: the same as `logger`, for what the library itself does.
    """

    class reason:
        """Why a connection ended: the argument of ``disconnect`` handlers."""

        CLIENT_DISCONNECT = "client disconnect"
        SERVER_DISCONNECT = "server disconnect"
        PING_TIMEOUT = "ping timeout"
        TRANSPORT_CLOSE = "transport close"
        TRANSPORT_ERROR = "transport error"

    reserved_events = ["connect", "connect_error", "disconnect", "__disconnect_final"]

    def __init__(
        self,
        reconnection: bool = True,
        reconnection_attempts: int = 0,
        reconnection_delay: float = 1,
        reconnection_delay_max: float = 5,
        randomization_factor: float = 0.5,
        logger: bool | logging.Logger = False,
        serializer: str = "default",
        json: ModuleType | None = None,
        handle_sigint: bool = True,
        *,
        request_timeout: float = 5,
        http_session: None = None,
        ssl_verify: bool = True,
        websocket_extra_options: Mapping[str, object] | None = None,
        timestamp_requests: bool = True,
        engineio_logger: bool | logging.Logger = False,
    ) -> None:
        # asyncio ends a program on SIGINT; there is no TLS to verify; and no answer is cached anyway.
        del handle_sigint, ssl_verify, timestamp_requests
        only("serializer", serializer, "default", why="only the default parser is built")
        only("http_session", http_session, None, why="the library makes its own connections")
        only("websocket_extra_options", websocket_extra_options, None, {}, why="the library makes its own connections")
        only_standard_json(json)
        self.reconnection = reconnection
        self.reconnection_attempts = reconnection_attempts
        self.reconnection_delay = reconnection_delay
        self.reconnection_delay_max = reconnection_delay_max
        self.randomization_factor = randomization_factor
        self.request_timeout = request_timeout
        self.logger = _log.choose(logger, "socketio_native.client")
        _log.choose_engine(engineio_logger, "client")

        self.connection_url: _Url | None = None
        self.connection_headers: _Headers | None = None
        self.connection_auth: Any = None
        self.connection_transports: str | Iterable[str] | None = None
        self.connection_namespaces: list[str] = []
        self.socketio_path: str | None = None
        #: Whether there is a connection.
        self.connected = False
        #: The ids of this client in the namespaces that it is connected to.
        self.namespaces: dict[str, str] = {}
        self.failed_namespaces: list[str] = []
        self._handlers = _native.Handlers(self.reserved_events, False)
        self._connection: Connection | None = None
        self._loop: Loop | None = None
        self._reconnecting: asyncio.Task[bool] | None = None
        self._background: set[asyncio.Task[Any]] = set()

    # ---- connecting -----------------------------------------------------------------------------------------------

    async def connect(
        self,
        url: _Url,
        headers: _Headers = {},
        auth: Any = None,
        transports: str | Iterable[str] | None = None,
        namespaces: str | list[str] | None = None,
        socketio_path: str = "socket.io",
        wait: bool = True,
        wait_timeout: float = 1,
        retry: bool = False,
    ) -> None:
        """Connects to a server.

        `url`, `headers` and `auth` may be functions, also coroutine functions, which are called for each connection.

        :param auth: what the server is sent to let the client in.
        :param namespaces: those to join; without it those that have handlers, or ``'/'``.
        :param wait: whether to return only when all namespaces are joined, each within `wait_timeout`.
        :param retry: whether to try again as after a lost connection when there is none to be had.

        Raises `socketio_native.exceptions.ConnectionError`.
        """
        len(self.namespaces)  # raises in a forked child
        if self.connected and self._loop is not None and self._loop.is_over() and self._connection is not None:
            self._finish(self._connection)
        if self.connected:
            raise exceptions.ConnectionError("Already connected")
        if namespaces is None:
            namespaces = self._handlers.namespaces() or ["/"]
        self.connection_url = url
        self.connection_headers = headers
        self.connection_auth = auth
        self.connection_transports = transports
        self.connection_namespaces = [namespaces] if isinstance(namespaces, str) else list(namespaces)
        self.socketio_path = socketio_path
        try:
            await self._connect(wait, wait_timeout)
        except _NotOpened as error:
            if not (retry and await self._reconnect()):
                raise exceptions.ConnectionError(*error.args) from None

    async def _connect(self, wait: bool = True, wait_timeout: float = 1) -> None:
        """Connects as `connect` was told to."""
        loop = Loop.running()
        if self._connection is not None and not self._connection.over.done():
            if self._loop is loop:
                raise exceptions.ConnectionError("Already connected")
            self._connection.abandon()
        self._loop = loop
        self.namespaces = {}
        self.failed_namespaces = []
        url = await _real(self.connection_url)
        options = {
            "path": "/" + (self.socketio_path or "").strip("/"),
            "transports": transport_names(self.connection_transports),
            "extraHeaders": dict(await _real(self.connection_headers) or {}),
            "timeout": milliseconds(self.request_timeout),
        }
        auth = await _real(self.connection_auth) or None
        connection = self._connection = Connection(self, loop, url, options)
        loop.open.add(self)
        connection.open(self.connection_namespaces, auth, self._handlers)
        error = await connection.opened
        if error is not None:
            self._finish(connection)
            for namespace in self.connection_namespaces:
                await self._trigger("connect_error", namespace, error)
            raise _NotOpened(error)
        self.logger.info("Engine.IO connection established")
        if wait and not await connection.all_joined(wait_timeout):
            failed = self.failed_namespaces
            await self.disconnect()
            if failed:
                raise exceptions.ConnectionError("One or more namespaces failed to connect: " + ", ".join(failed))
            raise exceptions.ConnectionError("Unexpected connection error")
        self.connected = not connection.over.done()

    async def wait(self) -> None:
        """Waits until the connection has ended, and none is tried for any more."""
        while True:
            if self._reconnecting is not None:
                import asyncio

                await asyncio.wait([self._reconnecting])
            elif self._connection is not None and not self._connection.ended.done():
                await _shielded(self._connection.ended)
            else:
                return

    async def disconnect(self) -> None:
        """Disconnects from the server. Returns when the ``disconnect`` handlers have ended."""
        connection = self._connection
        if connection is None or connection.closing:
            return
        connection.close()
        await _shielded(connection.ended)

    async def shutdown(self) -> None:
        """Disconnects, and stops trying to connect."""
        import asyncio

        if self._reconnecting is not None:
            self._reconnecting.cancel()
            await asyncio.wait([self._reconnecting])
        await self.disconnect()

    async def _reconnect(self) -> bool:
        """Tries to connect until that works or is given up. Whether it worked."""
        import asyncio
        import random

        attempt, delay = 0, self.reconnection_delay
        while not self.reconnection_attempts or attempt < self.reconnection_attempts:
            attempt += 1
            wait = min(delay, self.reconnection_delay_max) + self.randomization_factor * random.uniform(-1, 1)
            delay *= 2
            self.logger.info("Connection failed, new attempt in %.02f seconds", wait)
            await asyncio.sleep(max(0, wait))
            try:
                await self._connect()
            except (exceptions.ConnectionError, ValueError):
                continue
            self.logger.info("Reconnection successful")
            return True
        self.logger.info("Maximum reconnection attempts reached, giving up")
        return False

    # ---- sending --------------------------------------------------------------------------------------------------

    async def emit(
        self,
        event: str,
        data: Any = None,
        namespace: str | None = None,
        callback: Callable[..., Any] | None = None,
    ) -> None:
        """Sends an event.

        :param data: the argument; a tuple is several, `None` is none.
        :param callback: is called with what the server answers.

        Raises `socketio_native.exceptions.BadNamespaceError` when the client is not connected to the namespace.
        """
        client = self._client(namespace)
        if self.logger.isEnabledFor(logging.INFO):
            self.logger.info('Emitting event "%s" [%s]', event, namespace or "/")
        if callback is not None:
            client.ask(event, data, 0, answering(callback))
        elif client.emit(event, data):
            await self.sleep(0)

    async def send(
        self, data: Any, namespace: str | None = None, callback: Callable[..., Any] | None = None
    ) -> None:
        """Sends the event ``'message'``; the arguments are those of `emit`."""
        await self.emit("message", data, namespace, callback)

    async def call(
        self, event: str, data: Any = None, namespace: str | None = None, timeout: float | None = 60
    ) -> Any:
        """Sends an event and returns what the server answers: one argument, a tuple of several, or `None`.

        Raises `socketio_native.exceptions.TimeoutError` when no answer comes in time, or the connection is lost.
        """
        client = self._client(namespace)
        answered: asyncio.Future[Any] = future()
        client.ask(event, data, milliseconds(timeout), settling_answer(answered))
        return await answered

    def _client(self, namespace: str | None) -> _native.Client:
        name = namespace or "/"
        if name not in self.namespaces or self._connection is None:
            raise exceptions.BadNamespaceError(name + " is not a connected namespace.")
        return self._connection.clients[name]

    # ---- what it is -----------------------------------------------------------------------------------------------

    @property
    def sid(self) -> str | None:
        """The id of this client in the default namespace, or the first one that it has joined."""
        return self.get_sid() or next(iter(self.namespaces.values()), None)

    def get_sid(self, namespace: str | None = None) -> str | None:
        """The id of this client in a namespace; `None` when it is not connected to it."""
        return self.namespaces.get(namespace or "/")

    def transport(self) -> str | None:
        """The transport in use, ``'polling'`` or ``'websocket'``; `None` when there is no connection."""
        clients = self._connection.clients.values() if self._connection is not None else ()
        return next((client.transport for client in clients), None) or None

    def start_background_task(
        self, target: Callable[..., Coroutine[Any, Any, _T]], *args: Any, **kwargs: Any
    ) -> asyncio.Task[_T]:
        """Starts a task that runs a coroutine function."""
        return start(self._background, target, *args, **kwargs)

    async def sleep(self, seconds: float = 0) -> None:
        """Waits, and lets others run meanwhile."""
        import asyncio

        await asyncio.sleep(seconds)

    # ---- what the connection tells --------------------------------------------------------------------------------

    async def _joined(self, namespace: str, sid: str) -> None:
        self.logger.info("Namespace %s is connected", namespace)
        self.namespaces[namespace] = sid
        self.connected = True
        await self._trigger("connect", namespace)

    async def _refused(self, namespace: str, why: Any) -> None:
        self.logger.info("Connection to namespace %s was rejected", namespace)
        self.failed_namespaces.append(namespace)
        await self._trigger("connect_error", namespace, why)

    async def _left(self, namespace: str, reason: str) -> None:
        try:
            await self._trigger("disconnect", namespace, reason)
        finally:
            self.namespaces.pop(namespace, None)
            self.connected = self.connected and bool(self.namespaces)

    def _lost(self, connection: Connection, lost: bool) -> None:
        """A connection is over; not on purpose when it is lost."""
        self.logger.info("Engine.IO connection dropped")
        self._finish(connection)
        if lost and self.reconnection and self._reconnecting is None and self._loop is not None:
            self._loop.open.add(self)
            self._reconnecting = start(self._background, self._reconnect)
            self._reconnecting.add_done_callback(self._reconnected)

    def _reconnected(self, _: asyncio.Task[bool]) -> None:
        self._reconnecting = None
        if not self.connected and self._loop is not None:
            self._loop.open.discard(self)

    def _finish(self, connection: Connection) -> None:
        connection.abandon()
        if connection is self._connection:
            self.namespaces = {}
            self.connected = False
            if self._loop is not None:
                self._loop.open.discard(self)

    def _inherited(self) -> None:
        self.namespaces = Inherited()  # type: ignore[assignment]

    async def _trigger(self, event: str, namespace: str, *arguments: Any) -> None:
        """Calls the handler of an event that is none of the server's, and waits for it."""
        found = self._handlers.get(namespace, event)
        if found is None:
            return
        handler, _, first = found
        try:
            result = handler(*fitting(handler, (*first, *arguments)))
            if is_awaitable(result):
                await result
        except Exception as error:
            if self._loop is not None:
                self._loop.report(error)


class _NotOpened(exceptions.ConnectionError):
    """There is no connection to be had."""


async def _real(value: Any) -> Any:
    """A value, or what the function returns that is given in its place."""
    if not callable(value):
        return value
    result = value()
    return await result if is_awaitable(result) else result


async def _shielded(waiting: asyncio.Future[None]) -> None:
    """Waits for something that others wait for, too."""
    import asyncio

    await asyncio.shield(waiting)
