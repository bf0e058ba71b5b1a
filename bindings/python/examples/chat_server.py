"""The chat's server. ffi/examples/chat/server.h says what the chat is.

    chat_server.py [PORT]

PORT is 3000 by default, 0 is any that is free. Ctrl-C ends it.
"""

import asyncio
import signal
import sys
from collections import Counter

import socketio_native as socketio

sio = socketio.AsyncServer(cors_allowed_origins="*")
members = {}  # sid: (room, name)
present = Counter()  # room: how many are in it


async def to_others(sid, event, *arguments):
    """Sends an event to the others in the room of `sid`, with the name of `sid` first."""
    room, name = members[sid]
    await sio.emit(event, (name, *arguments), room=room, skip_sid=sid)


@sio.event
async def join(sid, room, name):
    if sid not in members:
        members[sid] = room, name
        present[room] += 1
        await sio.enter_room(sid, room)
        await to_others(sid, "joined", present[room])
    return present[members[sid][0]]


@sio.event
async def message(sid, text):
    if sid not in members:
        return None
    await to_others(sid, "message", text)
    return "sent"


@sio.event
async def picture(sid, caption, image):
    if sid not in members:
        return None
    await to_others(sid, "picture", caption, image)
    return "sent"


@sio.event
async def disconnect(sid, reason):
    if sid in members:
        room, _ = members[sid]
        present[room] -= 1
        await to_others(sid, "left", present[room])
        del members[sid]
        if present[room] == 0:
            del present[room]


async def main(port):
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    _, port = await sio.listen("127.0.0.1", port)
    print(f"listening on http://127.0.0.1:{port}", flush=True)
    await stop.wait()
    await sio.shutdown()


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3000))
