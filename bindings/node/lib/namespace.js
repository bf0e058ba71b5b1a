"use strict";
// A namespace of the server: its sockets, and who learns of new ones.

const { EventEmitter } = require("node:events");

const { BroadcastOperator } = require("./broadcast.js");
const { Socket } = require("./socket.js");
const hub = require("./hub.js");

const emitLocally = EventEmitter.prototype.emit;

class Namespace extends EventEmitter {
  #number;
  #middlewares = [];

  constructor(server, name) {
    super();
    this.server = server;
    this.name = name;
    this.sockets = new Map();
    this.#number = hub.natively("namespace", server._number, name);
    hub.namespaces.set(this.#number, this);
  }

  emit(name, ...args) {
    return this.#all.emit(name, ...args);
  }

  send(...args) {
    this.#all.emit("message", ...args);
    return this;
  }

  write(...args) {
    return this.send(...args);
  }

  to(room) {
    return this.#all.to(room);
  }

  in(room) {
    return this.#all.in(room);
  }

  except(room) {
    return this.#all.except(room);
  }

  get volatile() {
    return this.#all.volatile;
  }

  get local() {
    return this.#all.local;
  }

  compress(compress) {
    return this.#all.compress(compress);
  }

  socketsJoin(room) {
    this.#all.socketsJoin(room);
  }

  socketsLeave(room) {
    this.#all.socketsLeave(room);
  }

  disconnectSockets(close = false) {
    this.#all.disconnectSockets(close);
  }

  fetchSockets() {
    return this.#all.fetchSockets();
  }

  /** Asked for each client that wants to join. */
  use(middleware) {
    if (this.#middlewares.push(middleware) === 1) hub.natively("use", this.#number);
    return this;
  }

  get #all() {
    return new BroadcastOperator(this);
  }

  /** What the native part knows it by. */
  get _number() {
    return this.#number;
  }

  /** A client wants to join. */
  _ask(number, id, request) {
    const socket = new Socket(this, number, id, request);
    hub.sockets.set(number, socket);
    const middlewares = this.#middlewares.slice();
    const step = (i) => (error) => {
      if (error || i === middlewares.length) process.nextTick(() => socket._decided(error));
      else middlewares[i](socket, step(i + 1));
    };
    step(0)();
  }

  /** A client has joined. */
  _connect(number, id, request) {
    const socket = hub.sockets.get(number) ?? new Socket(this, number, id, request);
    hub.sockets.set(number, socket);
    this.sockets.set(socket.id, socket);
    socket._accepted();
    emitLocally.call(this, "connect", socket);
    emitLocally.call(this, "connection", socket);
  }

  /** A socket is no longer connected. */
  _remove(socket) {
    this.sockets.delete(socket.id);
  }

  /** The server is closed: its number, which nothing comes for any more. */
  _close() {
    hub.namespaces.delete(this.#number);
    return this.#number;
  }

  /** Tells listeners of the namespace, not its clients. */
  _emitLocally(name, ...args) {
    return emitLocally.call(this, name, ...args);
  }
}

module.exports = { Namespace };
