"use strict";
// Emitting to many: which sockets, and how.

const { eventName } = require("./events.js");
const { encode } = require("./payload.js");
const outbox = require("./outbox.js");

/** A broadcast in the making. Each call gives a new one, so that one can be kept and used again. */
class BroadcastOperator {
  #from;
  #rooms;
  #except;
  #volatile;

  /** `from` writes where it comes from: a namespace, or a socket that it does not go to. */
  constructor(from, rooms = [], except = [], isVolatile = false) {
    this.#from = from;
    this.#rooms = rooms;
    this.#except = except;
    this.#volatile = isVolatile;
  }

  to(room) {
    return new BroadcastOperator(this.#from, this.#rooms.concat(room), this.#except, this.#volatile);
  }

  in(room) {
    return this.to(room);
  }

  except(room) {
    return new BroadcastOperator(this.#from, this.#rooms, this.#except.concat(room), this.#volatile);
  }

  get volatile() {
    return new BroadcastOperator(this.#from, this.#rooms, this.#except, true);
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

  #begin() {
    return `b\t${this.#from()}\t${this.#volatile ? 1 : 0}${list(this.#rooms)}${list(this.#except)}`;
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
