"""Measures how long a server takes to answer."""

import asyncio
import sys
import time

import socketio

sio = socketio.AsyncClient()
loads = [(), (1,), ("text", None, 2.5), (b"\x00\xff", {"deep": [b""]}), ({"k": []}, [b"x" * 70_000]), (True,)]
sent_at = 0.0
round_trips = []
done = asyncio.Event()


@sio.event
async def connect():
    print("connected to server")
    await send_ping()


async def send_ping():
    global sent_at
    sent_at = time.monotonic()
    await sio.emit("ping_from_client", loads[len(round_trips)])


@sio.event
async def pong_from_server(*load):
    round_trips.append(time.monotonic() - sent_at)
    print("pong", len(round_trips), "in time" if round_trips[-1] < 5 else "late", load == loads[len(round_trips) - 1])
    if len(round_trips) < len(loads):
        await send_ping()
    else:
        done.set()


async def main():
    await sio.connect(f"http://127.0.0.1:{sys.argv[1]}", transports=sys.argv[2].split(","))
    await done.wait()
    for data in (None, "one", ["a", "list"], {"b": b"\x01"}):
        print("ack:", await sio.call("ping with ack", data, timeout=5))
    print("ack:", await sio.call("pong", ("is", b"this", None)))

    answered = asyncio.Event()

    def answer(*args):
        print("callback:", args)
        answered.set()

    await sio.emit("ping with ack", "with a callback", callback=answer)
    await answered.wait()
    await sio.disconnect()


asyncio.run(main())
