"use strict";
// The client's end of a namespace.

const { callAll, eventName, milliseconds, takeAck, withAnyListeners } = require("../events.js");
const { MOST_SPREAD, encode } = require("../payload.js");
const { Emitter } = require("./emitter.js");
const hub = require("../hub.js");
const outbox = require("../outbox.js");

class Socket extends withAnyListeners(Emitter) {
  #ackTimeout;
  #active = false;
  /** Events that came before the server let it in. */
  #early = [];
  /** For the next emit. */
  #volatile = false;
  #timeout;

  constructor(io, nsp, options) {
    super();
    this.io = io;
    this.nsp = nsp;
    this.id = undefined;
    this.connected = false;
    this.recovered = false;
    if (options?.auth) this.auth = options.auth;
    this.#ackTimeout = options?.ackTimeout;
    /** What the native part knows it by. */
    this._number = io._add(this, nsp);
    if (io._autoConnect) this.connect();
  }

  get disconnected() {
    return !this.connected;
  }

  /** Whether it is connected or will be: not after either side has disconnected it, nor after the server has refused it. */
  get active() {
    return this.#active;
  }

  connect() {
    if (this.connected) return this;
    this.#active = true;
    this.io._needed();
    outbox.write(`C\t${this._number}`);
    return this;
  }

  open() {
    return this.connect();
  }

  disconnect() {
    const wasConnected = this.connected;
    if (this.#active) outbox.write(`D\t${this._number}`);
    this.#deactivate();
    if (wasConnected) this.#disconnected("io client disconnect");
    return this;
  }

  close() {
    return this.disconnect();
  }

  // ---- to the server -----------------------------------------------------------------------------------------------

  emit(name, ...args) {
    this.#emit(name, args, takeAck(args), false);
    return this;
  }

  emitWithAck(name, ...args) {
    return new Promise((resolve, reject) => {
      this.#emit(name, args, (error, value) => (error ? reject(error) : resolve(value)), true);
    });
  }

  send(...args) {
    this.#emit("message", args, takeAck(args), false);
    return this;
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

  /** `fails` tells whether the ack is called with an error first, also when there is no time limit. */
  #emit(name, args, ack, fails) {
    const [isVolatile, timeout] = [this.#volatile, this.#timeout ?? this.#ackTimeout];
    this.#volatile = false;
    this.#timeout = undefined;
    const event = outbox.field(eventName(name));
    const json = encode(args);
    if (isVolatile && !this.connected) return;
    if (this._anyOutgoingListeners?.length > 0) callAll(this._anyOutgoingListeners, this, [name, ...args]);
    if (ack === undefined) {
      outbox.writePayload(`E\t${this._number}\t${isVolatile ? 1 : 0}\t${event}`, json);
    } else {
      const number = hub.expectAck(this.#answered(ack, fails || timeout !== undefined));
      outbox.writePayload(`A\t${this._number}\t${milliseconds(timeout)}\t${number}\t${event}`, json);
    }
  }

  #answered(ack, fails) {
    return (error, args) => {
      if (fails) args.unshift(error);
      else if (error !== null) return;
      Reflect.apply(ack, this, args);
    };
  }

  // ---- what happens to it ------------------------------------------------------------------------------------------

  /** An event; one that the server sends before it lets the socket in is kept until it does. */
  _receive(event, right) {
    if (!this.connected) {
      if (this.#active) this.#early.push([event, right]);
      return;
    }
    if (right !== 0) event.push(this.#answer(right));
    if (event.length > MOST_SPREAD) {
      process.emitWarning(`an event with ${event.length} arguments was not delivered`, "SocketIOWarning");
      return;
    }
    if (this._anyListeners?.length > 0) callAll(this._anyListeners, this, event);
    this._emitLocally(event);
  }

  #answer(right) {
    let sent = false;
    return (...args) => {
      if (sent) return;
      const json = encode(args);
      sent = true;
      outbox.writePayload(`K\t${this._number}\t${right}`, json);
    };
  }

  /** The server is about to be asked to let it in: what it is told is asked for now, and may come later. */
  _authorize() {
    const tell = (auth) => outbox.write(`U\t${this._number}\t${auth ? JSON.stringify(auth) : ""}`);
    if (typeof this.auth === "function") this.auth(tell);
    else tell(this.auth);
  }

  _connect(id) {
    if (!this.#active) return;
    this.id = id;
    this.connected = true;
    for (const early of this.#early.splice(0)) this._receive(...early);
    this._emitLocally(["connect"]);
  }

  /** The server has refused it. Where there is no connection, the manager knows it first. */
  _refused(message, data) {
    if (!this.#active) return;
    const error = new Error(message);
    error.data = data;
    this.#deactivate();
    this._emitLocally(["connect_error", error]);
  }

  /** The manager could not connect. */
  _failed(error) {
    if (this.#active && !this.connected) this._emitLocally(["connect_error", error]);
  }

  _disconnect(reason) {
    this.#early.length = 0; // of a connection that was left, and is now gone
    if (!this.connected) return;
    if (reason === "io server disconnect") this.#deactivate();
    this.#disconnected(reason);
  }

  #deactivate() {
    if (!this.#active) return;
    this.#active = false;
    this.io._unneeded();
  }

  #disconnected(reason) {
    this.connected = false;
    this.id = undefined;
    this._emitLocally(["disconnect", reason, undefined]);
  }
}

module.exports = { Socket };
