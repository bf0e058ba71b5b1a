"""Who is called for what, and what becomes of handlers that raise."""

import asyncio
import contextvars

import pytest
from conftest import TIMEOUT, Inbox


async def test_handlers_of_events_and_namespaces_in_their_order(server_package):
    sio, inbox = server_package.new_server(namespaces=["/", "/a", "/b"]), Inbox()
    sio.on("own", lambda sid, *rest: inbox("own", *rest))
    sio.on("*", lambda event, sid, *rest: inbox("*", event, *rest))
    sio.on("own", lambda namespace, sid, *rest: inbox("own in *", namespace, *rest), namespace="*")
    sio.on("*", lambda event, namespace, sid, *rest: inbox("* in *", event, namespace, *rest), namespace="*")
    sio.on("other", lambda sid, *rest: inbox("other of /a", *rest), namespace="/a")
    async with server_package.connected(sio, namespaces=["/", "/a", "/b"]) as client:
        for namespace, event, expected in [
            ("/", "own", ("own", 1)),
            ("/", "any", ("*", "any", 1)),
            ("/a", "other", ("other of /a", 1)),
            ("/a", "own", ("own in *", "/a", 1)),
            ("/b", "own", ("own in *", "/b", 1)),
            ("/b", "any", ("* in *", "any", "/b", 1)),
        ]:
            await client.emit(event, 1, namespace=namespace)
            assert await inbox.get() == expected


async def test_handlers_of_a_client_in_their_order(client_package):
    sio, inbox = client_package.new_server(namespaces=["/", "/b"]), Inbox()
    client = client_package.new_client()
    client.on("own", lambda *rest: inbox("own", *rest))
    client.on("*", lambda event, *rest: inbox("*", event, *rest))
    client.on("own", lambda namespace, *rest: inbox("own in *", namespace, *rest), namespace="*")
    client.on("*", lambda event, namespace, *rest: inbox("* in *", event, namespace, *rest), namespace="*")
    async with client_package.connected(sio, client=client, namespaces=["/", "/b"]):
        for namespace, event, expected in [
            ("/", "own", ("own", 1)),
            ("/", "any", ("*", "any", 1)),
            ("/b", "own", ("own in *", "/b", 1)),
            ("/b", "any", ("* in *", "any", "/b", 1)),
        ]:
            await sio.emit(event, 1, namespace=namespace)
            assert await inbox.get() == expected


async def test_decorators(pair):
    sio = pair.new_server()

    @sio.event
    def one(sid):
        return "one"

    @sio.event(namespace="/n")
    async def two(sid):
        return "two"

    @sio.on("three")
    def anything(sid):
        return "three"

    def four(sid):
        return "four"

    assert sio.on("four", four) is None
    assert one(None) == "one"  # a decorator gives the function back
    async with pair.connected(sio, namespaces=["/", "/n"]) as client:
        assert await client.call("one", timeout=TIMEOUT) == "one"
        assert await client.call("two", namespace="/n", timeout=TIMEOUT) == "two"
        assert await client.call("three", timeout=TIMEOUT) == "three"
        assert await client.call("four", timeout=TIMEOUT) == "four"


async def test_a_handler_is_replaced_and_added_while_the_server_runs(pair):
    sio = pair.new_server()
    sio.on("which", lambda sid: "first")
    async with pair.connected(sio) as client:
        assert await client.call("which", timeout=TIMEOUT) == "first"
        sio.on("which", lambda sid: "second")
        assert await client.call("which", timeout=TIMEOUT) == "second"


async def test_a_handler_that_raises_does_not_answer_and_harms_nothing(native, errors):
    sio = native.new_server()

    @sio.event
    def plain(sid):
        raise LookupError("plain")

    @sio.event
    async def coroutine(sid):
        raise LookupError("coroutine")

    @sio.event
    async def wants_two(sid, one, two):
        raise AssertionError("not called")

    @sio.event
    def cannot_be_sent(sid):
        return {1, 2}

    sio.on("echo", lambda sid, *rest: rest)
    async with native.connected(sio) as client:
        for event in ("plain", "coroutine", "wants_two", "cannot_be_sent"):
            with pytest.raises(native.client.exceptions.TimeoutError):
                await client.call(event, timeout=0.1)
        assert await client.call("echo", 1, timeout=TIMEOUT) == 1
    assert [type(error) for error in errors] == [LookupError, LookupError, TypeError, TypeError]


async def test_errors_of_handlers_are_logged_with_their_traceback(native, caplog):
    sio = native.new_server()

    @sio.event
    async def fails(sid):
        raise LookupError("what failed")

    sio.on("echo", lambda sid, *rest: rest)
    async with native.connected(sio) as client:
        await client.emit("fails")
        await client.call("echo", timeout=TIMEOUT)
    assert "what failed" in caplog.text
    assert "in fails" in caplog.text


async def test_a_clients_handler_that_raises_harms_nothing(client_package, errors):
    sio, inbox = client_package.new_server(), Inbox()
    client = client_package.new_client()

    @client.event
    def fails():
        raise LookupError

    client.on("works", inbox)
    async with client_package.connected(sio, client=client):
        await sio.emit("fails")
        await sio.emit("works", 1)
        assert await inbox.get() == (1,)


async def test_each_handler_has_a_context_of_its_own(server_package):
    sio = server_package.new_server()
    variable = contextvars.ContextVar("variable", default="unset")

    @sio.event
    def plain(sid):
        before = variable.get()
        variable.set("set")
        return before

    @sio.event
    async def coroutine(sid):
        return plain(sid)

    async with server_package.connected(sio) as client:
        for _ in range(2):
            assert await client.call("plain", timeout=TIMEOUT) == "unset"
            assert await client.call("coroutine", timeout=TIMEOUT) == "unset"


async def test_handlers_of_a_client_run_at_once_or_one_after_the_other(server_package):
    for at_once in (True, False):
        sio, steps = server_package.new_server(async_handlers=at_once), []
        go_on = asyncio.Event()

        @sio.event
        async def wait(sid):
            steps.append("begin")
            await go_on.wait()
            steps.append("end")

        @sio.event
        def go(sid):
            steps.append("go")

        async with server_package.connected(sio) as client:
            await client.emit("wait")
            await client.emit("go")
            if at_once:
                while "go" not in steps:
                    await asyncio.sleep(0)
                go_on.set()
            else:
                while "begin" not in steps:
                    await asyncio.sleep(0)
                go_on.set()
                while "go" not in steps:
                    await asyncio.sleep(0)
            while len(steps) < 3:
                await asyncio.sleep(0)
        assert steps == (["begin", "go", "end"] if at_once else ["begin", "end", "go"])
