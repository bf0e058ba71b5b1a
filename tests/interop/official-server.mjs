// The official server with the behaviour and the command line of `echo-c`: what the suites expect is what this one does.
//
//   node official-server.mjs PORT [--ping-interval MS] [--ping-timeout MS] [--connect-timeout MS]
//                                 [--max-payload BYTES] [--transports LIST]
import { once } from "node:events";
import { createServer } from "node:http";
import { Server } from "socket.io";

const OPTIONS = {
  "--ping-interval": (value) => ({ pingInterval: Number(value) }),
  "--ping-timeout": (value) => ({ pingTimeout: Number(value) }),
  "--connect-timeout": (value) => ({ connectTimeout: Number(value) }),
  "--max-payload": (value) => ({ maxHttpBufferSize: Number(value) }),
  "--transports": (value) => ({ transports: value.split(",") }),
};
const ANSWER_TIMEOUT_MS = 1000;

let lastReason = null;

function serve(socket) {
  socket.on("disconnect", (reason) => (lastReason = reason));
  socket.on("message", (...args) => socket.emit("message-back", ...args));
  for (const name of ["message-with-ack", "echo"]) {
    socket.on(name, (...args) => {
      const ack = args.pop();
      if (typeof ack === "function") ack(...args);
    });
  }
  socket.on("broadcast", (...args) => socket.nsp.emit("broadcast", ...args));
  socket.on("join", (room, ack) => (socket.join(room), ack?.()));
  socket.on("leave", (room, ack) => (socket.leave(room), ack?.()));
  socket.on("to", (room, event, ...args) => socket.to(room).emit(event, ...args));
  socket.on("ask", (...args) =>
    socket
      .timeout(ANSWER_TIMEOUT_MS)
      .emit("question", ...args, (error, ...answer) => socket.emit("answer", ...(error ? ["timeout"] : answer))),
  );
  socket.on("kick", (close) => socket.disconnect(close === true));
  socket.on("last-reason", (ack) => ack(lastReason));
  socket.on("error", () => {}); // a malformed packet, reported before its connection is closed
  socket.emit("auth", socket.handshake.auth);
}

function parse([port, ...rest]) {
  let options = {};
  for (let i = 0; i < rest.length; i += 2) {
    if (!OPTIONS[rest[i]] || rest[i + 1] === undefined) throw new Error(`unknown or incomplete option ${rest[i]}`);
    options = { ...options, ...OPTIONS[rest[i]](rest[i + 1]) };
  }
  return { port: Number(port), options };
}

const { port, options } = parse(process.argv.slice(2));
const http = createServer((request, response) => response.writeHead(404).end());
const io = new Server(http, { cors: { origin: "*" }, serveClient: false, ...options });
io.on("connection", serve);
io.of("/custom").on("connection", serve);

// One engine behind two listeners.
const http6 = createServer((...args) => http.emit("request", ...args));
http6.on("upgrade", (...args) => http.emit("upgrade", ...args));

http6.on("error", (error) => {
  if (error.code !== "EADDRNOTAVAIL") throw error; // a machine without IPv6
});
http6.listen(port, "::1");
http.listen(port, "127.0.0.1");
await once(http, "listening");

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, async () => {
    http6.close();
    await io.close(); // everybody has been told, but for polling sessions that nobody polls: those wait for 30 s
    http6.closeAllConnections();
    http.closeAllConnections();
    process.exit(0);
  });
}
