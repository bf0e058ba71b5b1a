"use strict";
// What sockets of both sides have in common: names of events, catch-all listeners, calls with an ack at their end.

/** Events that a user cannot emit: they have a meaning of their own. */
const RESERVED = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);

/** The name of an event to emit, as text. */
function eventName(name) {
  if (RESERVED.has(name)) throw new Error(`"${name}" is a reserved event name`);
  if (typeof name === "symbol") throw new TypeError("the name of an event is a text, not a symbol");
  return String(name);
}

/** Takes the ack from the end of `args`, if there is one. */
function takeAck(args) {
  return typeof args[args.length - 1] === "function" ? args.pop() : undefined;
}

/** Milliseconds for the native part, which takes 0 as no limit; as `setTimeout` counts them. */
function milliseconds(timeout) {
  if (timeout === undefined) return 0;
  return timeout >= 1 && timeout < 0xffff_ffff ? Math.ceil(timeout) : 1;
}

/** Adds catch-all listeners, for what comes and what goes, to a class. */
function withAnyListeners(Base) {
  return class extends Base {
    _anyListeners = undefined;
    _anyOutgoingListeners = undefined;

    onAny(listener) {
      (this._anyListeners ??= []).push(listener);
      return this;
    }

    prependAny(listener) {
      (this._anyListeners ??= []).unshift(listener);
      return this;
    }

    offAny(listener) {
      this._anyListeners = without(this._anyListeners, listener);
      return this;
    }

    listenersAny() {
      return (this._anyListeners ??= []);
    }

    onAnyOutgoing(listener) {
      (this._anyOutgoingListeners ??= []).push(listener);
      return this;
    }

    prependAnyOutgoing(listener) {
      (this._anyOutgoingListeners ??= []).unshift(listener);
      return this;
    }

    offAnyOutgoing(listener) {
      this._anyOutgoingListeners = without(this._anyOutgoingListeners, listener);
      return this;
    }

    listenersAnyOutgoing() {
      return (this._anyOutgoingListeners ??= []);
    }
  };
}

/** The list without one occurrence of `listener`; without any when that is not given. */
function without(listeners, listener) {
  if (listeners === undefined || listener === undefined) return undefined;
  const place = listeners.indexOf(listener);
  if (place >= 0) listeners.splice(place, 1);
  return listeners;
}

/** Calls each listener with the event, its name first. */
function callAll(listeners, self, event) {
  for (const listener of listeners.slice()) Reflect.apply(listener, self, event);
}

module.exports = { RESERVED, callAll, eventName, milliseconds, takeAck, withAnyListeners };
