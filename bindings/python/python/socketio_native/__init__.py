"""Socket.IO servers and clients for asyncio, with the interface of python-socketio and a native core."""

from . import exceptions
from ._client import AsyncClient
from ._server import AsyncServer

__all__ = ["AsyncClient", "AsyncServer", "exceptions"]
