"""Events and acknowledgements, between each server and each client."""

import asyncio

import pytest
from conftest import TIMEOUT, Inbox

VALUES = [
    "text", "", "ü 你 \U0001f600 \x00 \u2028 \" \\ /", 0, -1, 1.5, -0.0, 1e300, 5e-324, True, False, None, [], {},
    [1, {"a": [None]}], {"k": {"": "v"}}, 2**53 + 1, -(2**63), 2**64 - 1,
]
BEYOND_64_BITS = [2**63, 2**64, -(2**63) - 1, 10**40, [{"deep": 2**70}], b"beside them"]
BINARY = [b"\x01\x02\x03", b"", bytes(range(256)), {"deep": [b"one", {"two": b"two"}]}]


async def echo(sid, *arguments):
    return arguments


@pytest.mark.parametrize("transports", [["polling"], ["websocket"], ["polling", "websocket"]], ids="-".join)
async def test_every_kind_of_value_goes_both_ways(pair, transports):
    sio = pair.new_server()
    sio.on("echo", echo)
    async with pair.connected(sio, transports=transports) as client:
        for values in (VALUES, BEYOND_64_BITS, BINARY):
            answer = await client.call("echo", tuple(values), timeout=TIMEOUT)
            assert list(answer) == values
            assert [type(value) for value in answer] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("returned", "answered"),
    [(None, None), ((), None), ("one", "one"), (("one",), "one"), ((1, 2), (1, 2)), ([1, 2], [1, 2]), (False, False)],
)
async def test_what_a_handler_returns_is_the_answer(pair, returned, answered):
    sio = pair.new_server()

    @sio.event
    def plain(sid):
        return returned

    @sio.event
    async def coroutine(sid):
        await asyncio.sleep(0)
        return returned

    client = pair.new_client()

    @client.on("ask")
    async def ask():
        return returned

    @sio.event
    async def call_me(sid):
        return (await sio.call("ask", to=sid, timeout=TIMEOUT),)

    async with pair.connected(sio, client=client):
        assert await client.call("plain", timeout=TIMEOUT) == answered
        assert await client.call("coroutine", timeout=TIMEOUT) == answered
        back = await client.call("call_me", timeout=TIMEOUT)
        assert back == (list(answered) if isinstance(answered, tuple) else answered)


@pytest.mark.parametrize(
    ("data", "received"), [(None, ()), ("x", ("x",)), (("x", 1), ("x", 1)), ([1, 2], ([1, 2],)), ((), ())]
)
async def test_data_is_arguments(pair, data, received):
    sio, inbox, outbox = pair.new_server(), Inbox(), Inbox()
    sio.on("up", lambda sid, *arguments: inbox(*arguments))
    client = pair.new_client()
    client.on("down", outbox)
    async with pair.connected(sio, client=client):
        await client.emit("up", data)
        assert await inbox.get() == received
        await sio.emit("down", data)
        assert await outbox.get() == received


async def test_callbacks_get_the_answer(pair):
    sio, answers = pair.new_server(), Inbox()
    sio.on("echo", echo)
    client = pair.new_client()
    client.on("question", lambda *arguments: arguments)

    @sio.event
    async def ask(sid):
        await sio.emit("question", ("a", b"b"), to=sid, callback=answers)

    async with pair.connected(sio, client=client):
        await client.emit("echo", (1, [b"2"]), callback=answers)
        assert await answers.get() == (1, [b"2"])
        await client.emit("ask")
        assert await answers.get() == ("a", b"b")


async def test_call_gives_up(pair):
    sio = pair.new_server()
    client = pair.new_client()

    @client.event
    async def silence():
        await asyncio.Event().wait()

    @sio.event
    async def ask(sid):
        with pytest.raises(pair.server.exceptions.TimeoutError):
            await sio.call("silence", to=sid, timeout=0.01)
        return "no answer"

    @sio.event
    async def never(sid):
        await asyncio.Event().wait()

    async with pair.connected(sio, client=client):
        assert await client.call("ask", timeout=TIMEOUT) == "no answer"
        with pytest.raises(pair.client.exceptions.TimeoutError):
            await client.call("never", timeout=0.01)


async def test_send_is_the_event_message(pair):
    sio, inbox = pair.new_server(), Inbox()
    sio.on("message", inbox)
    client = pair.new_client()
    client.on("message", inbox)
    async with pair.connected(sio, client=client):
        await sio.send({"a": 1})
        assert await inbox.get() == ({"a": 1},)
        await client.send("up")
        assert (await inbox.get())[1:] == ("up",)


async def test_events_come_in_order(pair):
    sio, up, down = pair.new_server(), [], Inbox()
    client = pair.new_client()
    client.on("down", down)

    async def begin(sid, number):
        up.append(number)

    sio.on("even", begin)
    sio.on("odd", lambda sid, number: up.append(number))

    @sio.event
    async def burst(sid):
        for number in range(1000):
            await sio.emit("down", number, to=sid)

    async with pair.connected(sio, client=client):
        for number in range(1000):
            await client.emit("odd" if number % 2 else "even", number)
        await client.call("burst", timeout=TIMEOUT)
        assert up == list(range(1000))
        assert [(await down.get())[0] for _ in range(1000)] == list(range(1000))


async def test_many_arguments_are_sent(pair):
    sio = pair.new_server()
    sio.on("echo", echo)
    async with pair.connected(sio) as client:
        arguments = tuple(range(20_000))
        assert await client.call("echo", arguments, timeout=TIMEOUT) == arguments
