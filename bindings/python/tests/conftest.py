"""What the tests share: servers and clients of this package and of python-socketio, which says what is right.

A test that takes `pair` runs with each server and each client, so its expectations hold for python-socketio first.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from types import ModuleType

import pytest
import socketio
import socketio_native
from aiohttp import web
from engineio.payload import Payload

TIMEOUT = 10

# python-socketio refuses payloads of more than 16 packets unless it is told otherwise.
Payload.max_decode_packets = 2000


@contextlib.asynccontextmanager
async def serving(sio):
    """Has a server of either package listen; gives its URL."""
    if isinstance(sio, socketio_native.AsyncServer):
        host, port = await sio.listen("127.0.0.1", 0)
        try:
            yield f"http://{host}:{port}"
        finally:
            await sio.shutdown()
        return
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0])
    finally:
        await runner.cleanup()


@dataclass
class Pair:
    """The package of the server, and that of the client."""

    server: ModuleType
    client: ModuleType

    def new_server(self, **options):
        if self.server is socketio:
            options["async_mode"] = "aiohttp"
        return self.server.AsyncServer(cors_allowed_origins="*", **options)

    def new_client(self, **options):
        return self.client.AsyncClient(**{"reconnection": False, **options})

    @contextlib.asynccontextmanager
    async def connected(self, sio, *, client=None, **options):
        """A server that listens, and a client that is connected to it."""
        client = client or self.new_client()
        async with serving(sio) as url, connected(client, url, **options):
            yield client


@contextlib.asynccontextmanager
async def connected(client, url, **options):
    """A client that is connected, until the end at the latest."""
    await client.connect(url, **{"transports": ["websocket"], "wait_timeout": TIMEOUT, **options})
    try:
        yield client
    finally:
        await client.disconnect()


PACKAGES = {"reference": socketio, "native": socketio_native}


@pytest.fixture(params=[(server, client) for server in PACKAGES for client in PACKAGES], ids="-".join)
def pair(request):
    server, client = request.param
    return Pair(PACKAGES[server], PACKAGES[client])


@pytest.fixture(params=PACKAGES)
def server_package(request):
    """With python-socketio's client."""
    return Pair(PACKAGES[request.param], socketio)


@pytest.fixture(params=PACKAGES)
def client_package(request):
    """With python-socketio's server."""
    return Pair(socketio, PACKAGES[request.param])


@pytest.fixture
def native():
    """With python-socketio's client."""
    return Pair(socketio_native, socketio)


@pytest.fixture
def native_client():
    """With python-socketio's server."""
    return Pair(socketio, socketio_native)


@pytest.fixture
async def errors():
    """What the running loop's exception handler is told: the exceptions."""
    told = []

    def handle(loop, context):
        told.append(context["exception"])

    asyncio.get_running_loop().set_exception_handler(handle)
    return told


@pytest.fixture(autouse=True)
async def in_time():
    """No test hangs."""
    async with asyncio.timeout(3 * TIMEOUT):
        yield


class Inbox:
    """What handlers were called with, until the test asks for it."""

    def __init__(self):
        self._queue = asyncio.Queue()

    def __call__(self, *arguments):
        self._queue.put_nowait(arguments)

    async def get(self):
        return await asyncio.wait_for(self._queue.get(), TIMEOUT)

    def empty(self):
        return self._queue.empty()
