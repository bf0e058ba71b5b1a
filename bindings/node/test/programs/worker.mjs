// A worker in full traffic with itself, which its parent ends: or it ends itself, one of several ways.
import { parentPort, workerData } from "node:worker_threads";
import { Server } from "socketio-native";
import { io as connect } from "socketio-native/client";

const io = new Server(0);
io.on("connection", (socket) => socket.on("x", (x, bytes, answer) => answer(x, bytes)));
let events = 0;
const go = (client) => client.emit("x", events++, Buffer.alloc(64), () => go(client));
for (let i = 0; i < 4; i++) {
  const client = connect(`http://127.0.0.1:${io.address().port}`, { forceNew: true, transports: ["websocket"] });
  client.once("connect", () => {
    for (let i = 0; i < 8; i++) go(client);
  });
}
const timer = setInterval(() => {
  if (events < 100) return;
  clearInterval(timer);
  if (workerData === "terminated") parentPort.postMessage("ready");
  else if (workerData === "exits") process.exit(3);
  else throw new Error("thrown");
}, 1);
