"use strict";
// A connection to a server, shared by the sockets of its namespaces, and opened again when it is lost.

const { Emitter } = require("./emitter.js");
const { Socket } = require("./socket.js");
const { optionsJson } = require("../options.js");
const hub = require("../hub.js");

/** What is not for the native part: it is done here, or by sockets. */
const OWN_OPTIONS = ["ackTimeout", "auth", "autoConnect", "autoUnref", "force new connection", "forceNew", "multiplex"];

/** What happens to a manager, by the numbers of the library. */
const EVENT = Object.freeze({
  OPEN: 1,
  ERROR: 2,
  CLOSE: 3,
  PING: 4,
  RECONNECT_ATTEMPT: 5,
  RECONNECT: 6,
  RECONNECT_ERROR: 7,
  RECONNECT_FAILED: 8,
});

/** Gives up what the native part keeps for a manager that nobody can reach any more. */
const collected = new FinalizationRegistry(({ number, clients }) => hub.natively("freeManager", number, clients));

class Manager extends Emitter {
  /** What the native part knows it by, once it does; and its sockets. */
  #number;
  #clients = [];
  #sockets = new Map();
  #settings;
  #readyState = "closed";
  #reconnecting = false;
  /** Whether there is a connection or one is tried for; and whether the process stays up for that, or for its end. */
  #wanted = false;
  #held = false;
  /** Who waits for the outcome of `open`. */
  #opening = [];

