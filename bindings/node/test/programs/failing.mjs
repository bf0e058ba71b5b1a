// Handlers that throw and reject: failing.mjs official|ours prints what becomes of the events around them.
import { once, official, ours, listening, portOf } from "../support.mjs";

const { Server, Client } = process.argv[2] === "official" ? official : ours;
const io = new Server.Server(0);
await listening(io);
const lines = [];
process.on("uncaughtException", (error, origin) => lines.push(`${origin}: ${error.message}`));
process.on("unhandledRejection", (error) => lines.push(`rejected: ${error.message}`));
io.on("connection", (socket) => {
  socket.on("n", (n) => {
    lines.push(`n ${n}`);
    if (n % 3 === 1) throw new Error(`sync ${n}`);
  });
  socket.on("n", (n) => lines.push(`second ${n}`));
  socket.on("later", async (n, answer) => {
    if (n === 1) throw new Error(`async ${n}`);
    answer(n);
  });
});
const client = Client.io(`http://127.0.0.1:${portOf(io)}`, { transports: ["websocket"] });
await once(client, "connect");
for (let n = 0; n < 6; n++) client.emit("n", n);
client.on("n", (n) => {
  lines.push(`client ${n}`);
  if (n === 0) throw new Error(`client sync ${n}`);
});
const answers = await Promise.allSettled([0, 1, 2].map((n) => client.timeout(300).emitWithAck("later", n)));
lines.push(answers.map(({ value, reason }) => value ?? reason.message).join(", "));
for (let n = 0; n < 3; n++) io.emit("n", n);
io.on("connection", () => {
  throw new Error("in connection");
});
const second = Client.io(`http://127.0.0.1:${portOf(io)}`, { transports: ["websocket"], forceNew: true });
await once(second, "connect");
lines.push(await second.emitWithAck("later", 7));
client.disconnect();
second.disconnect();
await io.close();
// What is told at different places may come in another order: each kind keeps its own.
const kinds = [/^(n|second|uncaught.*sync \d|later)/, /client/, /./];
for (const kind of kinds) for (const line of lines) if (kinds.find((one) => one.test(line)) === kind) console.log(line);
