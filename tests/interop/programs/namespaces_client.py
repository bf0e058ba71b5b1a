"""A cook and a customer; and somebody who has no key to the kitchen."""

import asyncio
import sys

import socketio

URL = f"http://127.0.0.1:{sys.argv[1]}"


async def main():
    sio = socketio.AsyncClient()
    seen = asyncio.Queue()

    @sio.on("cook", namespace="/kitchen")
    async def cook(data):
        await seen.put(f"cook {data}")
        await sio.emit("ready", (data["dish"], b"\xf0\x9f"), namespace="/kitchen")

    @sio.on("*", namespace="/orders")
    async def any_order(event, *args):
        await seen.put(f"/orders: {event} {args}")

    @sio.on("connect", namespace="/kitchen")
    async def connect_kitchen():
        await seen.put("/kitchen: connect")

    @sio.event(namespace="/kitchen")
    async def closing(namespace):
        await seen.put(f"/kitchen: closing {namespace}")

    async def disconnect(reason):
        await seen.put(f"disconnected: {reason}")

    for namespace in ("/kitchen", "/orders"):
        sio.on("disconnect", disconnect, namespace=namespace)

    await sio.connect(URL, auth={"key": "sesame"}, namespaces=["/", "/orders", "/kitchen"], transports=["websocket"])
    print(await seen.get())
    print("different ids:", len({sio.get_sid(), sio.get_sid("/orders"), sio.get_sid("/kitchen")}), sio.sid is not None)
    print(await sio.call("order", "soup", namespace="/orders"))
    for _ in range(2):
        print(await seen.get())
    print(await sio.call("order", ("tea", 2), namespace="/orders"))
    for _ in range(2):
        print(await seen.get())
    for namespace in ("/kitchen", "/orders"):
        await sio.emit("close", namespace)
        for _ in range(2):
            print(await seen.get())
    try:
        await sio.emit("order", "soup", namespace="/nowhere")
    except socketio.exceptions.BadNamespaceError as error:
        print("not emitted:", error)

    stranger = socketio.AsyncClient()

    @stranger.event(namespace="/kitchen")
    def connect_error(data):
        print("refused:", data)

    try:
        await stranger.connect(URL, auth={"key": "guessed"}, namespaces=["/kitchen"], transports=["websocket"])
    except socketio.exceptions.ConnectionError as error:
        print("not connected:", error)
    await sio.disconnect()


asyncio.run(main())
