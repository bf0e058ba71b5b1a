// A client under remote control, in JavaScript: it does what the lines of its input say and prints what it sees.
//
//   node main.mjs [--package socketio-native/client] URL [OPTIONS]
//
// Commands, observations and OPTIONS are those of client-c. With `--package socket.io-client` it is the official client
// that obeys, which says what ours has to do. Sockets of one manager share their connection; nothing ends the program but
// that nothing is open any more.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

/** Whose dependency, or own name, each package is. */
const PACKAGES = {
  "socketio-native/client": "../../../bindings/node/package.json",
  "socket.io-client": "../../interop/package.json",
};

const { values, positionals } = parseArgs({
  options: { package: { type: "string", default: "socketio-native/client" } },
  allowPositionals: true,
});
const [url, options = "{}"] = positionals;
if (!url || !PACKAGES[values.package]) {
  console.error(`usage: main.mjs [--package ${Object.keys(PACKAGES).join("|")}] URL [OPTIONS]`);
  process.exit(2);
}
const { io } = createRequire(new URL(PACKAGES[values.package], import.meta.url))(values.package);

const sockets = new Map();
let wantedAck;

const COMMANDS = {
  socket(namespaces, auth) {
    for (const nsp of namespaces.split(",")) sockets.set(nsp, open(nsp, auth === "-" ? undefined : JSON.parse(auth)));
  },
  connect: (nsp) => sockets.get(nsp).connect(),
  disconnect: (nsp) => sockets.get(nsp).disconnect(),
  emit: (nsp, event, json, attachments) => sockets.get(nsp).emit(event, ...readArguments(json, attachments)),
  ask(nsp, event, json, attachments, timeout) {
    const answered = (error, ...args) =>
      error
        ? tell("ack", nsp, { status: "SIO_ERR_TIMEOUT" })
        : tell("ack", nsp, { status: "SIO_OK", ...printArguments(args) });
    sockets
      .get(nsp)
      .timeout(Number(timeout))
      .emit(event, ...readArguments(json, attachments), answered);
  },
  answer: (json, attachments) => wantedAck(...readArguments(json, attachments)),
};

for await (const line of createInterface(process.stdin)) {
  const [command, ...fields] = line.split("\t");
  COMMANDS[command](...fields);
}
for (const socket of sockets.values()) socket.disconnect();

function open(nsp, auth) {
  const isFirst = sockets.size === 0;
  const socket = io(url + nsp, { ...JSON.parse(options), auth });
  socket.on("connect", () => tell("connect", nsp));
  socket.on("connect_error", (error) => {
    // The socket goes on trying, unless it was refused.
    const status = socket.active ? "SIO_ERR_IO" : "SIO_ERR_REJECTED";
    tell("connect_error", nsp, { reason: error.message, status });
  });
  socket.on("disconnect", (reason) => tell("disconnect", nsp, { reason }));
  socket.onAny((name, ...args) => {
    if (typeof args.at(-1) === "function") wantedAck = args.pop();
    tell("event", nsp, { name, ...printArguments(args) });
  });
  if (isFirst) socket.io.on("reconnect", (attempt) => tell("reconnect", "", { attempt }));
  return socket;
}

function tell(what, nsp, fields = {}) {
  process.stdout.write(`${JSON.stringify({ what, nsp, ...fields })}\n`);
}

function readArguments(json, hexadecimal) {
  const attachments = hexadecimal === "-" ? [] : hexadecimal.split(",").map((part) => Buffer.from(part, "hex"));
  return JSON.parse(json, (_, value) => (value?._placeholder === true ? attachments[value.num] : value));
}

function printArguments(args) {
  const attachments = [];
  const empty = (value) => {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      attachments.push(Buffer.from(value).toString("hex"));
      return { _placeholder: true, num: attachments.length - 1 };
    }
    if (Array.isArray(value)) return value.map(empty);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, empty(inner)]));
  };
  return { json: args.map(empty), attachments };
}
