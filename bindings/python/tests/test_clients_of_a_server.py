"""How clients come, go, and are known by."""

import asyncio
import http.server
import json
import threading

import pytest
import socketio_native
from conftest import TIMEOUT, Inbox, connected, serving


async def test_connect_handlers_get_sid_environ_and_auth(server_package):
    sio, inbox = server_package.new_server(), Inbox()
    sio.on("connect", inbox)
    auth = {"token": "s\u00e9same", "list": [1, None]}
    options = {"auth": auth, "headers": {"X-Test": "a b"}}
    async with server_package.connected(sio, **options) as client:
        sid, environ, given = await inbox.get()
        assert sid == client.get_sid()
        assert given == auth
        assert environ["HTTP_X_TEST"] == "a b"
        assert environ["REQUEST_METHOD"] == "GET"
        assert environ["PATH_INFO"] == "/socket.io/"
        assert "EIO=4" in environ["QUERY_STRING"]
        assert environ["REMOTE_ADDR"] == "127.0.0.1"
        assert environ["wsgi.url_scheme"] == "http"
        assert sio.get_environ(sid) is environ
        assert sio.transport(sid) == "websocket"
    async with server_package.connected(sio):
        assert (await inbox.get())[2] is None


async def test_older_handlers_take_less(server_package):
    sio, inbox = server_package.new_server(), Inbox()

    @sio.event
    def connect(sid, environ):
        inbox("connect")

    @sio.event
    async def disconnect(sid):
        inbox("disconnect")

    async with server_package.connected(sio):
        assert await inbox.get() == ("connect",)
    assert await inbox.get() == ("disconnect",)


async def test_what_a_connect_handler_sends_follows_the_connection(native):
    sio, inbox = native.new_server(), Inbox()

    @sio.event
    async def connect(sid, environ, auth):
        await sio.enter_room(sid, "den")
        await sio.save_session(sid, {"name": "me"})
        await sio.emit("welcome", "in", to=sid)

    client = native.new_client()
    client.on("welcome", inbox)
    async with native.connected(sio, client=client):
        assert await inbox.get() == ("in",)
        sid = client.get_sid()
        assert sorted(sio.rooms(sid)) == sorted(["den", sid])
        assert await sio.get_session(sid) == {"name": "me"}


@pytest.mark.parametrize("kind", ["plain", "coroutine"])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (None, {"message": "Connection rejected by server"}),
        ((), {"message": "Connection rejected by server"}),
        (("no",), {"message": "no"}),
        (("no", {"n": 1}), {"message": "no", "data": {"n": 1}}),
        (("no", 1, 2), {"message": "no", "data": [1, 2]}),
    ],
)
async def test_a_connect_handler_refuses(pair, kind, arguments, told):
    sio, inbox = pair.new_server(), Inbox()

    def refuse(sid, environ, auth):
        if arguments is None:
            return False
        raise pair.server.exceptions.ConnectionRefusedError(*arguments)

    async def refuse_later(sid, environ, auth):
        return refuse(sid, environ, auth)

    sio.on("connect", refuse if kind == "plain" else refuse_later)
    client = pair.new_client()
    client.on("connect_error", inbox)
    async with serving(sio) as url:
        with pytest.raises(pair.client.exceptions.ConnectionError):
            await client.connect(url, transports=["websocket"], wait_timeout=TIMEOUT)
        assert await inbox.get() == (told,)
        assert not client.connected


