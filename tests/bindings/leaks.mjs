// What 100,000 events and 10,000 sockets leave behind in Node: nothing.
//
//   node --expose-gc leaks.mjs [PERCENT]    that much of the work; 100 without
//
// Neither the heap of JavaScript and what it holds outside may grow with what is done, nor the resident memory of the process.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { Server } from "../../bindings/node/lib/index.mjs";
import { io } from "../../bindings/node/lib/client.mjs";

const SCALE = Number(process.argv[2] ?? 100);
const EVENTS = (100_000 * SCALE) / 100;
const SOCKETS = (10_000 * SCALE) / 100;
const AT_ONCE = 50;
// A leak of 20 bytes an event, or of 200 a socket, would be as much.
const ALLOWED_RESIDENT = 2 << 20;
const ALLOWED_HEAP = 512 << 10;

async function freePort() {
  const probe = net.createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const server = new Server(port);
let gone = () => {};

server.on("connection", (socket) => {
  socket.join("everybody");
  socket.data.auth = socket.handshake.auth;
  socket.on("echo", (...args) => args.pop()(...args));
  socket.on("disconnect", () => gone());
});

const connect = (options) =>
  new Promise((resolve, reject) => {
    const socket = io(url, { forceNew: true, reconnection: false, transports: ["websocket"], ...options });
    socket.once("connect", () => resolve(socket));
    socket.once("connect_error", reject);
  });

async function events(count) {
  const socket = await connect();
  for (let done = 0; done < count; done += AT_ONCE) {
    const batch = Array.from({ length: AT_ONCE }, (_, i) =>
      i % 2 ? socket.emitWithAck("echo", done + i, { bytes: [Buffer.alloc(i * 5)] }) : socket.emitWithAck("echo", `text ${i}`),
    );
    await Promise.all(batch);
  }
  const left = new Promise((resolve) => (gone = resolve));
  socket.disconnect();
  await left;
}

async function sockets(count) {
  for (let done = 0; done < count; done += AT_ONCE) {
    const transports = done % 500 === 0 ? ["polling"] : ["websocket"];
    const clients = await Promise.all(
      Array.from({ length: AT_ONCE }, () => connect({ transports, auth: { token: "x" } })),
    );
    server.to("everybody").emit("news", Buffer.from("to all of them"));
    let there = clients.length;
    const left = new Promise((resolve) => (gone = () => --there === 0 && resolve()));
    for (const client of clients) client.disconnect();
    await left;
  }
}

/** What is in use once everything that can be collected is. */
async function memory() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  const resident = Number(readFileSync("/proc/self/statm", "utf8").split(" ")[1]) * 4096;
  return { heap: heapUsed + external, resident };
}

/** Does the work four times. A leak grows each time; what allocators and compilers take for themselves they take once. */
async function growth(what, work, count) {
  const growths = [];
  await work(count);
  for (let round = 0; round < 3; round++) {
    const before = await memory();
    await work(count);
    const after = await memory();
    growths.push({ heap: after.heap - before.heap, resident: after.resident - before.resident });
  }
  const [heap, resident] = ["heap", "resident"].map((kind) => Math.min(...growths.map((growth) => growth[kind])));
  console.log(`${count} ${what}: heap ${(heap / 1024).toFixed(0)} KiB, resident ${(resident / 1024).toFixed(0)} KiB`);
  if (heap > ALLOWED_HEAP || resident > ALLOWED_RESIDENT) throw new Error(`${what} leave something behind`);
}

await growth("events", events, EVENTS);
await growth("sockets", sockets, SOCKETS);
await server.close();
