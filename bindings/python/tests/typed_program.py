"""A program that uses everything, checked by mypy and never run."""

import asyncio
from typing import Any

from socketio_native import AsyncClient, AsyncServer, exceptions

sio = AsyncServer(cors_allowed_origins=["http://a"], ping_interval=10, logger=True)
client = AsyncClient(reconnection_delay=0.5)


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
    if not auth:
        raise exceptions.ConnectionRefusedError("no")
    async with sio.session(sid) as session:
        session["name"] = auth["name"]


@sio.event(namespace="/chat")
def message(sid: str, text: str) -> tuple[str, int]:
    return text, len(text)


@client.on("news")
async def news(text: str) -> None:
    await client.emit("thanks", (text, b"bytes"))


async def main() -> None:
    host, port = await sio.listen("127.0.0.1", 0)
    await client.connect(f"http://{host}:{port}", auth=lambda: {"name": "me"}, namespaces=["/", "/chat"])
    answer: Any = await client.call("message", "hello", namespace="/chat", timeout=5)
    task: asyncio.Task[int] = sio.start_background_task(count, answer)
    await sio.emit("news", {"count": await task}, room=["a", "b"], skip_sid=client.sid)
    rooms: list[str] = sio.rooms(client.sid or "")
    await sio.enter_room(rooms[0], 5)
    await client.disconnect()
    await sio.shutdown()


async def count(answer: Any) -> int:
    return len(answer)
