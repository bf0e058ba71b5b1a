"""What servers and clients raise. The classes have the names and the tree that they have in python-socketio."""

from __future__ import annotations


class SocketIOError(Exception):
    """The base of all of them; by itself, when too much waits to be sent to a peer."""


class ConnectionError(SocketIOError):
    """A client could not connect, or is connected already."""


class ConnectionRefusedError(ConnectionError):
    """Raised by a ``connect`` handler, it refuses the client.

    Its first argument is the message for the client, and what follows is the data that comes with it.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.error_args: dict[str, object] = {"message": str(args[0]) if args else "Connection rejected by server"}
        if len(args) > 1:
            self.error_args["data"] = args[1] if len(args) == 2 else args[1:]


class TimeoutError(SocketIOError):
    """``call`` got no answer in time, or the peer that was to give it is gone."""


class BadNamespaceError(SocketIOError):
    """A client is not connected to the namespace."""


class DisconnectedError(SocketIOError):
    """A client is not connected."""
