"""What constructors accept, and what they refuse by name."""

import json
import logging

import pytest
import socketio_native
from conftest import TIMEOUT, Inbox, serving
from socketio_native import AsyncClient, AsyncServer


@pytest.mark.parametrize(
    "options",
    [
        {"client_manager": object()},
        {"serializer": "msgpack"},
        {"cookie": "io"},
        {"monitor_clients": False},
        {"json": object()},
        {"namespaces": "*"},
        {"ping_interval": (25, 5)},
        {"transports": ["carrier pigeon"]},
        {"cors_allowed_origins": lambda origin: True},
    ],
    ids=lambda options: next(iter(options)),
)
def test_a_server_refuses_what_it_cannot_honour(options):
    with pytest.raises(ValueError, match=next(iter(options)) if "transports" not in options else "transports"):
        AsyncServer(**options)


@pytest.mark.parametrize(
    "options",
    [{"serializer": "msgpack"}, {"json": object()}, {"http_session": object()}, {"websocket_extra_options": {"a": 1}}],
    ids=lambda options: next(iter(options)),
)
def test_a_client_refuses_what_it_cannot_honour(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        AsyncClient(**options)


@pytest.mark.parametrize("kind", [AsyncServer, AsyncClient])
def test_an_option_that_does_not_exist_is_an_error(kind):
    with pytest.raises(TypeError, match="nonsense"):
        kind(nonsense=1)


def test_options_that_change_nothing_are_accepted():
    AsyncServer(
        client_manager=None, logger=False, json=json, async_handlers=True, namespaces=["/"], async_mode="asgi",
        http_compression=False, compression_threshold=1, cookie=None, monitor_clients=True, engineio_logger=False,
        ping_interval=(25, 0),
    )
    AsyncClient(True, 0, 1, 5, 0.5, False, "default", json, False, ssl_verify=False, timestamp_requests=False)


async def test_times_are_seconds_and_sizes_bytes():
    import aiohttp

    sio = AsyncServer(ping_interval=1.5, ping_timeout=2, max_http_buffer_size=1234, allow_upgrades=False)
    async with serving(sio) as url, aiohttp.ClientSession() as http:
        async with http.get(f"{url}/socket.io/?EIO=4&transport=polling") as response:
            opened = json.loads((await response.text())[1:])
    expected = {"pingInterval": 1500, "pingTimeout": 2000, "maxPayload": 1234, "upgrades": []}
    assert {name: opened[name] for name in expected} == expected


async def test_transports_are_limited():
    import aiohttp

    sio = AsyncServer(transports=["websocket"])
    async with serving(sio) as url, aiohttp.ClientSession() as http:
        async with http.get(f"{url}/socket.io/?EIO=4&transport=polling") as response:
            assert response.status == 400


@pytest.mark.parametrize(
    ("options", "origin", "allowed"),
    [
        ({"cors_allowed_origins": "*"}, "http://a", "*"),
        ({"cors_allowed_origins": ["http://a", "http://b"]}, "http://b", "http://b"),
        ({"cors_allowed_origins": "http://a"}, "http://b", None),
        ({}, "http://a", None),
        ({"cors_allowed_origins": []}, "http://a", None),
    ],
)
async def test_origins(options, origin, allowed):
    import aiohttp

    async with serving(AsyncServer(**options)) as url, aiohttp.ClientSession() as http:
        request = http.get(f"{url}/socket.io/?EIO=4&transport=polling", headers={"Origin": origin})
        async with request as response:
            assert response.headers.get("Access-Control-Allow-Origin") == allowed


async def test_the_logger_is_told(native, caplog):
    logger = logging.getLogger("test of the server")
    logger.setLevel(logging.INFO)
    sio, inbox = native.new_server(logger=logger, engineio_logger=logger), Inbox()
    client = native.new_client()
    client.on("x", inbox)
    async with native.connected(sio, client=client):
        await sio.emit("x", 1)
        await inbox.get()
    assert 'emitting event "x" to all [/]' in caplog.text


async def test_lines_of_the_library_reach_the_engineio_logger(native, caplog):
    logger = logging.getLogger("test of the library")
    logger.setLevel(logging.DEBUG)
    sio, seen = native.new_server(engineio_logger=logger), Inbox()
    handler = logging.Handler()
    handler.emit = seen
    logger.addHandler(handler)
    async with native.connected(sio):
        (record,) = await seen.get()
    assert record.name == "test of the library"
    logger.setLevel(logging.ERROR)


async def test_listening(native):
    sio = native.new_server()
    sio.on("echo", lambda sid, *rest: rest)
    host, port = await sio.listen("127.0.0.1", 0)
    with pytest.raises(OSError, match="in use"):
        await sio.listen("127.0.0.1", port)
    with pytest.raises((OSError, ValueError)):
        await sio.listen("no.such.host.invalid", 1)
    other = await sio.listen("localhost", 0)
    assert other[1] not in (0, port)
    for number in (port, other[1]):
        client = native.new_client()
        await client.connect(f"http://localhost:{number}", transports=["websocket"], wait_timeout=TIMEOUT)
        assert await client.call("echo", 1, timeout=TIMEOUT) == 1
        await client.disconnect()
    await sio.shutdown()
    await sio.shutdown()
    assert (await sio.listen("127.0.0.1", port)) == ("127.0.0.1", port)
    await sio.shutdown()


def test_exceptions_have_the_tree_of_python_socketio():
    import socketio

    ours, theirs = socketio_native.exceptions, socketio.exceptions
    names = [name for name, value in vars(theirs).items() if isinstance(value, type)]
    for name in names:
        assert [base.__name__ for base in getattr(ours, name).__mro__] == [
            base.__name__ for base in getattr(theirs, name).__mro__
        ]
    assert ours.ConnectionRefusedError("a", 1, 2).error_args == theirs.ConnectionRefusedError("a", 1, 2).error_args


@pytest.mark.parametrize("kind", ["AsyncServer", "AsyncClient"])
def test_methods_have_the_parameters_of_python_socketio(kind):
    import inspect

    import socketio

    ours, theirs = getattr(socketio_native, kind), getattr(socketio, kind)
    for name, method in inspect.getmembers(ours, inspect.isfunction):
        if name.startswith("_") or not hasattr(theirs, name) or name == "event":
            continue
        expected = inspect.signature(getattr(theirs, name)).parameters.values()
        given = [p for p in inspect.signature(method).parameters.values() if p.kind is not p.KEYWORD_ONLY]
        assert [(p.name, p.kind, p.default) for p in given] == [(p.name, p.kind, p.default) for p in expected], name
