"""Ada, Bob and somebody without a name in the chat."""

import asyncio
import sys

import socketio

URL = f"http://127.0.0.1:{sys.argv[1]}"


class Member:
    def __init__(self, name):
        self.name = name
        self.seen = asyncio.Queue()
        self.sio = socketio.AsyncClient(reconnection=False)
        self.sio.on("news", self.see("news"))
        self.sio.on("message", self.see("message"))
        self.sio.on("whisper", self.see("whisper"))
        self.sio.on("disconnect", self.see("disconnect"))
        self.sio.on("connect_error", self.see("connect_error"))

    def see(self, kind):
        async def handler(*args):
            await self.seen.put((kind, *args))

        return handler

    async def sees(self):
        print(f"{self.name} sees", *await self.seen.get())

    async def calls(self, event, *args):
        print(f"{self.name} calls {event}:", await self.sio.call(event, args))


async def main():
    nobody = Member("nobody")
    try:
        await nobody.sio.connect(URL)
    except socketio.exceptions.ConnectionError as error:
        print("nobody is refused:", error)
    await nobody.sees()
    print("nobody is connected:", nobody.sio.connected)

    ada, bob = Member("ada"), Member("bob")
    for member in (ada, bob):
        await member.sio.connect(URL, auth={"name": member.name})
        print(member.name, "is connected:", member.sio.connected, len(member.sio.sid) > 0)
    await ada.calls("enter", "den")
    await bob.calls("enter", "den")
    await ada.sees()
    await ada.calls("say", "den", "hello")
    await bob.sees()
    await bob.calls("say", "den", "grüß dich")
    await ada.sees()
    await bob.calls("leave", "den")
    await ada.sees()
    await ada.calls("say", "den", "anybody?")
    await ada.calls("whisper", "bob", "psst")
    await bob.sees()
    await bob.calls("whisper", "eve", "psst")
    await ada.calls("close room", "den")
    await ada.sees()
    await bob.sio.emit("kick", "ada")
    await ada.sees()
    await bob.sees()
    await ada.sio.wait()
    print("ada is connected:", ada.sio.connected)
    try:
        await ada.sio.emit("say", ("den", "too late"))
    except socketio.exceptions.BadNamespaceError as error:
        print("ada cannot emit:", error)
    await bob.sio.disconnect()
    await bob.sees()


asyncio.run(main())
