"""Ends the interpreter while a server and its clients are in full traffic, in the way that its argument says."""

import asyncio
import contextlib
import os
import socket
import sys
import threading

import socketio_native as socketio

how = sys.argv[1]
clients = []
in_traffic = threading.Event()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def main():
    server = socketio.AsyncServer()
    heard = 0
    enough = asyncio.Event()

    @server.event
    async def echo(sid, *arguments):
        nonlocal heard
        heard += 1
        if heard == 200:
            enough.set()
        return arguments

    port = free_port()
    await server.listen("127.0.0.1", port)
    for _ in range(4):
        client = socketio.AsyncClient()
        await client.connect(f"http://127.0.0.1:{port}", transports=["websocket"])
        clients.append(client)

    async def talk(client):
        with contextlib.suppress(socketio.exceptions.SocketIOError):  # the server has shut down
            while True:
                await asyncio.gather(*(client.call("echo", (i, b"bytes")) for i in range(16)))

    tasks = [asyncio.create_task(talk(client)) for client in clients]
    await enough.wait()
    in_traffic.set()
    if how == "thread":
        await asyncio.gather(*tasks)
    if how == "exit":
        sys.exit(0)
    if how == "raise":
        raise KeyboardInterrupt
    if how == "hard":
        os._exit(0)
    if how == "shutdown":
        await server.shutdown()
    return tasks


def run():
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass


if how == "thread":
    # The loop is another thread's, and goes on while the main thread ends the interpreter.
    threading.Thread(target=run, daemon=True).start()
    in_traffic.wait()
else:
    run()
