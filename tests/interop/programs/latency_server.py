"""Answers pings, as events and as acks, text and binary."""

import asyncio
import sys

import socketio

from serving import serve

sio = socketio.AsyncServer(async_mode="asgi", ping_interval=5, ping_timeout=10, max_http_buffer_size=100_000)
finished = asyncio.Event()
pings = 0


@sio.event
async def ping_from_client(sid, *load):
    global pings
    pings += 1
    await sio.emit("pong_from_server", load, room=sid)


@sio.on("ping with ack")
def ping_with_ack(sid, data="nothing"):
    return data


@sio.on("*")
def anything_else(event, sid, *args):
    print("not a ping:", event, args)
    return f"what is {event}?"


@sio.event
def disconnect(sid):
    print("pings:", pings)
    finished.set()


asyncio.run(serve(sio, int(sys.argv[1]), until=finished))
