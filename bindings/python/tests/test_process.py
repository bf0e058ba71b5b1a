"""The package in its process: importing, ending, forking, loops one after the other."""

import os
import subprocess
import sys
import textwrap

import pytest

TIMEOUT = 30


def run(program, *, status=0, options=("-X", "dev", "-W", "error")):
    """Runs a program in an interpreter of its own; what it has written."""
    ended = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},
    )
    assert ended.returncode == status, ended.stderr
    assert "Traceback" not in ended.stderr, ended.stderr
    assert "never awaited" not in ended.stderr, ended.stderr
    return ended.stdout


SERVE = """
import asyncio, os, sys
from socketio_native import AsyncClient, AsyncServer

def new_server():
    sio = AsyncServer()
    @sio.event
    async def echo(sid, *arguments):
        return arguments
    return sio

async def talk(sio, client=None):
    client = client or AsyncClient(reconnection=False)
    host, port = await sio.listen("127.0.0.1", 0)
    await client.connect(f"http://{host}:{port}", transports=["websocket"], wait_timeout=10)
    assert await client.call("echo", (1, b"2"), timeout=10) == (1, b"2")
    return client
"""


def test_importing_starts_no_thread_and_needs_little():
    threads = run("""
        import os
        import socketio_native
        sio, client = socketio_native.AsyncServer(), socketio_native.AsyncClient()
        print(len(os.listdir("/proc/self/task")))
        import sys
        print("asyncio" in sys.modules, "inspect" in sys.modules)
    """)
    assert threads.split() == ["1", "False", "False"]


@pytest.mark.parametrize(
    "ending",
    [
        "await client.disconnect(); await sio.shutdown()",
        "await sio.shutdown()",
        "await client.disconnect()",
        "pass",
        "sys.exit(0)",
        "asyncio.get_running_loop().stop",
    ],
)
def test_a_program_ends_whatever_is_open(ending):
    run(SERVE + f"""
async def main():
    sio = new_server()
    client = await talk(sio)
    {ending}

asyncio.run(main())
print("after it")
""")


def test_a_program_ends_while_a_client_reconnects():
    run(SERVE + """
async def main():
    sio, client = new_server(), AsyncClient(reconnection_delay=0)
    lost = asyncio.Event()
    client.on("connect_error", lambda why: lost.set())
    await talk(sio, client)
    await sio.shutdown()
    if wait:
        await lost.wait()

for wait in (True, False):
    asyncio.run(main())
""")


def test_a_program_ends_in_full_traffic():
    """Events wait, are handled and are under way when the interpreter ends."""
    run(SERVE + """
import threading
async def main():
    sio = new_server()
    client = await talk(sio)
    @sio.event
    async def slow(sid):
        await asyncio.sleep(100)
    for _ in range(1000):
        await client.emit("echo", bytes(1000), callback=lambda *rest: None)
        await client.emit("slow")

loop = asyncio.new_event_loop()
loop.run_until_complete(main())
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # asyncio says what was pending
""", options=())


def test_the_same_server_and_client_in_one_loop_after_the_other():
    run(SERVE + """
sio, client = new_server(), AsyncClient(reconnection=False)

async def main(end):
    await talk(sio, client)
    if end:
        await client.disconnect()
        await sio.shutdown()

for end in (True, False, False, True):
    asyncio.run(main(end))
""")


def test_a_loop_that_is_closed_with_everything_open():
    run(SERVE + """
import gc
sio, client = new_server(), AsyncClient(reconnection=False)
for _ in range(3):
    loop = asyncio.new_event_loop()
    loop.run_until_complete(talk(sio, client))
    loop.close()
    gc.collect()
asyncio.run(talk(new_server()))
""")


def test_loops_in_several_threads():
    run(SERVE + """
import threading
def work():
    for _ in range(3):
        asyncio.run(talk(new_server()))
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""")


def test_a_server_in_another_loop_is_refused():
    run(SERVE + """
import threading
async def main():
    sio = new_server()
    await talk(sio)
    def other():
        try:
            asyncio.run(sio.listen("127.0.0.1", 0))
        except RuntimeError as error:
            assert "another event loop" in str(error), error
        else:
            raise AssertionError
    await asyncio.to_thread(other)
asyncio.run(main())
""")


def test_a_forked_child_makes_new_ones_and_cannot_use_inherited_ones():
    run(SERVE + """
fresh = new_server()

async def raises(*calls):
    for call in calls:
        try:
            await call()
        except RuntimeError as error:
            assert "forked" in str(error), error
        else:
            raise AssertionError(call)

async def main():
    sio = new_server()
    client = await talk(sio)
    sid = client.sid
    child = os.fork()
    if child:
        assert await client.call("echo", 1, timeout=10) == 1
        return child
    return sio, client, sid

loop = asyncio.new_event_loop()
result = loop.run_until_complete(main())
if isinstance(result, int):
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    assert os.waitpid(result, 0)[1] == 0
else:
    asyncio.events._set_running_loop(None)
    sio, client, sid = result
    async def in_child():
        await raises(
            lambda: sio.emit("x"), lambda: sio.emit("x", to=sid), lambda: sio.call("x", to=sid),
            lambda: sio.enter_room(sid, "den"), lambda: sio.listen("127.0.0.1", 0), lambda: sio.disconnect(sid),
            lambda: client.emit("x"), lambda: client.call("x"), lambda: client.connect("http://127.0.0.1:1"),
        )
        await talk(fresh)
        await talk(new_server())
    asyncio.run(in_child())
    os._exit(0)
""")


def test_multiprocessing_forks():
    run(SERVE + """
import multiprocessing
def work():
    asyncio.run(talk(new_server()))

async def main():
    await talk(new_server())
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    await asyncio.to_thread(process.join, 20)
    assert process.exitcode == 0, process.exitcode

if __name__ == "__main__":
    asyncio.run(main())
""")


def test_a_subinterpreter_is_refused():
    out = run("""
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        import socketio_native
        program = "try: import socketio_native\\nexcept ImportError as error: print('refused:', error, flush=True)"
        interpreters.run_string(interpreters.create(), program)
    """)
    assert "refused:" in out
    assert "subinterpreter" in out


def test_an_interrupt_ends_the_program():
    """Also one that a handler raises: what was delivered with it is still handled."""
    run(SERVE + """
async def main():
    sio = new_server()
    @sio.event
    def interrupt(sid):
        raise KeyboardInterrupt
    client = await talk(sio)
    await client.emit("interrupt")
    try:
        await client.call("echo", timeout=None)
    finally:
        print("cleaned up")

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
""")
