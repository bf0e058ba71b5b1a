"""A chat with rooms. Who has no name is refused; sessions keep the names of the others."""

import asyncio
import sys

import socketio

from serving import serve

sio = socketio.AsyncServer(async_mode="asgi")
empty = asyncio.Event()
present = set()


@sio.event
async def connect(sid, environ, auth):
    if not auth or not auth.get("name"):
        print("somebody without a name is refused")
        raise socketio.exceptions.ConnectionRefusedError("who are you?", {"missing": ["name"]})
    await sio.save_session(sid, {"name": auth["name"]})
    present.add(sid)
    print(auth["name"], "connects")


@sio.event
async def disconnect(sid, reason):
    async with sio.session(sid) as session:
        # One who leaves may be seen to leave the namespace, or to close the connection.
        how = "was kicked" if reason == "server disconnect" else "left"
        print(session["name"], how, "after", session.get("said", 0), "messages")
    await sio.emit("news", f"{session['name']} is gone", skip_sid=sid)
    present.discard(sid)
    if not present:
        empty.set()


@sio.event
async def enter(sid, room):
    session = await sio.get_session(sid)
    await sio.emit("news", f"{session['name']} enters", room=room)
    await sio.enter_room(sid, room)
    return sorted("own" if name == sid else name for name in sio.rooms(sid))


@sio.event
async def leave(sid, room):
    session = await sio.get_session(sid)
    await sio.leave_room(sid, room)
    await sio.emit("news", f"{session['name']} leaves", room=room)


@sio.on("close room")
async def close_room(sid, room):
    await sio.emit("news", f"{room} is closed", to=room)
    await sio.close_room(room)
    return len(sio.rooms(sid))


@sio.event
async def say(sid, room, text):
    async with sio.session(sid) as session:
        session["said"] = session.get("said", 0) + 1
        name = session["name"]
    await sio.emit("message", (name, text), room=room, skip_sid=sid)
    print(f"{name} in {room}: {text}")
    return "delivered", len(text)


@sio.event
async def whisper(sid, name, text):
    for other in present:
        if (await sio.get_session(other))["name"] == name:
            await sio.emit("whisper", text, to=other)
            return True
    return False


@sio.event
async def kick(sid, name):
    for other in list(present):
        if (await sio.get_session(other))["name"] == name:
            await sio.disconnect(other)


asyncio.run(serve(sio, int(sys.argv[1]), until=empty))
