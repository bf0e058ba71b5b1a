"use strict";
// One per thread of JavaScript: between the native part, which tells what happened in batches, and the objects of the user.

const { Native, STATUS, call, failure } = require("./native.js");
const { MOST_SPREAD, restore } = require("./payload.js");
const outbox = require("./outbox.js");

/** The native part; made with the first server or manager, because it starts threads. */
let native;

/** Objects by their numbers: what events are for. */
const sockets = new Map();
const namespaces = new Map();
const clients = new Map();
const managers = new Map();

/** Who waits for an ack, and for the end of something, by number. */
const waiting = new Map();
const ending = new Map();
let lastNumber = 0;

/** How many servers and managers are open: while some are, the process stays up. */
let open = 0;

/** The native part. What was written down before has happened when this returns. */
function natively(method, ...args) {
  native ??= start();
  outbox.flush();
  return call(native, method, ...args);
}

function start() {
  const hub = new Native(onBatch);
  outbox.carriedBy((text, attachments) => {
    const refused = hub.apply(text, text.length, attachments);
    if (refused !== null) JSON.parse(refused).forEach(onRefused);
  });
  process.on("exit", outbox.flush);
  return hub;
}

/** Keeps the process up until as many calls of `release`. */
function hold() {
  if (open++ === 0) native.hold(true);
}

function release() {
  if (--open === 0) native.hold(false);
}

/** A number under which `listener` gets an ack: `(error, args)`. */
function expectAck(listener) {
  waiting.set(++lastNumber, listener);
  return lastNumber;
}

/** A number under which `listener` learns of the end of something. */
function expectEnd(listener) {
  ending.set(++lastNumber, listener);
  return lastNumber;
}

// ---- what happened -------------------------------------------------------------------------------------------------

/** A function for each kind of record, in the order of src/inbox.rs. */
const KINDS = [
  // Elements by their places: there are many events.
  function event(record, buffers) {
    const event = record.length === 4 ? record[3] : restore(record[3], buffers, record[4]);
    sockets.get(record[1])?._receive(event, record[2]);
  },
  function connection([, number, nsp, id, handshake]) {
    namespaces.get(nsp)?._connect(number, id, handshake);
  },
  function disconnecting([, number, reason, rooms]) {
    sockets.get(number)?._leave(reason, rooms);
  },
  function disconnect([, number, reason]) {
    const socket = sockets.get(number);
    forget(number);
    socket?._end(reason);
  },
  function ack([, number, status, args, first], buffers) {
    const listener = waiting.get(number);
    waiting.delete(number);
    if (status === STATUS.OK && args.length <= MOST_SPREAD) listener?.(null, arrived(args, buffers, first));
    else listener?.(ackFailure(status), []);
  },
  function done([, number, status, message]) {
    const listener = ending.get(number);
    ending.delete(number);
    listener?.(status === STATUS.OK ? undefined : failure(status, message));
  },
  function clientEvent([, number, right, event, first], buffers) {
    clients.get(number)?._receive(arrived(event, buffers, first), right);
  },
  function clientConnect([, number, id]) {
    clients.get(number)?._connect(id);
  },
  function clientConnectError([, number, status, message, data]) {
    if (status === STATUS.REJECTED) clients.get(number)?._refused(message, data?.[0]);
  },
  function clientDisconnect([, number, reason]) {
    clients.get(number)?._disconnect(reason);
  },
  function manager([, number, event, attempt, reason, message]) {
    managers.get(number)?._happened(event, attempt, reason, message);
  },
  function middleware([, number, nsp, id, handshake]) {
    namespaces.get(nsp)?._ask(number, id, handshake);
  },
  function clientAuth([, number]) {
    clients.get(number)?._authorize();
  },
];

function arrived(args, buffers, first) {
  return first === undefined ? args : restore(args, buffers, first);
}

function ackFailure(status) {
  return new Error(status === STATUS.TIMEOUT ? "operation has timed out" : "socket has been disconnected");
}

/** Called by the native part. Handlers never make it throw. */
function onBatch(text, buffers) {
  deliver(JSON.parse(text), 0, buffers);
}

/**
 * Calls the handlers for the records from `next` on. What one throws becomes an uncaught exception, and if the process
 * survives that, the others are called.
 */
function deliver(records, next, buffers) {
  outbox.during(() => {
    try {
      while (next < records.length) {
        const record = records[next++];
        KINDS[record[0]](record, buffers);
      }
    } catch (error) {
      process.nextTick(raise, error);
      process.nextTick(deliver, records, next, buffers);
    }
  });
}

function raise(error) {
  throw error;
}

/** Nothing comes for this socket any more. */
function forget(number) {
  if (sockets.delete(number)) outbox.write(`f\t${number}`);
}

/** The library has refused what was written down for an object. */
function onRefused([kind, number, ack, status, message]) {
  const listener = waiting.get(ack);
  waiting.delete(ack);
  if (listener !== undefined) process.nextTick(listener, ackFailure(status), []);
  if (kind === "next") {
    sockets.get(number)?._abandon();
    return;
  }
  if (status === STATUS.CLOSED) return;
  if (kind === "socket" && status === STATUS.BACKPRESSURE) {
    outbox.write(`d\t${number}\t1`);
    process.emitWarning(`${message}: it is disconnected (option maxBufferedBytes)`, "SocketIOWarning");
  } else {
    process.emitWarning(`an event was not sent: ${message}`, "SocketIOWarning");
  }
}

module.exports = {
  clients,
  expectAck,
  expectEnd,
  forget,
  hold,
  managers,
  namespaces,
  natively,
  release,
  sockets,
};
