"""A client under remote control, in Python: it does what the lines of its input say and prints what it sees.

    main.py [--package socketio_native] URL [OPTIONS]

Commands, observations and OPTIONS are those of client-c. With `--package socketio` it is python-socketio's client that
obeys, which says what ours has to do. An AsyncClient joins its namespaces all at once and leaves them all at once: there
is one command `socket`, its namespaces separated by commas, and `connect` and `disconnect` are about all of them. Handlers
cannot tell whether an ack is wanted: `answer` is for the last "question".
"""

import argparse
import asyncio
import importlib
import json
import sys

LARGEST_LINE = 4 << 20

# The options of a manager that a suite sets, and what an AsyncClient calls them.
OPTIONS = {
    "reconnection": ("reconnection", bool),
    "reconnectionDelay": ("reconnection_delay", lambda ms: ms / 1000),
    "reconnectionDelayMax": ("reconnection_delay_max", lambda ms: ms / 1000),
}


# ---- arguments as JSON and attachments -----------------------------------------------------------------------------


def read_arguments(text, hexadecimal):
    attachments = [] if hexadecimal == "-" else [bytes.fromhex(part) for part in hexadecimal.split(",")]

    def fill(value):
        if isinstance(value, list):
            return [fill(item) for item in value]
        if isinstance(value, dict):
            if value.get("_placeholder") is True:
                return attachments[value["num"]]
            return {key: fill(item) for key, item in value.items()}
        return value

    return tuple(fill(json.loads(text)))


def print_arguments(args):
    attachments = []

    def empty(value):
        if isinstance(value, (bytes, bytearray)):
            attachments.append(value.hex())
            return {"_placeholder": True, "num": len(attachments) - 1}
        if isinstance(value, (list, tuple)):
            return [empty(item) for item in value]
        if isinstance(value, dict):
            return {key: empty(item) for key, item in value.items()}
        return value

    return {"json": empty(args), "attachments": attachments}


def tell(what, namespace, **fields):
    print(json.dumps({"what": what, "nsp": namespace, **fields}), flush=True)


# ---- the client -----------------------------------------------------------------------------------------------------


class Driver:
    def __init__(self, package, url, options):
        self.package = package
        self.url = url
        self.transports = options.pop("transports", None)
        self.sio = package.AsyncClient(**{OPTIONS[key][0]: OPTIONS[key][1](value) for key, value in options.items()})
        self.namespaces = None
        self.answer_of_last_question = None
        self.asking = set()

    async def obey(self, command, *fields):
        await getattr(self, f"do_{command}")(*fields)

    async def do_socket(self, namespaces, auth):
        assert self.namespaces is None, "one command `socket` for all namespaces"
        self.namespaces = namespaces.split(",")
        self.auth = None if auth == "-" else json.loads(auth)
        for namespace in self.namespaces:
            self.listen(namespace)
        await self.connect()

    async def do_connect(self, _namespace):
        await self.sio.wait()  # until the last connection is gone
        await self.connect()

    async def do_disconnect(self, _namespace):
        await self.sio.disconnect()

    async def do_emit(self, namespace, event, args, attachments):
        await self.sio.emit(event, read_arguments(args, attachments), namespace=namespace)

    async def do_ask(self, namespace, event, args, attachments, timeout):
        call = self.sio.call(event, read_arguments(args, attachments), namespace=namespace, timeout=int(timeout) / 1000)
        task = asyncio.create_task(self.tell_answer(namespace, call))
        self.asking.add(task)
        task.add_done_callback(self.asking.discard)
        await asyncio.sleep(0)  # the first step of the task emits: what is emitted next comes behind it

    async def do_answer(self, args, attachments):
        self.answer_of_last_question.set_result(read_arguments(args, attachments))

    async def connect(self):
        await self.sio.connect(
            self.url, auth=self.auth, transports=self.transports, namespaces=self.namespaces, wait=False
        )

    async def tell_answer(self, namespace, call):
        try:
            answer = await call
        except self.package.exceptions.TimeoutError:
            tell("ack", namespace, status="SIO_ERR_TIMEOUT")
        except self.package.exceptions.BadNamespaceError:
            tell("ack", namespace, status="SIO_ERR_NOT_CONNECTED")
        else:
            args = answer if isinstance(answer, tuple) else () if answer is None else (answer,)
            tell("ack", namespace, status="SIO_OK", **print_arguments(args))

    def listen(self, namespace):
        sio = self.sio

        @sio.on("connect", namespace=namespace)
        def connect():
            tell("connect", namespace)

        @sio.on("connect_error", namespace=namespace)
        def connect_error(data):
            reason = data["message"] if isinstance(data, dict) else data
            tell("connect_error", namespace, reason=reason, status="SIO_ERR_REJECTED")

        @sio.on("disconnect", namespace=namespace)
        def disconnect(reason):
            tell("disconnect", namespace, reason=reason)

        @sio.on("question", namespace=namespace)
        async def question(*args):
            self.answer_of_last_question = answer = asyncio.get_running_loop().create_future()
            tell("event", namespace, name="question", **print_arguments(args))
            return await answer

        @sio.on("*", namespace=namespace)
        def anything_else(event, *args):
            tell("event", namespace, name=event, **print_arguments(args))


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--package", default="socketio_native", choices=["socketio_native", "socketio"])
    parser.add_argument("url")
    parser.add_argument("options", nargs="?", type=json.loads, default={})
    return parser.parse_args()


async def main():
    options = parse()
    if options.package == "socketio":
        from engineio.payload import Payload

        Payload.max_decode_packets = 100_000  # that package takes 16 packets at once unless it is told otherwise
    driver = Driver(importlib.import_module(options.package), options.url, options.options)
    lines = asyncio.StreamReader(limit=LARGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        await driver.obey(*line.decode().rstrip("\n").split("\t"))
    await driver.sio.disconnect()


if __name__ == "__main__":
    asyncio.run(main())
