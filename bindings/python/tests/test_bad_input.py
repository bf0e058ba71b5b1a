"""What cannot be sent is an error at the call, and nothing of it is sent."""

import collections
import enum
import math

import pytest
from conftest import TIMEOUT, Inbox


class Number(enum.IntEnum):
    ONE = 1


class Word(enum.StrEnum if hasattr(enum, "StrEnum") else str):
    HELLO = "hello"


class Text(str):
    def __str__(self):
        raise AssertionError("its text is not asked for")


Point = collections.namedtuple("Point", "x y")


def cycle():
    loop = []
    loop.append({"loop": loop})
    return loop


def nested(depth):
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


CANNOT = [
    ({1, 2}, TypeError, "set is not JSON serializable"),
    (object(), TypeError, "object is not JSON serializable"),
    ([1, {"deep": {3}}], TypeError, "set"),
    ({(1, 2): 3}, TypeError, "keys must be str, int, float, bool or None, not tuple"),
    ({b"bytes": 3}, TypeError, "keys must be"),
    (lambda: None, TypeError, "function"),
    (math.nan, ValueError, "Out of range float values"),
    ([math.inf], ValueError, "Out of range float values"),
    ({-math.inf: 1}, ValueError, "Out of range float values"),
    (cycle(), ValueError, "nested too deep"),
    (nested(1000), ValueError, "nested too deep"),
    ("\ud800", ValueError, "surrogates not allowed"),
    ({"\udfff": 1}, ValueError, "surrogates not allowed"),
]


@pytest.mark.parametrize(("value", "error", "message"), CANNOT, ids=range(len(CANNOT)))
async def test_what_json_cannot_carry_is_refused(native, value, error, message):
    sio, inbox = native.new_server(), Inbox()
    client = native.new_client()
    client.on("x", inbox)
    async with native.connected(sio, client=client):
        for data in (value, ("first", b"bytes", value)):
            for options in ({}, {"to": client.get_sid()}, {"callback": inbox}):
                with pytest.raises(error, match=message):
                    await sio.emit("x", data, **options)
            with pytest.raises(error, match=message):
                await sio.call("x", data, to=client.get_sid())
        await sio.emit("x", "after it")
        assert await inbox.get() == ("after it",)


@pytest.mark.parametrize(("value", "error", "message"), CANNOT, ids=range(len(CANNOT)))
async def test_a_client_refuses_the_same(native_client, value, error, message):
    sio, inbox = native_client.new_server(), Inbox()
    sio.on("x", lambda sid, *rest: inbox(*rest))
    async with native_client.connected(sio) as client:
        with pytest.raises(error, match=message):
            await client.emit("x", ("first", b"bytes", value))
        with pytest.raises(error, match=message):
            await client.call("x", value)
        await client.emit("x", "after it")
        assert await inbox.get() == ("after it",)


async def test_what_json_dumps_carries_is_carried_likewise(server_package):
    sio, inbox = server_package.new_server(), Inbox()
    client = server_package.new_client()
    client.on("x", inbox)
    ordered = collections.OrderedDict([("b", 1), ("a", 2)])
    values = (Number.ONE, Word.HELLO, Text("t"), Point(1, [2]), ordered, collections.defaultdict(list, k=[1]), (1, (2,)))
    async with server_package.connected(sio, client=client):
        await sio.emit("x", (*values, {2: 2, 1.5: "float", False: "bool", None: "null", Text("t"): "text"}))
        *received, received_keys = await inbox.get()
        assert received == [1, "hello", "t", [1, [2]], {"b": 1, "a": 2}, {"k": [1]}, [1, [2]]]
        assert list(received[4]) == ["b", "a"]
        assert received_keys == {"2": 2, "1.5": "float", "false": "bool", "null": "null", "t": "text"}


async def test_bytes_of_every_kind_are_carried(native):
    sio, inbox = native.new_server(), Inbox()
    client = native.new_client()
    client.on("x", inbox)
    view = memoryview(b"0123456789")
    async with native.connected(sio, client=client):
        await sio.emit("x", (bytearray(b"array"), view, view[::2], {"deep": [memoryview(b"")]}))
        assert await inbox.get() == (b"array", b"0123456789", b"02468", {"deep": [b""]})


async def test_a_dict_that_looks_like_a_placeholder_is_what_it_is(pair):
    sio = pair.new_server()
    sio.on("echo", lambda sid, *rest: rest)
    looks = {"_placeholder": True, "num": 0}
    async with pair.connected(sio) as client:
        assert await client.call("echo", looks, timeout=TIMEOUT) == looks


async def test_nesting_has_a_bound(native):
    sio, inbox = native.new_server(), Inbox()
    client = native.new_client()
    client.on("x", inbox)
    async with native.connected(sio, client=client):
        await sio.emit("x", nested(127))
        assert await inbox.get() == (nested(127),)
        with pytest.raises(ValueError, match="nested too deep"):
            await sio.emit("x", nested(128))


async def test_numbers_of_arguments_have_a_bound(native):
    sio, inbox = native.new_server(), Inbox()
    client = native.new_client()
    client.on("x", lambda *rest: inbox(len(rest)))
    async with native.connected(sio, client=client):
        with pytest.raises(ValueError, match="arguments"):
            await sio.emit("x", tuple(range(100_000)))
        await sio.emit("x", tuple(range(60_000)))
        assert await inbox.get() == (60_000,)


async def test_much_of_everything_is_sent_or_refused(native):
    sio, inbox = native.new_server(), Inbox()
    client = native.new_client()
    client.on("x", lambda *rest: inbox(*rest))
    async with native.connected(sio, client=client):
        sid = client.get_sid()
        with pytest.raises(native.server.exceptions.SocketIOError):
            for _ in range(3):
                await sio.emit("x", bytes(100_000_000), to=sid)
        await sio.emit("x", list(range(100_000)), to="nobody")


async def test_names_have_to_be_texts(native):
    sio = native.new_server()
    async with native.connected(sio) as client:
        for event in (None, 1, b"bytes"):
            with pytest.raises(TypeError):
                await sio.emit(event, to=client.get_sid())
        with pytest.raises(TypeError, match="room"):
            await sio.emit("x", to=[object()])
        with pytest.raises(ValueError, match="connect"):
            await sio.emit("connect")
        await sio.enter_room(client.get_sid(), 5)
        assert "5" in sio.rooms(client.get_sid())


async def test_too_much_for_a_client_that_does_not_read_is_an_error():
    """The bound of what waits for a peer; a raw socket is a client that never reads."""
    import asyncio

    import socketio_native

    sio, joined = socketio_native.AsyncServer(), Inbox()
    sio.on("connect", lambda sid, environ, auth: joined(sid))
    host, port = await sio.listen("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(host, port, limit=4096)
    writer.write(
        f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        + b"\x81\x82\0\0\0\0" + b"40"
    )
    (sid,) = await joined.get()
    with pytest.raises(socketio_native.exceptions.SocketIOError):
        for _ in range(10_000):
            await sio.emit("x", "x" * 100_000, to=sid)
    writer.close()
    await sio.shutdown()
