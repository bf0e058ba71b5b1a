"""Where lines of the log go: to Python's `logging`."""

from __future__ import annotations

import logging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import _native

#: Levels of the library, by number.
LEVELS = {1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO, 4: logging.DEBUG, 5: logging.DEBUG}

#: The log is the process's: all servers share one logger for what the library does, and so do all clients.
_sinks: dict[str, logging.Logger] = {}

#: The part of the library that speaks for clients. The others are a server's, or nobody's.
CLIENT_TARGET = "manager"


def choose(wanted: bool | logging.Logger, name: str) -> logging.Logger:
    """The logger that an option stands for: `True` and `False` are how much the one called `name` tells."""
    if not isinstance(wanted, bool):
        return wanted
    logger = logging.getLogger(name)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO if wanted else logging.ERROR)
        logger.addHandler(logging.StreamHandler())
    return logger


def choose_engine(wanted: bool | logging.Logger, role: str) -> None:
    """Sets the logger for what the library itself has to say about servers, or clients."""
    _sinks[role] = choose(wanted, f"socketio_native.engineio.{role}")


def listen(queue: _native.Queue) -> None:
    """Has the library's lines wait in `queue`, as many as some logger wants."""
    wanted = min((logger.getEffectiveLevel() for logger in _sinks.values()), default=logging.ERROR)
    queue.log(next((number for number in (4, 3, 2) if wanted <= LEVELS[number]), 1))


def write(level: int, target: str, message: str) -> None:
    """Writes a line of the library."""
    logger = _sinks.get("client" if target == CLIENT_TARGET else "server") or next(iter(_sinks.values()), None)
    if logger is not None:
        logger.log(LEVELS.get(level, logging.DEBUG), "%s: %s", target, message)
