"""Three clients: one answers, one answers late, one does not."""

import asyncio
import sys

import socketio

URL = f"http://127.0.0.1:{sys.argv[1]}"


def new_client(name, answer):
    sio = socketio.AsyncClient()
    sio.seen, sio.joined, sio.watched = asyncio.Queue(), asyncio.Event(), asyncio.Event()

    @sio.event
    async def count(data):
        await sio.seen.put(("count", data["number"]))

    @sio.on("message")
    async def on_message(text):
        await sio.seen.put(("message", text))

    @sio.event
    async def answers(data):
        await sio.seen.put(("answers", data))

    @sio.event
    async def gone(name):
        await sio.seen.put(("gone", name))

    sio.on("question", answer)
    sio.start_background_task(watch, sio, name)
    return sio


async def watch(sio, name):
    await sio.joined.wait()
    await sio.sleep(0.01)
    print(name, "is connected:", sio.connected)
    sio.watched.set()


async def late(question):
    await asyncio.sleep(0.05)
    return ["late", question]


async def never(question):
    await asyncio.Event().wait()


async def main():
    clients = {
        "ada": new_client("ada", lambda question: ("two", "answers", question)),
        "bob": new_client("bob", late),
        "eve": new_client("eve", never),
    }
    for name, sio in clients.items():
        await sio.connect(URL, transports=["websocket"])
        await sio.call("introduce", name)
        sio.joined.set()
        await sio.watched.wait()
    for to in (3, 2):
        await clients["ada"].emit("start counting", to)
        for _ in range(to + 1):
            print("ada sees", *await clients["ada"].seen.get())
    await clients["ada"].emit("ask all", {"what": "is your name?"})
    for name, sio in clients.items():
        print(name, "sees", *await sio.seen.get())
    while clients:
        name = next(iter(clients))
        await clients.pop(name).disconnect()
        print(name, "leaves")
        for other, sio in clients.items():
            print(other, "sees", *await sio.seen.get())


asyncio.run(main())
