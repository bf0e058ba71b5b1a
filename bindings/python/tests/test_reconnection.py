"""A client's connection, lost and found, against python-socketio's server and our own."""

import asyncio

import pytest
import socketio_native
from conftest import TIMEOUT, Inbox, serving
from socketio_native import AsyncClient, exceptions


class Relay:
    """A TCP connection in between, which can be cut."""

    def __init__(self, url):
        self._host, port = url.removeprefix("http://").split(":")
        self._port = int(port)
        self._writers = set()
        self.refuses = False

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = "http://127.0.0.1:{}".format(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_):
        self._server.close()
        self.cut()

    async def _serve(self, reader, writer):
        if self.refuses:
            writer.close()
            return
        other_reader, other_writer = await asyncio.open_connection(self._host, self._port)
        self._writers |= {writer, other_writer}
        await asyncio.gather(self._pump(reader, other_writer), self._pump(other_reader, writer))
        self._writers -= {writer, other_writer}

    async def _pump(self, reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except ConnectionError:
            pass
        writer.close()

    def cut(self):
        for writer in self._writers:
            writer.transport.abort()


def new_client(**options):
    return AsyncClient(reconnection_delay=0.01, reconnection_delay_max=0.02, randomization_factor=0, **options)


@pytest.mark.parametrize("transports", [["polling"], ["websocket"], ["polling", "websocket"]], ids="-".join)
async def test_a_lost_connection_is_opened_again(server_package, transports):
    sio, inbox = server_package.new_server(), Inbox()
    sio.on("echo", lambda sid, *rest: rest)
    client = new_client()
    for event in ("connect", "disconnect", "connect_error"):
        client.on(event, lambda *rest, event=event: inbox(event, *rest))
    asked = []

    async def auth():
        asked.append(client.get_sid())
        return {"token": len(asked)}

    async with serving(sio) as url, Relay(url) as relay:
        await client.connect(relay.url, auth=auth, transports=transports, wait_timeout=TIMEOUT)
        assert await inbox.get() == ("connect",)
        first = client.sid
        relay.refuses = True
        relay.cut()
        event, reason = await inbox.get()
        assert event == "disconnect"
        assert reason in ("transport close", "transport error")
        assert (await inbox.get())[0] == "connect_error"
        with pytest.raises(exceptions.BadNamespaceError):
            await client.emit("echo")
        relay.refuses = False
        while await inbox.get() != ("connect",):
            pass
        assert client.connected
        assert client.sid != first
        assert len(asked) >= 3
        assert await client.call("echo", 1, timeout=TIMEOUT) == 1
        await client.disconnect()
        assert not client.connected
        await client.wait()


async def test_attempts_are_counted(native):
    client, failed = new_client(reconnection_attempts=2), Inbox()
    client.on("connect_error", failed)
    async with serving(native.new_server()) as url, Relay(url) as relay:
        await client.connect(relay.url, transports=["websocket"], wait_timeout=TIMEOUT)
        relay.refuses = True
        relay.cut()
        await client.wait()
        assert [len(await failed.get()) for _ in range(2)] == [1, 1]
        assert failed.empty()
        assert not client.connected
        relay.refuses = False
        await client.connect(relay.url, transports=["websocket"], wait_timeout=TIMEOUT)
        await client.disconnect()


async def test_connect_retries_when_it_is_told_to(native):
    client = new_client(reconnection_attempts=1)
    with pytest.raises(exceptions.ConnectionError):
        await client.connect("http://127.0.0.1:1", retry=True)
    client = new_client()
    async with serving(native.new_server()) as url, Relay(url) as relay:
        relay.refuses = True
        client.on("connect_error", lambda why: setattr(relay, "refuses", False))
        await client.connect(relay.url, retry=True)
        assert client.connected
        await client.disconnect()


async def test_shutdown_stops_trying(native):
    client, failed = new_client(), Inbox()
    client.on("connect_error", failed)
    async with serving(native.new_server()) as url, Relay(url) as relay:
        await client.connect(relay.url, transports=["websocket"])
        relay.refuses = True
        relay.cut()
        await failed.get()
        await client.shutdown()
        await client.wait()


async def test_a_client_that_is_not_to_reconnect_does_not(native):
    client, left = AsyncClient(reconnection=False), Inbox()
    client.on("disconnect", left)
    async with serving(native.new_server()) as url, Relay(url) as relay:
        await client.connect(relay.url, transports=["websocket"])
        relay.cut()
        assert (await left.get())[0] in ("transport close", "transport error")
        await client.wait()
        assert not client.connected


async def test_what_connect_says_of_itself(client_package):
    sio = client_package.new_server(namespaces=["/", "/n"])
    client, package = client_package.new_client(), client_package.client
    with pytest.raises(package.exceptions.BadNamespaceError, match="/ is not a connected namespace"):
        await client.emit("x")
    with pytest.raises(package.exceptions.ConnectionError):
        await client.connect("http://127.0.0.1:1")
    async with serving(sio) as url:
        await client.connect(f"{url}/path?a=b", namespaces="/n", transports="websocket", wait_timeout=TIMEOUT)
        assert client.connected
        assert client.connection_url == f"{url}/path?a=b"
        assert list(client.namespaces) == client.connection_namespaces == ["/n"]
        assert client.get_sid("/n") == client.namespaces["/n"]
        assert client.get_sid() is None
        assert client.transport() == "websocket"
        assert "a=b" in sio.get_environ(client.get_sid("/n"), namespace="/n")["QUERY_STRING"]
        with pytest.raises(package.exceptions.ConnectionError, match="Already connected"):
            await client.connect(url)
        await client.disconnect()
        assert not client.connected
        await client.disconnect()


async def test_a_server_without_socket_io_is_an_error(client_package):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for transports in (["polling"], ["websocket"]):
        with pytest.raises(client_package.client.exceptions.ConnectionError):
            await client_package.new_client().connect(f"http://127.0.0.1:{port}", transports=transports)
    server.close()


async def test_tls_is_refused_by_name():
    with pytest.raises(ValueError, match="https"):
        await AsyncClient().connect("https://127.0.0.1:1")


@pytest.mark.parametrize("url", ["nonsense", "/path", "http:///path"])
async def test_what_is_no_url_is_named_as_it_was_given(url):
    with pytest.raises(ValueError, match=f'^URL "{url}" has no (scheme|host)'):
        await AsyncClient().connect(url)


async def test_functions_are_asked_for_url_and_headers(native_client):
    sio, inbox = native_client.new_server(), Inbox()
    sio.on("connect", lambda sid, environ, auth: inbox(environ["HTTP_X_A"]))
    client = native_client.new_client()
    async with serving(sio) as url:

        async def where():
            return url

        await client.connect(where, headers=lambda: {"X-A": "b"}, wait_timeout=TIMEOUT)
        assert await inbox.get() == ("b",)
        await client.disconnect()


async def test_without_waiting_namespaces_join_later(native_client):
    sio, joined = native_client.new_server(), Inbox()
    client = native_client.new_client()
    client.on("connect", joined)
    async with serving(sio) as url:
        await client.connect(url, wait=False)
        await joined.get()
        assert client.get_sid() is not None
        await client.disconnect()


async def test_an_answer_that_cannot_come_any_more_is_a_timeout(native):
    sio = native.new_server()
    client = socketio_native.AsyncClient(reconnection=False)

    @sio.event
    async def never(sid):
        await asyncio.Event().wait()

    async with serving(sio) as url, Relay(url) as relay:
        await client.connect(relay.url, transports=["websocket"])
        call = asyncio.ensure_future(client.call("never", timeout=None))
        await asyncio.sleep(0)
        relay.cut()
        with pytest.raises(exceptions.TimeoutError):
            await call
        await client.wait()
