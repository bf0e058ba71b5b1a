"use strict";
// A client of the server, in one namespace.

const { EventEmitter } = require("node:events");

const { BroadcastOperator, roomNames } = require("./broadcast.js");
const { callAll, eventName, milliseconds, takeAck, withAnyListeners } = require("./events.js");
const { handshake } = require("./handshake.js");
const { MOST_SPREAD, encode } = require("./payload.js");
const hub = require("./hub.js");
const outbox = require("./outbox.js");

const emitLocally = EventEmitter.prototype.emit;

class Socket extends withAnyListeners(EventEmitter) {
  /** What the native part knows it by. */
  #number;
  #request;
  #handshake;
  #middlewares = [];
  /** For the next emit. */
  #volatile = false;
  #timeout;
  /** The rooms while it leaves them. */
  #left;
  #ended = false;

  constructor(nsp, number, id, request) {
    super();
    this.nsp = nsp;
    this.server = nsp.server;
    this.id = id;
    this.data = {};
    this.connected = false;
    this.recovered = false;
    this.#number = number;
    this.#request = request;
    this.on("error", () => {}); // a client may send an event of this name, which must not throw
  }

  get disconnected() {
    return !this.connected;
  }

  get handshake() {
    this.#handshake ??= handshake(this.#request);
    return this.#handshake;
  }

  get rooms() {
    if (this.#left !== undefined) return new Set(this.#left);
    return new Set(this.#ended ? [] : hub.natively("rooms", this.#number));
  }

  // ---- to this client ----------------------------------------------------------------------------------------------

  emit(name, ...args) {
    return this.#emit(name, args, takeAck(args));
  }

  emitWithAck(name, ...args) {
    const fails = this.#timeout !== undefined;
    return new Promise((resolve, reject) => {
      this.#emit(name, args, (...answer) => {
        if (fails && answer[0] !== null) reject(answer[0]);
        else resolve(answer[fails ? 1 : 0]);
      });
    });
  }

  send(...args) {
    this.#emit("message", args, takeAck(args));
    return this;
  }

  write(...args) {
    return this.send(...args);
  }

  timeout(milliseconds) {
    this.#timeout = milliseconds;
    return this;
  }

  get volatile() {
    this.#volatile = true;
    return this;
  }

  /** Changes nothing: nothing is compressed yet. */
  compress() {
    return this;
  }

  #emit(name, args, ack) {
    const [isVolatile, timeout] = [this.#volatile, this.#timeout];
    this.#volatile = false;
    this.#timeout = undefined;
    const event = outbox.field(eventName(name));
    const json = encode(args);
    if (this.#ended) return true;
    if (this._anyOutgoingListeners?.length > 0) callAll(this._anyOutgoingListeners, this, [name, ...args]);
    if (ack === undefined) {
      outbox.writePayload(`e\t${this.#number}\t${isVolatile ? 1 : 0}\t${event}`, json);
    } else {
      const number = hub.expectAck(this.#answered(ack, timeout !== undefined));
      outbox.writePayload(`a\t${this.#number}\t${milliseconds(timeout)}\t${number}\t${event}`, json);
    }
    return true;
  }

  /** Calls `ack` as the official server does: who sets no timeout learns of no failure. */
  #answered(ack, fails) {
    return (error, args) => {
      if (fails) args.unshift(error);
      else if (error !== null) return;
      Reflect.apply(ack, this, args);
    };
  }

  // ---- to others ---------------------------------------------------------------------------------------------------

  get broadcast() {
    const isVolatile = this.#volatile;
    this.#volatile = false;
    return new BroadcastOperator(this.nsp, this, [], [], isVolatile);
  }

  to(room) {
    return this.broadcast.to(room);
  }

  in(room) {
    return this.broadcast.in(room);
  }

  except(room) {
    return this.broadcast.except(room);
  }

  get local() {
    return this.broadcast.local;
  }

  // ---- rooms, the end ----------------------------------------------------------------------------------------------

  join(rooms) {
    for (const room of roomNames(rooms)) if (!this.#ended) outbox.write(`j\t${this.#number}\t${room}`);
  }

  leave(room) {
    for (const name of roomNames(room)) if (!this.#ended) outbox.write(`l\t${this.#number}\t${name}`);
  }

  disconnect(close = false) {
    if (!this.connected) return this;
    const number = this.#number;
    this._end("server namespace disconnect", () => outbox.write(`d\t${number}\t${close ? 1 : 0}`));
    return this;
  }

  use(middleware) {
    this.#middlewares.push(middleware);
    return this;
  }

  // ---- what happens to it ------------------------------------------------------------------------------------------

  /** An event has come: its name and arguments. A right to answer it is a number, or 0. */
  _receive(event, right) {
    if (!this.connected) return;
    if (right !== 0) event.push(this.#answer(right));
    if (event.length > MOST_SPREAD) {
      process.emitWarning(`a client was disconnected: it sent an event with ${event.length} arguments`, "SocketIOWarning");
      this.disconnect(true);
      return;
    }
    if (this._anyListeners?.length > 0) callAll(this._anyListeners, this, event);
    if (this.#middlewares.length > 0) this.#run(event);
    else if (this.connected) Reflect.apply(emitLocally, this, event);
  }

  #answer(right) {
    const number = this.#number;
    let sent = false;
    return (...args) => {
      if (sent) return;
      const json = encode(args);
      sent = true;
      if (!this.#ended) outbox.writePayload(`k\t${number}\t${right}`, json);
    };
  }

  #run(event) {
    const middlewares = this.#middlewares.slice();
    const step = (i) => (error) => {
      if (error) process.nextTick(() => emitLocally.call(this, "error", error));
      else if (i < middlewares.length) middlewares[i](event, step(i + 1));
      else process.nextTick(() => this.connected && Reflect.apply(emitLocally, this, event));
    };
    step(0)();
  }

  /** What the native part knows it by; once it has ended, a number that no socket has. */
  get _number() {
    return this.#ended ? 0xffff_ffff : this.#number;
  }

  /** The middlewares have let it in, or have not. */
  _decided(error) {
    if (this.#ended) return;
    if (!error) return outbox.write(`n\t${this.#number}`);
    const data = error.data === undefined ? "" : JSON.stringify([error.data]);
    outbox.write(`r\t${this.#number}\t${outbox.field(String(error.message))}\t${data}`);
    this._abandon();
  }

  _accepted() {
    this.connected = true;
  }

  /** It will never be connected. */
  _abandon() {
    this.#finish();
    hub.forget(this.#number);
  }

  /** It is leaving: these are its rooms. */
  _leave(reason, rooms) {
    if (this.#ended) return;
    this.#left = rooms;
    try {
      emitLocally.call(this, "disconnecting", reason, undefined);
    } finally {
      this.#left = [];
    }
  }

  /** It is disconnected. `between` is done when it has left and is not told yet. */
  _end(reason, between) {
    if (this.#ended) return;
    const wasConnected = this.connected;
    if (wasConnected && this.#left === undefined) {
      try {
        this._leave(reason, hub.natively("rooms", this.#number));
      } finally {
        this.#finish();
        between?.();
      }
    } else {
      this.#finish();
      between?.();
    }
    if (wasConnected) emitLocally.call(this, "disconnect", reason, undefined);
  }

  #finish() {
    this.#left = undefined;
    this.#ended = true;
    this.connected = false;
    this.nsp._remove(this);
  }
}

module.exports = { Socket };
