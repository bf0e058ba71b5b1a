"""What 100,000 events and 10,000 sockets leave behind in Python: nothing.

    leaks.py [PERCENT]      that much of the work; 100 without

Neither what Python allocates may grow with what is done (tracemalloc), nor what the process holds (resident memory).
"""

import asyncio
import gc
import socket
import sys
import tracemalloc

import socketio_native as socketio

SCALE = int(sys.argv[1]) if len(sys.argv) > 1 else 100
EVENTS = 100_000 * SCALE // 100
SOCKETS = 10_000 * SCALE // 100
AT_ONCE = 50
# A leak of 20 bytes an event, or of 200 a socket, would be as much.
ALLOWED_RESIDENT = 2 << 20
ALLOWED_TRACED = 16 << 10


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


class Work:
    """A server and clients in one process; every event is acknowledged, every other one carries bytes."""

    async def begin(self):
        self.url = f"http://127.0.0.1:{free_port()}"
        self.joined = asyncio.Queue()
        self.server = server = socketio.AsyncServer()

        @server.event
        async def connect(sid, environ, auth):
            await server.save_session(sid, {"auth": auth, "environ": environ})
            await server.enter_room(sid, "everybody")

        @server.event
        async def disconnect(sid, reason):
            self.joined.put_nowait(reason)

        @server.event
        async def echo(sid, *arguments):
            return arguments

        @server.event
        def plain(sid, value):
            return value

        @server.event
        async def broken(sid):
            raise RuntimeError("planted")

        host, port = self.url.removeprefix("http://").split(":")
        await server.listen(host, int(port))

    async def end(self):
        await self.server.shutdown()

    async def events(self, count):
        async def one(client, number):
            if number % 2:
                await client.call("echo", (number, {"bytes": [b"x" * (number % 300)]}))
            else:
                await client.call("plain", f"text {number}")

        async with Client(self.url) as client:
            for first in range(0, count, AT_ONCE):
                await asyncio.gather(*(one(client, first + i) for i in range(AT_ONCE)))

    async def sockets(self, count):
        for number in range(count // AT_ONCE):
            transports = ["polling"] if number % 10 == 0 else ["websocket"]
            clients = await asyncio.gather(*(self.come(transports) for _ in range(AT_ONCE)))
            await self.server.emit("news", b"to all of them", room="everybody")
            await asyncio.gather(*(client.disconnect() for client in clients))
            for _ in clients:
                await self.joined.get()

    async def come(self, transports):
        client = socketio.AsyncClient(reconnection=False)
        await client.connect(self.url, auth={"token": "x"}, transports=transports)
        return client


class Client:
    def __init__(self, url):
        self.url = url

    async def __aenter__(self):
        self.client = socketio.AsyncClient(reconnection=False)
        await self.client.connect(self.url, transports=["websocket"])
        return self.client

    async def __aexit__(self, *_):
        await self.client.disconnect()


async def growth(what, work, count):
    """Does the work several times. A leak grows each time; what allocators take for themselves they take once."""
    await work(count)
    grown = min([await difference(work, count, resident) for _ in range(3)])
    tracemalloc.start()
    traced = min([await difference(work, count // 20, traced_bytes) for _ in range(4)])
    tracemalloc.stop()
    print(f"{count} {what}: resident {grown / 1024:+.0f} KiB, traced {traced / 1024:+.1f} KiB", flush=True)
    if grown > ALLOWED_RESIDENT or traced > ALLOWED_TRACED:
        raise SystemExit(f"{what} leave something behind")


async def difference(work, count, measure):
    await settle()
    before = measure()
    await work(max(count, AT_ONCE))
    await settle()
    return measure() - before


async def settle():
    """Lets tasks end that have nothing left to wait for, and collects what they leave."""
    for _ in range(10):
        await asyncio.sleep(0)
    gc.collect()


def traced_bytes():
    return tracemalloc.get_traced_memory()[0]


async def main():
    work = Work()
    await work.begin()
    await growth("events", work.events, EVENTS)
    await growth("sockets", work.sockets, SOCKETS)
    await work.end()


asyncio.run(main())
