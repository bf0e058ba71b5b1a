"use strict";
// Events as the official client has them: other than with Node's EventEmitter, "error" is an event like any other, and `off`
// without arguments takes all listeners out.

class Emitter {
  #listeners = new Map();

  on(name, listener) {
    const list = this.#listeners.get(name);
    if (list === undefined) this.#listeners.set(name, [listener]);
    else list.push(listener);
    return this;
  }

  once(name, listener) {
    const once = (...args) => {
      this.off(name, once);
      Reflect.apply(listener, this, args);
    };
    once.listener = listener;
    return this.on(name, once);
  }

  off(...args) {
    const [name, listener] = args;
    const list = this.#listeners.get(name);
    if (args.length === 0) {
      this.#listeners.clear();
    } else if (args.length === 1) {
      this.#listeners.delete(name);
    } else if (list !== undefined) {
      const place = list.findIndex((one) => one === listener || one.listener === listener);
      if (place >= 0) list.splice(place, 1);
      if (list.length === 0) this.#listeners.delete(name);
    }
    return this;
  }

  emit(name, ...args) {
    this._emitLocally([name, ...args]);
    return this;
  }

  listeners(name) {
    return this.#listeners.get(name) ?? [];
  }

  hasListeners(name) {
    return this.listeners(name).length > 0;
  }

  /** Calls the listeners of the event that is the first element, with the others. */
  _emitLocally(event) {
    const listeners = this.#listeners.get(event[0]);
    if (listeners === undefined) return;
    const args = event.slice(1);
    for (const listener of listeners.slice()) Reflect.apply(listener, this, args);
  }
}

const { prototype } = Emitter;
for (const [alias, method] of [
  ["addEventListener", "on"],
  ["removeListener", "off"],
  ["removeAllListeners", "off"],
  ["removeEventListener", "off"],
]) {
  Object.defineProperty(prototype, alias, { value: prototype[method], writable: true, configurable: true });
}

module.exports = { Emitter };
