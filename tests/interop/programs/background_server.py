"""A background task that sends while clients come and go, and one that asks them."""

import asyncio
import sys

import socketio

from serving import serve

sio = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins=[])
finished = asyncio.Event()
clients = 0
names = {}


async def count(sid, to):
    for number in range(1, to + 1):
        await sio.sleep(0.01)
        await sio.emit("count", {"number": number}, to=sid)
    await sio.send("that is all", to=sid)


async def ask_all(question):
    answers = await asyncio.gather(*(ask(sid, question) for sid in sorted(names, key=names.get)))
    print("answers:", *answers)
    await sio.emit("answers", answers)


async def ask(sid, question):
    try:
        return await sio.call("question", question, to=sid, timeout=0.5)
    except socketio.exceptions.TimeoutError:
        return f"{names[sid]} does not answer"


@sio.event
async def connect(sid, environ):
    global clients
    clients += 1


@sio.event
async def disconnect(sid):
    global clients
    clients -= 1
    name = names.pop(sid)
    print(name, "is gone")
    await sio.emit("gone", name, skip_sid=sid)
    if clients == 0:
        finished.set()


@sio.event
def introduce(sid, name):
    names[sid] = name
    print("this is", name)


@sio.on("start counting")
def start_counting(sid, to):
    sio.start_background_task(count, sid, to)


@sio.on("ask all")
async def start_asking(sid, question):
    sio.start_background_task(ask_all, question)


asyncio.run(serve(sio, int(sys.argv[1]), until=finished))
