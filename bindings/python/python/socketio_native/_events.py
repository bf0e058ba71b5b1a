"""How handlers are registered: the decorators that servers and clients share."""

from __future__ import annotations

from . import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, overload

    _Handler = Callable[..., Any]
    _HandlerT = TypeVar("_HandlerT", bound=_Handler)
else:

    def overload(function):
        return function


class Events:
    """Something that has handlers for events."""

    _handlers: _native.Handlers

    @overload
    def on(self, event: str, handler: None = None, namespace: str | None = None) -> Callable[[_HandlerT], _HandlerT]: ...

    @overload
    def on(self, event: str, handler: _Handler, namespace: str | None = None) -> None: ...

    def on(self, event: str, handler: _Handler | None = None, namespace: str | None = None) -> Any:
        """Registers the handler of an event, in the place of the one before; a decorator when `handler` is left out.

        The event `'*'` is every one that has no handler of its own, and the namespace `'*'` likewise. Such handlers are
        called with the event, and the namespace, in front of the other arguments.
        """
        import inspect

        name = namespace or "/"

        def register(handler: _HandlerT) -> _HandlerT:
            self._handlers.set(name, event, handler, inspect.iscoroutinefunction(handler))
            self._registered(name)
            return handler

        if handler is None:
            return register
        register(handler)

    @overload
    def event(self, handler: _HandlerT, /) -> _HandlerT: ...

    @overload
    def event(self, /, *, namespace: str | None = None) -> Callable[[_HandlerT], _HandlerT]: ...

    def event(self, /, *args: Any, **kwargs: Any) -> Any:
        """A decorator that registers a function for the event of its name: ``@sio.event``,
        ``@sio.event(namespace='/chat')``.
        """
        if len(args) == 1 and not kwargs and callable(args[0]):
            return self.on(args[0].__name__)(args[0])

        def register(handler: _HandlerT) -> _HandlerT:
            registered: _HandlerT = self.on(handler.__name__, *args, **kwargs)(handler)
            return registered

        return register

    def _registered(self, namespace: str) -> None:
        """Learns that a namespace has a handler."""


def fitting(handler: _Handler, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments, without the last one where a handler does not take it: it may be written for an older version."""
    import inspect

    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):  # one that is not written in Python
        return arguments
    for given in (arguments, arguments[:-1]):
        try:
            signature.bind(*given)
        except TypeError:
            continue
        return given
    return arguments


def is_awaitable(result: Any) -> bool:
    """Whether a handler has only begun: it is a coroutine function, or calls one."""
    return hasattr(result, "__await__")
