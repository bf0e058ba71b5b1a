// Prints how much memory is in use after each of several equal rounds of events and sockets: the heap, and all that is resident.
import { Server } from "socketio-native";
import { io as connect } from "socketio-native/client";

const ROUNDS = 6;
const io = new Server(0);
let alive = 0;
const freed = new FinalizationRegistry(() => alive--);
io.on("connection", (socket) => {
  alive++;
  freed.register(socket);
  socket.data.self = socket;
  socket.join("room");
  socket.on("echo", (...args) => args.pop()(...args));
  socket.on("nobody answers", () => {});
});
const url = `http://127.0.0.1:${io.address().port}`;
const heap = [];
const resident = [];
for (let round = 0; round < ROUNDS; round++) {
  const client = connect(url, { forceNew: true, transports: ["websocket"] });
  const payload = { list: [1, 2, 3], text: "text".repeat(20), bytes: Buffer.alloc(32) };
  for (let i = 0; i < 100_000 / ROUNDS / 100; i++) {
    await Promise.all(Array.from({ length: 100 }, () => client.emitWithAck("echo", payload)));
    for (let j = 0; j < 10; j++) client.emit("nobody answers", j, () => {});
  }
  client.disconnect();
  for (let i = 0; i < 10_000 / ROUNDS / 50; i++) {
    await Promise.all(Array.from({ length: 50 }, comeAndGo));
  }
  heap.push(await used());
  resident.push(process.memoryUsage().rss);
}
await io.close();
if (alive > 60) throw new Error(`${alive} sockets are not freed`);
console.log(JSON.stringify([heap, resident]));

async function comeAndGo() {
  const client = connect(url, { forceNew: true, transports: ["websocket"] });
  await new Promise((resolve) => client.once("connect", resolve));
  client.disconnect();
}

async function used() {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20)); // finalizers run in tasks of their own
    globalThis.gc();
  }
  return process.memoryUsage().heapUsed;
}
