"""Socket.IO servers for asyncio, with the interface of python-socketio and a native core."""

from . import exceptions
from ._server import AsyncServer

__all__ = ["AsyncServer", "exceptions"]