  constructor(uri, options) {
    super();
    if (uri !== null && typeof uri === "object" && !(uri instanceof URL)) [uri, options] = [undefined, uri];
    this.uri = uri;
    this.opts = options ?? {};
    this._autoConnect = this.opts.autoConnect !== false;
    this.#settings = {
      reconnection: this.opts.reconnection !== false,
      reconnectionAttempts: this.opts.reconnectionAttempts || Infinity,
      reconnectionDelay: this.opts.reconnectionDelay || 1000,
      reconnectionDelayMax: this.opts.reconnectionDelayMax || 5000,
      randomizationFactor: this.opts.randomizationFactor ?? 0.5,
      timeout: this.opts.timeout ?? 20_000,
    };
    if (this._autoConnect) this.open();
  }

  /** The socket of a namespace, always the same one. */
  socket(nsp, options) {
    let socket = this.#sockets.get(nsp);
    if (socket === undefined) {
      socket = new Socket(this, nsp, options);
    } else if (this._autoConnect && !socket.active) {
      socket.connect();
    }
    return socket;
  }

  /** Connects. `listener` is called when it has, or with the error. */
  open(listener) {
    if (this.#readyState !== "closed") return this;
    if (listener !== undefined) this.#opening.push(listener);
    this._needed();
    hub.natively("openManager", this.#number);
    return this;
  }

  connect(listener) {
    return this.open(listener);
  }

  /** Closes the connection, and tries no more to get one. */
  disconnect() {
    this.#close();
  }

  _close() {
    this.#close();
  }

  // ---- sockets -----------------------------------------------------------------------------------------------------

  /** Whether there is a socket of this namespace. */
  _has(nsp) {
    return this.#sockets.has(nsp);
  }

  /** A number for a new socket. */
  _add(socket, nsp) {
    const number = hub.natively("client", this.#native(), nsp);
    this.#clients.push(number);
    this.#sockets.set(nsp, socket);
    if (this.#held) hub.clients.set(number, socket);
    return number;
  }

  /** A connection is wanted: the process stays up for it, unless that is not wanted. */
  _needed() {
    this.#native();
    this.#wanted = true;
    if (this.#readyState === "closed" && !this.#reconnecting) this.#readyState = "opening";
    if (this.#held) return;
    this.#held = true;
    hub.managers.set(this.#number, this);
    for (const socket of this.#sockets.values()) hub.clients.set(socket._number, socket);
    if (!this.opts.autoUnref) hub.hold();
  }

  /** A socket does not want it any more. */
  _unneeded() {
    for (const socket of this.#sockets.values()) if (socket.active) return;
    this.#close();
  }

  // ---- what happens to it ------------------------------------------------------------------------------------------

  _happened(event, attempt, reason, message) {
    // It was closed while this was on its way.
    if (!this.#wanted) return undefined;
    switch (event) {
      case EVENT.OPEN:
        this.#readyState = "open";
        this._emitLocally(["open"]);
        return this.#opened(undefined);
      case EVENT.ERROR:
        return this.#failed(transportError(message));
      case EVENT.CLOSE:
        return this.#closed(reason);
      case EVENT.PING:
        return this._emitLocally(["ping"]);
      case EVENT.RECONNECT_ATTEMPT:
        this.#readyState = "opening";
        this.#reconnecting = true;
        return this._emitLocally(["reconnect_attempt", attempt]);
      case EVENT.RECONNECT:
        this.#reconnecting = false;
        return this._emitLocally(["reconnect", attempt]);
      case EVENT.RECONNECT_ERROR:
        return this._emitLocally(["reconnect_error", transportError(message)]);
      case EVENT.RECONNECT_FAILED:
        this.#reconnecting = false;
        this.#rest();
        return this._emitLocally(["reconnect_failed"]);
    }
  }

  #failed(error) {
    this.#readyState = "closed";
    this.#reconnecting = this.#settings.reconnection;
    if (!this.#reconnecting) this.#rest();
    this._emitLocally(["error", error]);
    for (const socket of this.#sockets.values()) socket._failed(error);
    this.#opened(error);
  }

  #closed(reason) {
    // What was closed here is told already, and another connection may have been asked for since.
    if (this.#readyState !== "open" || reason === "forced close") return;
    this.#readyState = "closed";
    this.#reconnecting = this.#settings.reconnection;
    if (!this.#reconnecting) this.#rest();
    this._emitLocally(["close", reason, undefined]);
  }

  #opened(error) {
    const listeners = this.#opening;
    this.#opening = [];
    for (const listener of listeners) listener(error);
  }

  #close() {
    const wasClosed = this.#readyState === "closed" && !this.#reconnecting;
    this.#readyState = "closed";
    this.#reconnecting = false;
    this.#rest();
    if (!wasClosed) this._emitLocally(["close", "forced close", undefined]);
  }

  /** Nothing will happen any more, once what was sent is out and the connection is closed. */
  #rest() {
    this.#wanted = false;
    if (!this.#held) return;
    const done = hub.expectEnd(() => {
      if (!this.#held || this.#wanted) return;
      this.#held = false;
      hub.managers.delete(this.#number);
      for (const number of this.#clients) hub.clients.delete(number);
      if (!this.opts.autoUnref) hub.release();
    });
    hub.natively("closeManager", this.#number, done);
  }

  // ---- settings ----------------------------------------------------------------------------------------------------

  reconnection(...value) {
    return this.#setting("reconnection", value);
  }

  reconnectionAttempts(...value) {
    return this.#setting("reconnectionAttempts", value);
  }

  reconnectionDelay(...value) {
    return this.#setting("reconnectionDelay", value);
  }

  reconnectionDelayMax(...value) {
    return this.#setting("reconnectionDelayMax", value);
  }

  randomizationFactor(...value) {
    return this.#setting("randomizationFactor", value);
  }

  timeout(...value) {
    return this.#setting("timeout", value);
  }

  #setting(name, [value]) {
    if (value === undefined) return this.#settings[name];
    if (this.#number !== undefined) {
      throw new Error(`${name} cannot be changed once the manager has a socket or was opened: give it as an option`);
    }
    this.#settings[name] = value;
    return this;
  }

  #native() {
    if (this.#number !== undefined) return this.#number;
    const options = { ...this.opts, ...this.#settings, autoConnect: false };
    for (const name of OWN_OPTIONS) if (name !== "autoConnect") delete options[name];
    this.#number = hub.natively("manager", String(this.uri ?? ""), optionsJson(options));
    collected.register(this, { number: this.#number, clients: this.#clients });
    return this.#number;
  }
}

/** An error in the official shape: what kind it is, and apart from that the detail. */
function transportError(text) {
  const [, message, detail] = /^((?:xhr \w+|websocket) error)(?:: ([^]*))?$/.exec(text) ?? [undefined, text];
  const error = new Error(message);
  if (message !== text) error.description = detail;
  if (/ error$/.test(message)) error.type = "TransportError";
  return error;
}

module.exports = { Manager };
