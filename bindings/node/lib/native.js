"use strict";
// The addon, and its errors as the Errors that a user sees.

/** What a status of the library is called, as the `code` of an Error. */
const CODES = {
  1: "ERR_INVALID_ARGUMENT",
  2: "ERR_INVALID_UTF8",
  3: "ERR_INVALID_JSON",
  4: "ERR_INVALID_STATE",
  5: "ERR_CLOSED",
  6: "ERR_NOT_CONNECTED",
  7: "ERR_TIMEOUT",
  8: "ERR_CANCELLED",
  10: "ERR_BACKPRESSURE",
  11: "ERR_TOO_LARGE",
  12: "ERR_NOT_FOUND",
  14: "ERR_UNSUPPORTED",
  100: "ERR_IO",
  101: "ENOTFOUND",
  103: "EADDRINUSE",
  104: "ERR_HTTP",
  105: "ERR_WEBSOCKET",
  200: "ERR_PROTOCOL",
  201: "ERR_HANDSHAKE",
  202: "ERR_REJECTED",
};

const STATUS = Object.freeze({ OK: 0, CLOSED: 5, TIMEOUT: 7, BACKPRESSURE: 10, REJECTED: 202 });

/** An Error for a status and its message. */
function failure(status, message) {
  const error = new Error(message);
  error.code = CODES[status] ?? "ERR_SOCKETIO";
  return error;
}

/** Calls the addon; what it throws is a status and a message. */
function call(object, method, ...args) {
  try {
    return object[method](...args);
  } catch (error) {
    const [, status, message] = /^(\d+) ([^]*)$/.exec(error.message) ?? [];
    throw status === undefined ? error : failure(Number(status), message);
  }
}

function load() {
  try {
    return require("../socketio.node");
  } catch (cause) {
    const advice = "build it with `npm rebuild socketio-native`, for which Rust is needed (https://rustup.rs)";
    throw new Error(`socketio-native: the native part cannot be loaded: ${advice}`, { cause });
  }
}

module.exports = { Native: load().Hub, STATUS, call, failure };
