"""python-socketio's AsyncClient against the server under test: events, acks, binary, auth, namespaces, rooms, reasons.

The server is named by the environment variable SERVER, as for the suites in JavaScript.
"""

import asyncio
import os
import signal
import socket
import unittest
from pathlib import Path

import socketio
from engineio.payload import Payload

HERE = Path(__file__).resolve().parent.parent
OFFICIAL = ["node", str(HERE / "official-server.mjs")]
SERVER = os.environ.get("SERVER", "official")
COMMAND = OFFICIAL if SERVER == "official" else SERVER.split()
TIMEOUT = 10

# The client refuses payloads of more than 16 packets unless it is told otherwise.
Payload.max_decode_packets = 2000

MODES = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}
VALUES = ["text", "", "\u00fc \u4f60 \U0001f600 \x00", 0, -1, 1.5, True, None, [], {}, [1, {"a": [None]}], {"k": {"": "v"}}]
BINARY = [b"\x01\x02\x03", b"", bytes(range(256)), {"deep": [b"one", {"two": b"two"}]}]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """The server under test, started on a free port, expected to exit with status 0 on SIGTERM."""

    async def __aenter__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = await asyncio.create_subprocess_exec(*COMMAND, str(self.port))
        while self.process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.01)  # nobody tells us when it listens
            else:
                writer.close()
                return self
        raise AssertionError(f"the server ended with {self.process.returncode} before it listened")

    async def __aexit__(self, *_):
        await self.stop()

    async def stop(self):
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        assert await self.process.wait() == 0, f"the server ended with {self.process.returncode}"


class Client:
    """An AsyncClient whose events of each namespace wait in queues until a test asks for them."""

    def __init__(self, namespaces=("/",)):
        self.sio = socketio.AsyncClient(reconnection=False)
        self.namespaces = namespaces
        self.queues = {}
        for namespace in namespaces:
            self.sio.on("connect_error", self._put(namespace, "connect_error"), namespace=namespace)
            self.sio.on("disconnect", self._put(namespace, "disconnect"), namespace=namespace)
            for name in ("auth", "message-back", "answer", "news", "broadcast"):
                self.sio.on(name, self._put(namespace, name), namespace=namespace)

    def _put(self, namespace, name):
        async def put(*args):
            self._queue(namespace, name).put_nowait(list(args))

        return put

    def _queue(self, namespace, name):
        return self.queues.setdefault((namespace, name), asyncio.Queue())

    async def connect(self, server, transports, **options):
        await self.sio.connect(server.url, namespaces=list(self.namespaces), transports=transports, **options)
        return self

    async def event(self, name, namespace="/"):
        return await asyncio.wait_for(self._queue(namespace, name).get(), TIMEOUT)

    def heard(self, name, namespace="/"):
        return self._queue(namespace, name).qsize()

    async def emit(self, name, *args, namespace="/"):
        await self.sio.emit(name, args, namespace=namespace)

    async def ask(self, name, *args, namespace="/"):
        answer = await self.sio.call(name, args, namespace=namespace, timeout=TIMEOUT)
        return list(answer) if isinstance(answer, tuple) else [] if answer is None else [answer]

    async def leave(self):
        await self.sio.disconnect()


