// What the official client sees of middlewares, line by line; and the official server with the same ones, to compare.
//
//   node middleware.mjs             serves, prints its URL, and ends with its standard input
//   node middleware.mjs URL         connects in several ways and prints what happened
import { once } from "node:events";
import { createServer } from "node:http";
import { Server } from "socket.io";
import { io as connect } from "socket.io-client";

function refusal(message, data) {
  const error = new Error(message);
  if (data !== undefined) error.data = data;
  return error;
}

async function serve() {
  const http = createServer();
  const io = new Server(http, { serveClient: false });
  io.use((socket, next) => {
    const { token } = socket.handshake.auth;
    if (token === undefined) return next(refusal("no token"));
    if (token === "bad") return next(refusal("not you", { code: 7, "ü": [null] }));
    socket.join("let in");
    socket.emit("early", token);
    setImmediate(next);
  });
  io.use((socket, next) => next(socket.handshake.auth.token === "second" ? refusal("the second says no", "x") : undefined));
  io.on("connection", (socket) => {
    socket.emit("welcome", socket.rooms.has("let in"), socket.rooms.has(socket.id));
    socket.on("echo", (value, ack) => ack(value));
  });
  io.of("/open");
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  console.log(`http://127.0.0.1:${http.address().port}`);
  process.stdin.on("end", () => process.exit(0)).resume();
}

async function visit(url, transports) {
  const print = (...words) => console.log(transports.join("+"), ...words.map((word) => JSON.stringify(word)));
  const options = { transports, reconnection: false, forceNew: true };
  const attempt = (socket) =>
    new Promise((resolve) => {
      const refused = (error) => done("refused", error.message, error.data ?? null);
      const connected = () => done("connected");
      const done = (...words) => {
        socket.off("connect_error", refused).off("connect", connected);
        print(...words);
        resolve();
      };
      socket.on("connect_error", refused).on("connect", connected).connect();
    });
  for (const auth of [undefined, { token: "bad" }, { token: "second" }, { token: "good" }]) {
    const socket = connect(url, { ...options, auth, autoConnect: false });
    await attempt(socket);
    if (auth?.token !== "good") {
      // A refusal leaves the connection to others, and to another attempt.
      const open = socket.io.socket("/open", {});
      await attempt(open);
      socket.auth = { token: "good" };
      await attempt(socket);
    }
    print("echo", await socket.emitWithAck("echo", 1));
    socket.io._close();
  }
  // What a middleware sends comes before what the connection's handler sends.
  const socket = connect(url, { ...options, auth: { token: "good" } });
  const events = [];
  await new Promise((resolve) => socket.onAny((...event) => events.push(event) === 2 && resolve()));
  print("events", events);
  socket.close();
}

const [url] = process.argv.slice(2);
if (url === undefined) {
  await serve();
} else {
  for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) await visit(url, transports);
}
