"""Programs in the style of python-socketio's documentation behave alike with either package.

Each of tests/interop/programs is a server and a client that print what happens. They run in all four combinations of the
packages, with one line changed: `import socketio` becomes `import socketio_native as socketio`. What python-socketio's
server and client print together is what is to be printed. Each package is in an environment of its own.
"""

import asyncio
import itertools
import sys
import tempfile
import unittest
from pathlib import Path

from test_client import free_port

HERE = Path(__file__).resolve().parent.parent
PROGRAMS = HERE / "programs"
IMPORT = "\nimport socketio\n"

# The line that imports a package, and the interpreter that has it.
PACKAGES = {
    "socketio": (IMPORT, sys.executable),
    "socketio_native": ("\nimport socketio_native as socketio\n", HERE.parent.parent / "bindings/python/.venv/bin/python"),
}
TIMEOUT = 60


class Programs(unittest.IsolatedAsyncioTestCase):
    maxDiff = None

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # its warnings of slow steps are about this machine

    async def test_a_chat_with_rooms(self):
        await self.all_combinations("chat")

    async def test_latency(self):
        for transports in ("polling", "websocket", "polling,websocket"):
            with self.subTest(transports):
                await self.all_combinations("latency", transports)

    async def test_background_tasks(self):
        await self.all_combinations("background")

    async def test_namespaces_without_classes(self):
        await self.all_combinations("namespaces")

    async def all_combinations(self, name, *args):
        combinations = list(itertools.product(PACKAGES, PACKAGES))
        running = (asyncio.wait_for(run(name, *combination, args), TIMEOUT) for combination in combinations)
        expected, *others = await asyncio.gather(*running)
        self.assertNotIn("", expected)
        for (server, client), transcripts in zip(combinations[1:], others):
            with self.subTest(server=server, client=client):
                self.assertEqual(expected, transcripts)


async def run(name, server, client, args):
    """What server and client print until both have ended."""
    port = str(free_port())
    with tempfile.TemporaryDirectory() as folder:
        serving = await start(folder, f"{name}_server", server, port)
        await listening(serving, port)
        running = await start(folder, f"{name}_client", client, port, *args)
        try:
            return [await end(running), await end(serving)]
        finally:
            for process in (running, serving):
                if process.returncode is None:
                    process.kill()
                    await process.wait()


async def start(folder, program, package, *args):
    source = (PROGRAMS / f"{program}.py").read_text()
    assert source.count(IMPORT) == 1, program
    line, python = PACKAGES[package]
    path = Path(folder) / f"{program}.py"
    path.write_text(source.replace(IMPORT, line))
    return await asyncio.create_subprocess_exec(
        python, path, *args, stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": str(PROGRAMS)}
    )


async def listening(server, port):
    while server.returncode is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)  # nobody tells us when it listens
        else:
            writer.close()
            return
    raise AssertionError(f"the server ended with {server.returncode} before it listened")


async def end(process):
    printed, _ = await process.communicate()
    assert process.returncode == 0, f"status {process.returncode} after\n{printed.decode()}"
    return printed.decode()


if __name__ == "__main__":
    unittest.main()