class PythonClient(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # its warnings of slow steps are about this machine

    async def each_mode(self, body):
        for name, transports in MODES.items():
            with self.subTest(name):
                async with Server() as server:
                    await asyncio.wait_for(body(server, transports), 3 * TIMEOUT)

    async def test_events_and_acks_carry_every_kind_of_value(self):
        async def body(server, transports):
            client = await Client().connect(server, transports)
            await client.emit("message", *VALUES)
            self.assertEqual(await client.event("message-back"), VALUES)
            self.assertEqual(await client.ask("message-with-ack", *VALUES), VALUES)
            self.assertEqual(await client.ask("echo", "one"), ["one"])
            await client.leave()

        await self.each_mode(body)

    async def test_binary_goes_both_ways_anywhere_in_the_arguments(self):
        async def body(server, transports):
            client = await Client().connect(server, transports)
            await client.emit("message", *BINARY)
            self.assertEqual(await client.event("message-back"), BINARY)
            self.assertEqual(await client.ask("echo", *BINARY), BINARY)
            await client.leave()

        await self.each_mode(body)

    async def test_the_client_answers_what_the_server_asks(self):
        async def body(server, transports):
            client = Client()
            client.sio.on("question", lambda *args: ("I heard", *args, b"bytes"))
            await client.connect(server, transports)
            await client.emit("ask", "what", {"n": 1})
            self.assertEqual(await client.event("answer"), ["I heard", "what", {"n": 1}, b"bytes"])
            await client.leave()

        await self.each_mode(body)

    async def test_the_server_sees_the_auth_object(self):
        async def body(server, transports):
            auth = {"token": "s\u00e9same", "list": [1, None]}
            client = await Client().connect(server, transports, auth=auth)
            self.assertEqual(await client.event("auth"), [auth])
            await client.leave()

        await self.each_mode(body)

    async def test_two_namespaces_share_a_connection(self):
        async def body(server, transports):
            client = await Client(("/", "/custom")).connect(server, transports)
            for namespace in ("/", "/custom"):
                self.assertEqual(await client.event("auth", namespace), [{}])
                self.assertEqual(await client.ask("echo", namespace, b"b", namespace=namespace), [namespace, b"b"])
            self.assertNotEqual(client.sio.get_sid("/"), client.sio.get_sid("/custom"))
            await client.leave()

        await self.each_mode(body)

    async def test_an_unknown_namespace_is_refused_and_the_other_stays(self):
        async def body(server, transports):
            client = Client(("/", "/nope"))
            # The client raises as soon as one of its namespaces is refused, but wait=False lets the other go on.
            await client.connect(server, transports, wait=False)
            self.assertIn("Invalid namespace", str(await client.event("connect_error", "/nope")))
            await client.event("auth")
            self.assertEqual(await client.ask("echo", 1), [1])
            await client.leave()

        await self.each_mode(body)

    async def test_a_room_hears_what_is_sent_to_it_without_the_sender(self):
        async def body(server, transports):
            sender, member, outsider = [await Client().connect(server, transports) for _ in range(3)]
            for client in (sender, member):
                self.assertEqual(await client.ask("join", "den"), [])
            await sender.emit("to", "den", "news", "hot", b"off the press")
            self.assertEqual(await member.event("news"), ["hot", b"off the press"])
            self.assertEqual(await member.ask("leave", "den"), [])
            await sender.emit("to", "den", "news", "cold")
            for client in (sender, member, outsider):
                await client.ask("echo")  # behind whatever else was sent
                self.assertEqual(client.heard("news"), 0)
                await client.leave()

        await self.each_mode(body)

    async def test_a_broadcast_reaches_everyone(self):
        async def body(server, transports):
            clients = [await Client().connect(server, transports) for _ in range(3)]
            await clients[0].emit("broadcast", "all", {"picture": b"\x01"})
            for client in clients:
                self.assertEqual(await client.event("broadcast"), ["all", {"picture": b"\x01"}])
                await client.leave()

        await self.each_mode(body)

    async def test_reasons(self):
        async def body(server, transports):
            observer = await Client().connect(server, transports)

            kicked = await Client().connect(server, transports)
            await kicked.emit("kick", False)
            self.assertEqual(await kicked.event("disconnect"), ["server disconnect"])
            await self.last_reason_becomes(observer, "server namespace disconnect")

            leaving = await Client().connect(server, transports)
            await leaving.leave()
            self.assertEqual(await leaving.event("disconnect"), ["client disconnect"])
            # It leaves the namespace and closes the connection in one breath: the server may take either for the reason.
            await self.last_reason_becomes(observer, "client namespace disconnect", "transport close")

            closed = await Client().connect(server, transports)
            await closed.emit("kick", True)
            self.assertEqual(await closed.event("disconnect"), ["server disconnect"])
            await self.last_reason_becomes(observer, "server namespace disconnect")
            await observer.leave()

        await self.each_mode(body)

    async def test_a_burst_comes_back_in_order(self):
        async def body(server, transports):
            client = await Client().connect(server, transports)
            for i in range(1000):
                await client.emit("message", i)
            self.assertEqual([(await client.event("message-back"))[0] for _ in range(1000)], list(range(1000)))
            await client.leave()

        await self.each_mode(body)

    async def last_reason_becomes(self, observer, *reasons):
        async with asyncio.timeout(TIMEOUT):
            while (await observer.ask("last-reason"))[0] not in reasons:
                pass


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # the client leaves sessions of closed connections to the garbage collector
