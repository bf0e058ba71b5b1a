"""What waits for the queue: futures for answers and ends, tasks in the background."""

from __future__ import annotations

from . import exceptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any, TypeVar

    _T = TypeVar("_T")
    #: A status of the library, its message, and arguments.
    _Told = Callable[[int, str, tuple[Any, ...]], Any]

OK = 0


def future() -> asyncio.Future[Any]:
    """A future of the running loop."""
    import asyncio

    return asyncio.get_running_loop().create_future()


def settling(waiting: asyncio.Future[None]) -> _Told:
    """Tells a future that something came to its end."""

    def settle(status: int, message: str, _: tuple[Any, ...]) -> None:
        if waiting.done():
            return
        if status == OK:
            waiting.set_result(None)
        else:
            waiting.set_exception(OSError(message))

    return settle


def settling_answer(waiting: asyncio.Future[Any]) -> _Told:
    """Gives a future what was answered: one argument, a tuple of several, or `None`."""

    def settle(status: int, _: str, arguments: tuple[Any, ...]) -> None:
        if waiting.done():
            return
        if status != OK:
            waiting.set_exception(exceptions.TimeoutError("there was no answer"))
        elif len(arguments) == 1:
            waiting.set_result(arguments[0])
        else:
            waiting.set_result(arguments or None)

    return settle


def answering(callback: Callable[..., Any]) -> _Told:
    """Calls back with what was answered; not at all when nothing was."""

    def answer(status: int, _: str, arguments: tuple[Any, ...]) -> Any:
        return callback(*arguments) if status == OK else None

    return answer


def start(
    keep: set[asyncio.Task[Any]], target: Callable[..., Coroutine[Any, Any, _T]], *args: Any, **kwargs: Any
) -> asyncio.Task[_T]:
    """Starts a task, which `keep` has as long as it runs: nobody else may."""
    return run(keep, target(*args, **kwargs))


def run(keep: set[asyncio.Task[Any]], awaitable: Awaitable[_T]) -> asyncio.Task[_T]:
    """The same for what has been called already."""
    import asyncio

    task: asyncio.Task[_T] = asyncio.ensure_future(awaitable)
    keep.add(task)
    task.add_done_callback(keep.discard)
    return task


def outcome(task: asyncio.Task[Any]) -> Any:
    """What a task that is done has returned, or the exception that it has raised; also that it was cancelled."""
    import asyncio

    if task.cancelled():
        return asyncio.CancelledError()
    return task.exception() or task.result()
