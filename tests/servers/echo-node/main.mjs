#!/usr/bin/env node
// The server that the suites and the benchmark talk to, on the Node package.
//
//   echo-node PORT [--ping-interval MS] [--ping-timeout MS] [--connect-timeout MS] [--max-payload BYTES]
//             [--transports polling,websocket] [--auth-event on|off]
//
// It listens on 127.0.0.1 and ::1 and serves the namespaces "/" and "/custom", both alike. SIGTERM ends it.
import { Server } from "../../../bindings/node/lib/index.mjs";

const ANSWER_TIMEOUT_MS = 1000;

const NUMBERS = {
  "--ping-interval": "pingInterval",
  "--ping-timeout": "pingTimeout",
  "--connect-timeout": "connectTimeout",
  "--max-payload": "maxHttpBufferSize",
};

/** Why the last socket was disconnected. */
let lastReason = null;

function serve(nsp, { authEvent }) {
  nsp.on("connection", (socket) => {
    if (authEvent) socket.emit("auth", socket.handshake.auth);

    socket.on("message", (...args) => socket.emit("message-back", ...args));
    for (const name of ["message-with-ack", "echo"]) {
      socket.on(name, (...args) => {
        const answer = args.pop();
        if (typeof answer === "function") answer(...args);
      });
    }
    socket.on("broadcast", (...args) => nsp.emit("broadcast", ...args));

    socket.on("join", (room, answer) => {
      socket.join(room);
      answer?.();
    });
    socket.on("leave", (room, answer) => {
      socket.leave(room);
      answer?.();
    });
    socket.on("to", (room, name, ...args) => socket.to(room).emit(name, ...args));

    socket.on("ask", (...args) => {
      socket.timeout(ANSWER_TIMEOUT_MS).emit("question", ...args, (error, ...answer) => {
        socket.emit("answer", ...(error ? ["timeout"] : answer));
      });
    });

    socket.on("kick", (close) => socket.disconnect(close === true));
    socket.on("last-reason", (answer) => answer?.(lastReason));
    socket.on("disconnect", (reason) => {
      lastReason = reason;
    });
  });
}

function parse(args) {
  const parsed = { port: undefined, authEvent: true, options: { cors: { origin: "*" } } };
  for (let i = 0; i < args.length; i++) {
    const name = args[i];
    if (!name.startsWith("-") && parsed.port === undefined) {
      parsed.port = name;
      continue;
    }
    const value = args[++i];
    if (value === undefined) usage();
    if (name in NUMBERS) parsed.options[NUMBERS[name]] = Number.parseInt(value, 10) || 0;
    else if (name === "--transports") parsed.options.transports = value.split(",");
    else if (name === "--auth-event") parsed.authEvent = value !== "off";
    else usage();
  }
  if (parsed.port === undefined) usage();
  return parsed;
}

function usage() {
  console.error(
    "usage: echo-node PORT [--ping-interval MS] [--ping-timeout MS] [--connect-timeout MS] [--max-payload BYTES]\n" +
      "                 [--transports polling,websocket] [--auth-event on|off]",
  );
  process.exit(2);
}

const { port, authEvent, options } = parse(process.argv.slice(2));
let io;
try {
  io = new Server(options);
  serve(io.of("/"), { authEvent });
  serve(io.of("/custom"), { authEvent });
  io.listen(`127.0.0.1:${port}`);
  try {
    io.listen(`[::1]:${port}`);
  } catch (error) {
    if (error.code === "EADDRINUSE") throw error; // else the machine may have no IPv6
  }
} catch (error) {
  console.error(`echo-node: ${error.message}`);
  process.exit(1);
}
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => io.close());
