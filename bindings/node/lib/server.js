"use strict";
// The server: what it listens on, its namespaces, and the methods of the main one.

const { EventEmitter } = require("node:events");
const net = require("node:net");

const { Namespace } = require("./namespace.js");
const { optionsJson } = require("./options.js");
const hub = require("./hub.js");

class Server {
  #namespaces = new Map();
  #addresses = [];
  #closed;

  constructor(port, options) {
    if (port !== null && typeof port === "object" && !isHttpServer(port)) [port, options] = [undefined, port];
    this._number = hub.natively("server", optionsJson(options ?? {}));
    this.sockets = this.of("/");
    if (port !== undefined && port !== null) this.listen(port);
  }

  /** Listens on a port of all addresses, or on an address such as "127.0.0.1:3000" or "unix:/path". */
  listen(port, options) {
    if (isHttpServer(port) || typeof port === "function") {
      throw new Error("attaching to an HTTP server is not supported yet: give a port, which the server listens on itself");
    }
    if (options !== undefined && Object.keys(options).length > 0) {
      throw new Error("options of listen() are not supported yet: give them to the constructor");
    }
    const address = toAddress(port);
    const actual = hub.natively("listen", this._number, address, this.#addresses.length);
    if (this.#addresses.push(actual) === 1) hub.hold();
    return this;
  }

  attach(port, options) {
    return this.listen(port, options);
  }

  /** Where it listens, as `address()` of a `net.Server` tells it; null before. */
  address() {
    const [address] = this.#addresses;
    if (address === undefined) return null;
    if (address.startsWith("unix:")) return address.slice("unix:".length);
    const colon = address.lastIndexOf(":");
    const host = address.slice(0, colon).replace(/^\[|\]$/g, "");
    return { address: host, family: net.isIPv6(host) ? "IPv6" : "IPv4", port: Number(address.slice(colon + 1)) };
  }

  of(name, listener) {
    if (typeof name === "function" || name instanceof RegExp) {
      throw new Error("dynamic namespaces are not supported yet: name each of them");
    }
    const full = String(name).startsWith("/") ? String(name) : `/${name}`;
    let nsp = this.#namespaces.get(full);
    if (nsp === undefined) {
      nsp = new Namespace(this, full);
      this.#namespaces.set(full, nsp);
      if (full !== "/") this.sockets._emitLocally("new_namespace", nsp);
    }
    if (listener !== undefined) nsp.on("connect", listener);
    return nsp;
  }

  /** Listens no more, and disconnects all clients. Resolves, and calls `listener`, when the last connection is gone. */
  close(listener) {
    this.#closed ??= this.#close();
    return listener === undefined ? this.#closed : this.#closed.then(() => listener());
  }

  #close() {
    for (const nsp of this.#namespaces.values()) {
      for (const socket of [...nsp.sockets.values()]) socket._end("server shutting down");
    }
    return new Promise((resolve) => {
      const done = hub.expectEnd(() => {
        const namespaces = [...this.#namespaces.values()].map((nsp) => nsp._close());
        hub.natively("freeServer", this._number, namespaces);
        hub.release();
        resolve();
      });
      // Also for a server that never listened: somebody may wait for this.
      if (this.#addresses.length === 0) hub.hold();
      hub.natively("closeServer", this._number, done);
    });
  }

  send(...args) {
    this.sockets.send(...args);
    return this;
  }

  write(...args) {
    return this.send(...args);
  }

  /** Asked for each client that wants to join the main namespace. */
  use(middleware) {
    this.sockets.use(middleware);
    return this;
  }

  fetchSockets() {
    return this.sockets.fetchSockets();
  }

  to(room) {
    return this.sockets.to(room);
  }

  in(room) {
    return this.sockets.in(room);
  }

  except(room) {
    return this.sockets.except(room);
  }

  get volatile() {
    return this.sockets.volatile;
  }

  get local() {
    return this.sockets.local;
  }

  compress(compress) {
    return this.sockets.compress(compress);
  }

  socketsJoin(room) {
    this.sockets.socketsJoin(room);
  }

  socketsLeave(room) {
    this.sockets.socketsLeave(room);
  }

  disconnectSockets(close = false) {
    this.sockets.disconnectSockets(close);
  }
}

// Listening to the server, and emitting, is listening to its main namespace.
for (const method of Object.keys(EventEmitter.prototype)) {
  if (typeof EventEmitter.prototype[method] !== "function") continue;
  Server.prototype[method] = function (...args) {
    const result = this.sockets[method](...args);
    return result === this.sockets ? this : result;
  };
}

const isHttpServer = (value) => value !== null && typeof value === "object" && typeof value.listen === "function";

function toAddress(port) {
  if (typeof port === "number" || /^\d+$/.test(port)) {
    const number = Number(port);
    if (Number.isInteger(number) && number >= 0 && number < 65_536) return `:${number}`;
    throw new RangeError(`a port is a number from 0 to 65535, not ${port}`);
  }
  if (typeof port === "string") return port;
  throw new TypeError("a server listens on a port, or an address such as \"127.0.0.1:3000\"");
}

module.exports = { Server };
