#!/usr/bin/env python3
"""The server that the suites and the benchmark talk to, on the Python package.

    echo-python PORT [--ping-interval MS] [--ping-timeout MS] [--connect-timeout MS] [--max-payload BYTES]
                     [--transports polling,websocket] [--auth-event on|off]

It listens on 127.0.0.1 and ::1 and serves the namespaces "/" and "/custom", both alike. SIGTERM ends it.
"""

import asyncio
import contextlib
import errno
import resource
import signal
import sys

import socketio_native
from socketio_native.exceptions import TimeoutError

ANSWER_TIMEOUT = 1.0
NAMESPACES = ("/", "/custom")

#: The official words for reasons that python-socketio has its own for.
OFFICIAL = {
    "client disconnect": "client namespace disconnect",
    "server disconnect": "server namespace disconnect",
}


def usage():
    print(__doc__, file=sys.stderr)
    sys.exit(2)


def parse(arguments):
    """The port, the options of the server, and whether a new socket is told its auth object."""
    port, options, auth_event = None, {}, True
    words = iter(arguments)
    for word in words:
        if not word.startswith("-") and port is None:
            port = word
            continue
        value = next(words, None)
        if value is None:
            usage()
        elif word == "--ping-interval":
            options["ping_interval"] = milliseconds(value)
        elif word == "--ping-timeout":
            options["ping_timeout"] = milliseconds(value)
        elif word == "--connect-timeout":
            options["connect_timeout"] = milliseconds(value)
        elif word == "--max-payload":
            options["max_http_buffer_size"] = number(value)
        elif word == "--transports":
            options["transports"] = value.split(",")
        elif word == "--auth-event":
            auth_event = value != "off"
        else:
            usage()
    if port is None:
        usage()
    return number(port), options, auth_event


def number(text):
    if not text.isdecimal():
        usage()
    return int(text)


def milliseconds(text):
    return number(text) / 1000


class Echo:
    def __init__(self, sio, auth_event):
        self.sio = sio
        self.last_reason = None
        for namespace in NAMESPACES:
            self.serve(namespace, auth_event)

    def serve(self, namespace, auth_event):
        sio = self.sio

        @sio.event(namespace=namespace)
        async def message(sid, *arguments):
            await sio.emit("message-back", arguments, to=sid, namespace=namespace)

        async def echo(sid, *arguments):
            return arguments

        for event in ("message-with-ack", "echo"):
            sio.on(event, echo, namespace=namespace)

        @sio.event(namespace=namespace)
        async def broadcast(sid, *arguments):
            await sio.emit("broadcast", arguments, namespace=namespace)

        @sio.event(namespace=namespace)
        async def join(sid, room):
            await sio.enter_room(sid, room, namespace=namespace)

        @sio.event(namespace=namespace)
        async def leave(sid, room):
            await sio.leave_room(sid, room, namespace=namespace)

        @sio.event(namespace=namespace)
        async def to(sid, room, event, *arguments):
            await sio.emit(event, arguments, to=room, skip_sid=sid, namespace=namespace)

        @sio.event(namespace=namespace)
        async def ask(sid, *arguments):
            try:
                answer = await sio.call("question", arguments, to=sid, namespace=namespace, timeout=ANSWER_TIMEOUT)
            except TimeoutError:
                answer = "timeout"
            await sio.emit("answer", answer, to=sid, namespace=namespace)

        @sio.event(namespace=namespace)
        async def kick(sid, close=False):
            await sio.disconnect(sid, namespace=namespace, close=close is True)

        @sio.on("last-reason", namespace=namespace)
        def last_reason(sid):
            return (self.last_reason,)

        @sio.event(namespace=namespace)
        def disconnect(sid, reason):
            self.last_reason = OFFICIAL.get(reason, reason)

        if auth_event:

            @sio.event(namespace=namespace)
            async def connect(sid, environ, auth):
                await sio.emit("auth", auth or {}, to=sid, namespace=namespace)


async def run(port, options, auth_event):
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    sio = socketio_native.AsyncServer(cors_allowed_origins="*", **options)
    Echo(sio, auth_event)
    await sio.listen("127.0.0.1", port)
    try:
        await sio.listen("::1", port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise  # else the machine may have no IPv6
    await over.wait()
    await sio.shutdown()


if __name__ == "__main__":
    # Every connection is an open file.
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    arguments = parse(sys.argv[1:])
    try:
        asyncio.run(run(*arguments))
    except OSError as error:
        sys.exit(f"echo-python: {error}")
