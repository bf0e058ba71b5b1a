"""python-socketio's server with the behaviour and the command line of echo-c, as far as that package goes.

    official-server.py PORT [--ping-interval MS] [--ping-timeout MS] [--max-payload BYTES] [--transports LIST]
                            [--auth-event on|off]

What it does otherwise, and `lib/dialects.mjs` says so to the suites:

* It has names of its own for the reasons of a disconnect, and for the refusal of a namespace.
* What a connect handler emits is sent before the CONNECT packet.
* It closes sockets, not connections: `kick true` is `kick false` for all namespaces of the connection.
* A polling client that vanishes is missed when its heartbeat is, and no sooner; the last poll of one that leaves waits as
  long for its answer.
* A WebSocket message has to be shorter than the largest payload.
* There is no time limit for the first CONNECT.
"""

import argparse
import asyncio
import errno
import signal

import socketio
from aiohttp import web
from engineio.payload import Payload

NAMESPACES = ("/", "/custom")
ANSWER_TIMEOUT_S = 1

# The package takes 16 packets at once unless it is told otherwise.
Payload.max_decode_packets = 100_000

last_reason = None


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--ping-interval", type=int, default=25_000)
    parser.add_argument("--ping-timeout", type=int, default=20_000)
    parser.add_argument("--max-payload", type=int, default=1_000_000)
    parser.add_argument("--transports", type=lambda text: text.split(","), default=["polling", "websocket"])
    parser.add_argument("--auth-event", choices=["on", "off"], default="on")
    return parser.parse_args()


def serve(sio, namespace, auth_event):
    def on(name):
        return sio.on(name, namespace=namespace)

    @on("connect")
    async def connect(sid, environ, auth):
        if auth_event:
            await sio.emit("auth", auth or {}, to=sid, namespace=namespace)

    @on("disconnect")
    def disconnect(sid, reason):
        global last_reason
        last_reason = reason

    @on("message")
    async def message(sid, *args):
        await sio.emit("message-back", args, to=sid, namespace=namespace)

    @on("message-with-ack")
    @on("echo")
    def echo(sid, *args):
        return args

    @on("broadcast")
    async def broadcast(sid, *args):
        await sio.emit("broadcast", args, namespace=namespace)

    @on("join")
    async def join(sid, room):
        await sio.enter_room(sid, room, namespace=namespace)

    @on("leave")
    async def leave(sid, room):
        await sio.leave_room(sid, room, namespace=namespace)

    @on("to")
    async def to(sid, room, event, *args):
        await sio.emit(event, args, room=room, skip_sid=sid, namespace=namespace)

    @on("ask")
    async def ask(sid, *args):
        try:
            answer = await sio.call("question", args, to=sid, namespace=namespace, timeout=ANSWER_TIMEOUT_S)
        except socketio.exceptions.TimeoutError:
            answer = "timeout"
        await sio.emit("answer", answer, to=sid, namespace=namespace)

    @on("kick")
    async def kick(sid, close):
        # The ids of a connection's sockets are known by its environ, which they share.
        environ = sio.get_environ(sid, namespace)
        for other in NAMESPACES if close else ():
            for peer, _ in list(sio.manager.get_participants(other, None)):
                if peer != sid and sio.get_environ(peer, other) is environ:
                    await sio.disconnect(peer, other)
        await sio.disconnect(sid, namespace)

    @on("last-reason")
    def answer_last_reason(sid):
        return last_reason


async def main():
    options = parse()
    sio = socketio.AsyncServer(
        cors_allowed_origins="*",
        ping_interval=options.ping_interval / 1000,
        ping_timeout=options.ping_timeout / 1000,
        max_http_buffer_size=options.max_payload,
        transports=options.transports,
    )
    for namespace in NAMESPACES:
        serve(sio, namespace, options.auth_event == "on")
    app = web.Application()
    sio.attach(app)
    # Of a connection that has ended a poll may still wait.
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "::1", options.port).start()
    except OSError as error:
        if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):  # a machine without IPv6
            raise
    await web.TCPSite(runner, "127.0.0.1", options.port).start()

    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    await runner.cleanup()  # sio.shutdown() would wait for the polls of those who left


if __name__ == "__main__":
    asyncio.run(main())
