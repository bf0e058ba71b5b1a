"use strict";
// Emitting to many: which sockets, and how.

const { eventName } = require("./events.js");
const { encode } = require("./payload.js");
const outbox = require("./outbox.js");

/** A broadcast in the making. Each call gives a new one, so that one can be kept and used again. */
class BroadcastOperator {
  #nsp;
  #sender;
  #rooms;
  #except;
  #volatile;

  /** To the sockets of a namespace, but for `sender`. */
  constructor(nsp, sender = undefined, rooms = [], except = [], isVolatile = false) {
    this.#nsp = nsp;
    this.#sender = sender;
    this.#rooms = rooms;
    this.#except = except;
    this.#volatile = isVolatile;
  }

  to(room) {
    return this.#with(this.#rooms.concat(room), this.#except, this.#volatile);
  }

  in(room) {
    return this.to(room);
  }

  except(room) {
    return this.#with(this.#rooms, this.#except.concat(room), this.#volatile);
  }

  get volatile() {
    return this.#with(this.#rooms, this.#except, true);
  }

  /** Only to sockets of this process: there are no others without an adapter. */
  get local() {
    return this;
  }

  /** Changes nothing: nothing is compressed yet. */
  compress() {
    return this;
  }

  emit(name, ...args) {
    if (typeof args[args.length - 1] === "function") {
      throw new Error("an acknowledgement of a broadcast is not supported yet");
    }
    const event = outbox.field(eventName(name));
    const json = encode(args);
    outbox.writePayload(`${this.#begin()}\te\t${event}`, json);
    return true;
  }

  socketsJoin(room) {
    for (const name of roomNames(room)) outbox.write(`${this.#begin()}\tj\t${name}`);
  }

  socketsLeave(room) {
    for (const name of roomNames(room)) outbox.write(`${this.#begin()}\tl\t${name}`);
  }

  disconnectSockets(close = false) {
    outbox.write(`${this.#begin()}\td\t${close ? 1 : 0}`);
  }

  /** The sockets that it would go to. */
  async fetchSockets() {
    const sockets = [...this.#nsp.sockets.values()].filter((socket) => socket !== this.#sender);
    if (this.#rooms.length === 0 && this.#except.length === 0) return sockets;
    return sockets.filter(({ rooms }) => {
      const isIn = (room) => rooms.has(String(room));
      return (this.#rooms.length === 0 || this.#rooms.some(isIn)) && !this.#except.some(isIn);
    });
  }

  #with(rooms, except, isVolatile) {
    return new BroadcastOperator(this.#nsp, this.#sender, rooms, except, isVolatile);
  }

  #begin() {
    const from = this.#sender === undefined ? `n\t${this.#nsp._number}` : `s\t${this.#sender._number}`;
    return `b\t${from}\t${this.#volatile ? 1 : 0}${list(this.#rooms)}${list(this.#except)}`;
  }
}

/** The names of rooms as fields: one name, or several in an array. */
function roomNames(rooms) {
  return (Array.isArray(rooms) ? rooms : [rooms]).map((room) => roomName(room));
}

/** Bytes that the name of a room can have. */
const MOST_BYTES = 1024;

function roomName(room) {
  const name = String(room);
  if (name.length * 3 > MOST_BYTES && Buffer.byteLength(name) > MOST_BYTES) {
    throw new RangeError(`the name of a room can have ${MOST_BYTES} bytes`);
  }
  return outbox.field(name);
}

function list(rooms) {
  return rooms.length === 0 ? "\t0" : `\t${rooms.length}\t${rooms.map(roomName).join("\t")}`;
}

module.exports = { BroadcastOperator, roomNames };
