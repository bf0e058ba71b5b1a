"""What constructors accept: the options of python-socketio, as those of the library."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

#: Milliseconds that a timer of the library holds at most, which is as good as for ever.
LONGEST = 0xFFFF_FFFE

TRANSPORTS = ("polling", "websocket")


def milliseconds(seconds: float | None) -> int:
    """A timeout in the library's unit. `None` is 0, which is no timeout; none is shorter than a millisecond."""
    if seconds is None:
        return 0
    return max(1, min(LONGEST, round(seconds * 1000)))


def transports(wanted: str | Iterable[str] | None) -> list[str]:
    """The transports that a list names; what is none is left out."""
    if wanted is None:
        return list(TRANSPORTS)
    chosen = [name for name in ([wanted] if isinstance(wanted, str) else wanted) if name in TRANSPORTS]
    if not chosen:
        raise ValueError("No valid transports provided")
    return chosen


def cors(allowed: str | Iterable[str] | None, credentials: bool) -> Any:
    """The official `cors` option. Credentials are for origins that are named."""
    if allowed is None:
        return None
    if hasattr(allowed, "__call__"):
        refuse("cors_allowed_origins", allowed, "name the origins")
    if allowed == "*":
        return {"origin": "*"}
    origins = [allowed] if isinstance(allowed, str) else list(allowed)
    if "*" in origins:
        return {"origin": "*"}
    return {"origin": origins, "credentials": credentials} if origins else None


def only(name: str, value: Any, *allowed: Any, why: str) -> None:
    """Refuses every value of an option but some."""
    if not any(value is one or value == one for one in allowed):
        refuse(name, value, why)


def only_standard_json(json: Any) -> None:
    """Refuses a JSON module of the program: JSON is read and written by the library."""
    if json is not None and getattr(json, "__name__", None) != "json":
        refuse("json", json, "JSON is read and written by the library")


def refuse(name: str, value: Any, why: str) -> None:
    """Says that an option cannot be honoured, instead of ignoring it."""
    raise ValueError(f"{name}={value!r} is not supported: {why}")
