"""A member of the chat: joins a room, says what every member says, and leaves when it has seen what all others said.

    chat_client.py URL ROOM NAME [--members COUNT]

ffi/examples/chat/server.h says what the chat is.
"""

import argparse
import asyncio
import base64

import socketio_native as socketio

PATIENCE_S = 60
CAPTION = "a smiling face"
FACE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQAQMAAAAlPW0iAAAABlBMVEX/3VU8KAC8OeQlAAAAK0lEQVR42mNgYGDg/8AgwMGgwMLglgRC"
    "Dkwg5CHE4KLE4HwIJA6UBaoBAwCX/wYQKiF5wQAAAABJRU5ErkJggg=="
)


class Member:
    def __init__(self, room, name, members):
        self.room, self.name, self.members = room, name, members
        self.everybody_is_here = asyncio.Event()
        self.seen = asyncio.Semaphore(0)
        self.sio = socketio.AsyncClient()
        for event in (self.connect, self.connect_error, self.joined, self.left, self.message, self.picture):
            self.sio.on(event.__name__, event)

    async def take_part(self, url):
        await self.sio.connect(url)
        await self.everybody_is_here.wait()
        await self.say(f"hello, I am {self.name}")
        self.tell("sends a picture")
        await self.sio.emit("picture", (CAPTION, FACE))
        self.tell("says: did this arrive?")
        answer = await self.sio.call("message", "did this arrive?")
        self.tell(f"the server has acknowledged: {answer}")
        for _ in range(3 * (self.members - 1)):
            await self.seen.acquire()
        self.tell("has seen everything and leaves")
        await self.sio.disconnect()

    def tell(self, text):
        print(f"[{self.name}] {text}", flush=True)

    async def say(self, text):
        self.tell(f"says: {text}")
        await self.sio.emit("message", text)

    def see(self, text):
        self.tell(text)
        self.seen.release()

    def count(self, present):
        if present >= self.members:
            self.everybody_is_here.set()

    # What happens, by the names of the events.

    async def connect(self):
        self.tell(f"joins {self.room}")
        await self.sio.emit("join", (self.room, self.name), callback=self.count)

    def connect_error(self, data):
        self.tell(f"cannot connect: {data}")

    def joined(self, who, present):
        self.tell(f"{who} has joined")
        self.count(present)

    def left(self, who, present):
        self.tell(f"{who} has left")

    def message(self, who, text):
        self.see(f"{who}: {text}")

    def picture(self, who, caption, image):
        self.see(f"{who} sent {'the face' if image == FACE else 'a picture'}: {caption}")


parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("room")
parser.add_argument("name")
parser.add_argument("--members", type=int, default=2)
options = parser.parse_args()


async def main():
    member = Member(options.room, options.name, options.members)
    await asyncio.wait_for(member.take_part(options.url), PATIENCE_S)


asyncio.run(main())