class Refusal(http.server.BaseHTTPRequestHandler):
    """Long polling in a thread of its own, with a server that refuses whoever wants to join and waits for the end."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if "sid=" not in self.path:
            opened = {"sid": "1", "upgrades": [], "pingInterval": 25000, "pingTimeout": 20000, "maxPayload": 100000}
            self.reply("0" + json.dumps(opened))
        elif self.server.asked.wait(TIMEOUT):
            self.server.asked.clear()
            self.reply('44{"message":"no"}')

    def do_POST(self):
        posted = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.reply("ok")
        self.server.asked.set()
        if posted != "40":
            self.server.left.set()

    def reply(self, text):
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


async def test_a_refusal_is_told_also_when_the_loop_learns_of_it_late():
    """All that the connection tells, from the handshake to its end, waits when the loop comes to it."""
    client, inbox = socketio_native.AsyncClient(reconnection=False), Inbox()
    client.on("connect_error", inbox)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as server:
        server.asked, server.left = threading.Event(), threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        connecting = asyncio.create_task(client.connect(url, transports=["polling"], wait_timeout=TIMEOUT))
        await asyncio.sleep(0)
        assert server.left.wait(TIMEOUT)
        with pytest.raises(socketio_native.exceptions.ConnectionError, match="^One or more namespaces failed to connect: /$"):
            await connecting
        assert await inbox.get() == ({"message": "no"},)
        server.shutdown()


async def test_connect_handlers_begin_in_order(server_package):
    """A plain one does not overtake a coroutine that was called before it."""
    sio, inbox = server_package.new_server(), Inbox()

    async def first(sid, environ, auth):
        inbox("first")

    sio.on("connect", first, namespace="/first")
    sio.on("connect", lambda sid, environ, auth: inbox("second"), namespace="/second")
    for _ in range(10):
        async with server_package.connected(sio, namespaces=["/first", "/second"]):
            assert [await inbox.get(), await inbox.get()] == [("first",), ("second",)]


async def test_a_connect_handler_that_raises_refuses(native, errors):
    sio = native.new_server()

    @sio.event
    async def connect(sid, environ, auth):
        raise LookupError("secret")

    client, inbox = native.new_client(), Inbox()
    client.on("connect_error", inbox)
    async with serving(sio) as url:
        with pytest.raises(native.client.exceptions.ConnectionError):
            await client.connect(url, wait_timeout=TIMEOUT)
        assert await inbox.get() == ({"message": "internal error"},)
    assert [type(error) for error in errors] == [LookupError]


async def test_always_connect_lets_in_first(server_package):
    sio, inbox = server_package.new_server(always_connect=True), Inbox()
    client = server_package.new_client()
    client.on("connect", lambda: inbox("connect"))
    client.on("disconnect", lambda reason: inbox(reason))
    decide = asyncio.Event()

    @sio.event
    async def connect(sid, environ, auth):
        await decide.wait()
        return False

    async with serving(sio) as url:
        await client.connect(url, transports=["websocket"], wait_timeout=TIMEOUT)
        assert await inbox.get() == ("connect",)
        decide.set()
        assert await inbox.get() == ("server disconnect",)
        await client.disconnect()


async def test_pages_of_other_sites_are_refused_by_default():
    import socketio
    import socketio_native

    sio = socketio_native.AsyncServer()
    async with serving(sio) as url:
        client = socketio.AsyncClient(reconnection=False)
        with pytest.raises(socketio.exceptions.ConnectionError):
            await client.connect(url, headers={"Origin": "http://elsewhere"}, wait_timeout=TIMEOUT)
        async with connected(client, url, headers={"Origin": url}):
            pass


async def test_a_namespace_that_nobody_serves_is_refused(pair):
    sio = pair.new_server(namespaces=["/", "/listed"])
    sio.on("x", lambda sid: None, namespace="/handled")
    client = pair.new_client()
    async with serving(sio) as url:
        with pytest.raises(pair.client.exceptions.ConnectionError, match="/nope"):
            await client.connect(url, namespaces=["/", "/nope"], transports=["websocket"], wait_timeout=TIMEOUT)
        async with connected(client, url, namespaces=["/", "/listed", "/handled"]):
            assert len({client.get_sid(name) for name in ("/", "/listed", "/handled")}) == 3


async def test_reasons(pair):
    sio, ours, theirs = pair.new_server(), Inbox(), Inbox()
    sio.on("disconnect", lambda sid, reason: ours(reason))
    client = pair.new_client()
    client.on("disconnect", lambda reason: theirs(reason))
    sio.on("kick", lambda sid: sio.start_background_task(sio.disconnect, sid) and None)
    async with serving(sio) as url:
        await client.connect(url, transports=["websocket"])
        await client.disconnect()
        # python-socketio's client leaves and closes in one breath: either may be seen first.
        assert (await ours.get())[0] in ("client disconnect", "transport close")
        assert await theirs.get() == ("client disconnect",)
        await client.connect(url, transports=["websocket"])
        await client.emit("kick")
        assert await ours.get() == ("server disconnect",)
        assert await theirs.get() == ("server disconnect",)
        await client.wait()


async def test_disconnect_returns_when_the_handler_has_ended(server_package):
    sio, steps = server_package.new_server(), []

    @sio.event
    async def disconnect(sid, reason):
        await sio.sleep(0)
        steps.append(sorted(sio.rooms(sid)) == sorted(["den", sid]))
        steps.append(await sio.get_session(sid))
        steps.append(reason)

    done = Inbox()

    @sio.event
    async def kick(sid):
        await sio.enter_room(sid, "den")
        await sio.save_session(sid, {"n": 1})
        await sio.disconnect(sid)
        done(*steps)
        await sio.disconnect(sid)  # again does nothing

    async with server_package.connected(sio) as client:
        await client.emit("kick")
        assert await done.get() == (True, {"n": 1}, "server disconnect")


async def test_sessions(server_package):
    sio = server_package.new_server(namespaces=["/", "/n"])
    async with server_package.connected(sio, namespaces=["/", "/n"]) as client:
        sid, other = client.get_sid(), client.get_sid("/n")
        assert await sio.get_session(sid) == {}
        async with sio.session(sid) as session:
            session["a"] = 1
        async with sio.session(other, namespace="/n") as session:
            session["a"] = 2
        assert await sio.get_session(sid) == {"a": 1}
        assert await sio.get_session(other, namespace="/n") == {"a": 2}
        with pytest.raises(KeyError):
            await sio.get_session("nobody")


async def test_rooms(pair):
    sio = pair.new_server()
    clients, inboxes = [pair.new_client() for _ in range(3)], [Inbox() for _ in range(3)]
    for client, inbox in zip(clients, inboxes, strict=True):
        client.on("news", inbox)
    async with serving(sio) as url:
        async with connected(clients[0], url), connected(clients[1], url), connected(clients[2], url):
            one, two, three = (client.get_sid() for client in clients)
            await sio.enter_room(one, "den")
            await sio.enter_room(two, "den")
            await sio.enter_room(three, "attic")
            await sio.emit("news", "den", room="den", skip_sid=one)
            await sio.emit("news", "both", to=["den", "attic"])
            await sio.emit("news", "but two", skip_sid=[one, two])
            await sio.emit("news", "you", to=two)
            await sio.leave_room(two, "den")
            await sio.close_room("attic")
            await sio.emit("news", "left", to="den")
            await sio.emit("news", "nobody", to="attic")
            await sio.emit("news", "end")
            expected = [["both", "left", "end"], ["den", "both", "you", "end"], ["both", "but two", "end"]]
            for inbox, words in zip(inboxes, expected, strict=True):
                assert [(await inbox.get())[0] for _ in words] == words
                assert inbox.empty()
            assert sorted(sio.rooms(one)) == sorted([one, "den"])
            assert sio.rooms("nobody") == []
            with pytest.raises(ValueError, match="sid"):
                await sio.enter_room(one, two)
            with pytest.raises(ValueError, match="sid"):
                await sio.close_room(two)


async def test_callbacks_of_a_room_are_called_for_each_member(native):
    sio, answers = native.new_server(), Inbox()
    clients = [native.new_client() for _ in range(2)]
    for number, client in enumerate(clients):
        client.on("number", lambda number=number: number)
    async with serving(sio) as url, connected(clients[0], url), connected(clients[1], url):
        await sio.emit("number", callback=answers)
        assert {(await answers.get())[0], (await answers.get())[0]} == {0, 1}


async def test_what_nobody_hears_is_no_error(server_package):
    sio = server_package.new_server()
    await sio.emit("before it listens")
    async with server_package.connected(sio):
        await sio.emit("x", to="no such client or room")
        await sio.emit("x", namespace="/nobody")
        await sio.disconnect("nobody")
        await sio.leave_room("nobody", "den")
    await sio.emit("afterwards")
