"""Namespaces with functions for handlers: `/orders` for customers, `/kitchen` for who has the key, and the main one."""

import asyncio
import sys

import socketio

from serving import serve

sio = socketio.AsyncServer(async_mode="asgi")
finished = asyncio.Event()
members = {"/orders": [], "/kitchen": []}


@sio.event
def connect(sid, environ, auth):
    print("main namespace: connect", environ["REQUEST_METHOD"], auth)


@sio.on("connect", namespace="/orders")
async def connect_orders(sid, environ, auth):
    members["/orders"].append(sid)
    await sio.enter_room(sid, "customers", namespace="/orders")
    print("/orders: connect", auth)


@sio.event(namespace="/kitchen")
def connect(sid, environ, auth):
    if auth.get("key") != "sesame":
        return False
    members["/kitchen"].append(sid)
    print("/kitchen: connect")


@sio.on("order", namespace="/orders")
async def order(sid, dish, count=1):
    print("/orders:", count, dish)
    await sio.emit("cook", {"dish": dish, "count": count}, namespace="/kitchen")
    return "ordered", dish


@sio.on("*", namespace="/kitchen")
async def any_event(event, sid, *args):
    print("/kitchen:", event, *args)
    await sio.emit(event, args, room="customers", namespace="/orders")


@sio.event
async def close(sid, namespace):
    print("main namespace: close", namespace)
    await sio.emit("closing", namespace, namespace=namespace)
    for member in members[namespace]:
        await sio.disconnect(member, namespace=namespace)


@sio.on("disconnect", namespace="*")
def disconnect(namespace, sid, reason):
    print(namespace, "is left:", reason)


@sio.event
def disconnect(sid):
    print("main namespace is left")
    finished.set()


asyncio.run(serve(sio, int(sys.argv[1]), until=finished))
