// The official client, as the tests use it: every event is awaited, every socket is closed with its test.
import { io } from "socket.io-client";

/** The ways to reach a server. */
export const MODES = {
  "polling only": { transports: ["polling"] },
  "websocket only": { transports: ["websocket"] },
  "polling then upgrade": { transports: ["polling", "websocket"] },
};

/** A socket that is not connected yet, with the first `auth` event it will get as `socket.greeting`. */
export function open(t, url, options = {}) {
  const socket = io(url, { forceNew: true, reconnection: false, ...options });
  socket.greeting = event(socket, "auth");
  t.after(() => socket.disconnect());
  return socket;
}

/** A socket that is connected, greeted and, where `options` allow it, upgraded. */
export async function connect(t, url, options = {}) {
  const socket = open(t, url, options);
  const upgraded = options.transports?.length > 1 ? upgrade(socket) : undefined;
  await connected(socket);
  await socket.greeting;
  await upgraded;
  return socket;
}

/** Resolves once the socket is connected; rejects when it is refused. */
export function connected(socket) {
  return new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("connect_error", reject);
  });
}

/** Resolves with the arguments of the next `name`. */
export function event(socket, name) {
  return new Promise((resolve) => socket.once(name, (...args) => resolve(args)));
}

/** Resolves with the first argument of the next `name`. */
export async function first(socket, name) {
  const [value] = await event(socket, name);
  return value;
}

/** Emits with an ack and resolves with the ack's arguments. */
export function ask(socket, name, ...args) {
  return new Promise((resolve) => socket.emit(name, ...args, (...answer) => resolve(answer)));
}

function upgrade(socket) {
  return new Promise((resolve, reject) => {
    const { engine } = socket.io;
    engine.once("upgrade", resolve);
    engine.once("upgradeError", reject);
  });
}
