"""What an event loop has for all servers and clients that run in it: one queue, drained when its descriptor says so.

No thread of the library calls into Python. It fills the queue, and the loop takes from it when it comes round.
"""

from __future__ import annotations

import atexit
import os
import sys
import weakref

from . import _log, _native
from ._events import is_awaitable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from typing import Any, Protocol

    class _Open(Protocol):
        """Something that ends with its loop."""

        async def shutdown(self) -> None: ...

        def _inherited(self) -> None: ...


#: Milliseconds that the library's threads have to end when the interpreter does.
EXIT_TIMEOUT = 2000

#: Seconds that what is open has to close when its loop ends.
CLOSE_TIMEOUT = 5

#: The loops that have something here. Nobody is kept: a loop keeps what it has by watching the descriptor.
_loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.ref[Loop]] = weakref.WeakKeyDictionary()


class Loop:
    """The queue of an event loop, and what the queue needs of the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        import asyncio

        self.loop = loop
        #: What runs here, and is closed when the loop ends.
        self.open: set[_Open] = set()
        self.call_soon = loop.call_soon
        self._current_task = asyncio.current_task
        # Nobody else keeps a task while it waits.
        self._tasks: set[asyncio.Task[None]] = set()
        # A task that begins at once needs no turn of the loop to do so.
        self._eager = sys.version_info >= (3, 12) and loop.get_task_factory() is None
        self._create_task: Callable[..., asyncio.Task[None]] = loop.create_task
        if self._eager:
            self._create_task = lambda coroutine: asyncio.Task(coroutine, loop=loop, eager_start=True)  # type: ignore[call-arg]
        self.queue = _native.Queue(self)
        self.closed = False
        loop.add_reader(self.queue.fileno(), self.queue.drain)
        self._end = self._wait_for_the_end()
        _advance(self._end)

    @staticmethod
    def running() -> Loop:
        """What the running loop has; made when it has nothing yet."""
        import asyncio

        loop = asyncio.get_running_loop()
        known = _loops.get(loop)
        found = known() if known is not None else None
        if found is None or found.closed:
            found = Loop(loop)
            _loops[loop] = weakref.ref(found)
        _log.listen(found.queue)
        return found

    def is_over(self) -> bool:
        """Whether nothing is drained here any more."""
        return self.closed or self.loop.is_closed()

    async def close(self) -> None:
        """Closes what is open, and takes no more."""
        import asyncio

        endings = [asyncio.ensure_future(thing.shutdown()) for thing in self.open]
        if endings:
            await asyncio.wait(endings, timeout=CLOSE_TIMEOUT)
        self.abandon()

    def abandon(self) -> None:
        """Takes no more."""
        if not self.closed:
            self.closed = True
            if not self.loop.is_closed():
                self.loop.remove_reader(self.queue.fileno())
            self.queue.close()
            self.open.clear()

    async def _wait_for_the_end(self) -> AsyncGenerator[None, None]:
        """A generator that waits to be closed, which `asyncio.run` does with all that are left when it ends."""
        try:
            yield
        finally:
            await self.close()

    # What the queue calls.

    def spawn(
        self,
        function: Callable[..., Awaitable[Any]],
        arguments: tuple[Any, ...],
        reply: Callable[[Any], None] | None,
    ) -> bool:
        """Has a task await what `function` returns, and answer with its result. Whether it has still to begin."""
        task = self._create_task(self._run(function, arguments, reply))
        if not task.done():
            self._tasks.add(task)
        return not self._eager

    async def _run(
        self,
        function: Callable[..., Awaitable[Any]],
        arguments: tuple[Any, ...],
        reply: Callable[[Any], None] | None,
    ) -> None:
        try:
            result = await function(*arguments)
            if reply is not None:
                reply(result)
        except Exception as error:
            self.report(error)
        finally:
            self._tasks.discard(self._current_task(self.loop))

    @staticmethod
    def itself(awaitable: Awaitable[Any]) -> Awaitable[Any]:
        """For `spawn`, where there is something to await already."""
        return awaitable

    def call_later(
        self,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        reply: Callable[[Any], None] | None,
    ) -> None:
        """Has `function` called behind the tasks that were made before."""
        self.call_soon(self._call, function, arguments, reply)

    def _call(
        self,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        reply: Callable[[Any], None] | None,
    ) -> None:
        try:
            result = function(*arguments)
            if is_awaitable(result):
                self.spawn(self.itself, (result,), reply)
            elif reply is not None:
                reply(result)
        except Exception as error:
            self.report(error)

    def report(self, error: BaseException) -> None:
        """Has the loop's exception handler log an error of a handler."""
        self.loop.call_exception_handler({"message": "exception in an event handler", "exception": error})

    def log(self, level: int, target: str, message: str) -> None:
        """Hands on a line of the library's log."""
        _log.write(level, target, message)


def _advance(generator: AsyncGenerator[None, None]) -> None:
    """Has a generator go to its first `yield`, before which it waits for nothing."""
    try:
        generator.__anext__().__await__().send(None)
    except StopIteration:
        pass


def _forked() -> None:
    """In a forked child what it inherited has no threads: it may be dropped, but not used."""
    _native.after_fork_child()
    for known in list(_loops.values()):
        loop = known()
        for thing in list(loop.open) if loop is not None else ():
            thing._inherited()
    _loops.clear()


class Inherited:
    """What a server or client of the parent has in a forked child in the place of its namespaces."""

    def _refuse(self, *_: object) -> Any:
        raise RuntimeError("it belongs to the parent of this forked process: make a new one")

    get = __contains__ = __iter__ = __len__ = _refuse


atexit.register(_native.shut_down, EXIT_TIMEOUT)
os.register_at_fork(after_in_child=_forked)
