"""What nobody needs any more is freed."""

import asyncio
import gc
import tracemalloc
import weakref

import pytest
import socketio_native
from conftest import TIMEOUT, Inbox, connected, serving


def collected(reference):
    for _ in range(3):
        gc.collect()
    return reference() is None


def test_those_that_were_never_used_are_freed():
    for kind in (socketio_native.AsyncServer, socketio_native.AsyncClient):
        thing = kind()
        thing.on("x", lambda *rest, thing=thing: thing)
        reference = weakref.ref(thing)
        del thing
        assert collected(reference)


async def test_those_that_were_closed_are_freed():
    sio, client, answered = socketio_native.AsyncServer(), socketio_native.AsyncClient(), Inbox()

    @sio.event
    async def echo(sid, *rest):
        await sio.save_session(sid, {"sio": sio, "client": client})
        return rest

    @client.event
    def never():
        return sio, client

    async with serving(sio) as url, connected(client, url):
        assert await client.call("echo", 1, timeout=TIMEOUT) == 1
        await client.emit("echo", 1, callback=lambda *rest: answered((sio, client)))
        await answered.get()
    references = weakref.ref(sio), weakref.ref(client)
    del sio, client, echo, never
    await asyncio.sleep(0)
    assert collected(references[0])
    assert collected(references[1])


def test_a_loop_that_has_ended_is_freed():
    async def main():
        sio = socketio_native.AsyncServer()
        client = socketio_native.AsyncClient()
        async with serving(sio) as url:
            await client.connect(url, wait_timeout=TIMEOUT)
            await client.disconnect()
        return weakref.ref(asyncio.get_running_loop()), weakref.ref(sio), weakref.ref(client)

    for reference in asyncio.run(main()):
        assert collected(reference)


def test_what_a_loop_left_open_is_freed():
    def program():
        loop = asyncio.new_event_loop()
        sio = socketio_native.AsyncServer()
        sio.on("x", lambda sid: sio)
        loop.run_until_complete(sio.listen("127.0.0.1", 0))
        loop.close()
        return weakref.ref(sio), weakref.ref(loop)

    for reference in program():
        assert collected(reference)


async def test_a_server_that_listens_is_kept():
    async def start():
        sio = socketio_native.AsyncServer()
        sio.on("echo", lambda sid, *rest: rest)
        return await sio.listen("127.0.0.1", 0), weakref.ref(sio)

    (host, port), reference = await start()
    gc.collect()
    client = socketio_native.AsyncClient()
    async with connected(client, f"http://{host}:{port}"):
        gc.collect()
        assert await client.call("echo", 1, timeout=TIMEOUT) == 1
    await reference().shutdown()
    assert collected(reference)


@pytest.mark.parametrize("kind", ["events", "clients"])
async def test_memory_stays_where_it_is(kind):
    """After a first round has warmed everything up, a second one leaves nothing behind."""
    sio, left = socketio_native.AsyncServer(), Inbox()
    sio.on("connect", lambda sid, environ, auth: None)
    sio.on("disconnect", left)

    @sio.event
    async def echo(sid, *arguments):
        async with sio.session(sid) as session:
            session["last"] = arguments
        return arguments

    async def events(client, count):
        for _ in range(count // 100):
            calls = [client.call("echo", ({"a": [1, 2.5]}, b"bytes", "text"), timeout=TIMEOUT) for _ in range(100)]
            await asyncio.gather(*calls)

    async def clients(url, count):
        for _ in range(count):
            client = socketio_native.AsyncClient(reconnection=False)
            async with connected(client, url):
                await client.call("echo", timeout=TIMEOUT)
            await left.get()

    async with serving(sio) as url:
        client = socketio_native.AsyncClient()
        async with connected(client, url):

            async def work():
                await (events(client, 2000) if kind == "events" else clients(url, 50))
                gc.collect()
                return tracemalloc.get_traced_memory()[0]

            tracemalloc.start()
            await work()
            before = await work()
            after = await work()
            tracemalloc.stop()
    assert after - before < 20_000
