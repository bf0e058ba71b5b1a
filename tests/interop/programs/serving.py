"""All that differs between the packages: how a server is served."""

import asyncio


async def serve(sio, port, until):
    """Serves on 127.0.0.1 until the event `until` is set."""
    if type(sio).__module__.startswith("socketio_native"):
        await sio.listen("127.0.0.1", port)
        await until.wait()
        await sio.shutdown()
    else:
        await _serve_asgi(sio, port, until)


async def _serve_asgi(sio, port, until):
    import socketio
    import uvicorn

    options = {"host": "127.0.0.1", "port": port, "log_level": "critical", "timeout_graceful_shutdown": 1}
    server = uvicorn.Server(uvicorn.Config(socketio.ASGIApp(sio), ws="websockets-sansio", **options))
    serving = asyncio.create_task(server.serve())
    await until.wait()
    server.should_exit = True
    await serving
