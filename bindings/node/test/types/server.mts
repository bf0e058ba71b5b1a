// What a program may write, and what not: `tsc` reads this, nobody runs it.
import { Namespace, Server, Socket, type DisconnectReason } from "socketio-native";

interface ClientToServer {
  text: (text: string) => void;
  ask: (question: string, answer: (text: string, score: number) => void) => void;
}
interface ServerToClient {
  news: (items: string[], attached: Buffer) => void;
  message: (text: string) => void;
  confirm: (id: number, done: (ok: boolean) => void) => void;
}
interface Internal {
  tick: (n: number) => void;
}
interface Data {
  name: string;
}

const io = new Server<ClientToServer, ServerToClient, Internal, Data>(3000, {
  cors: { origin: ["https://example.com"], credentials: true },
  pingInterval: 1000,
  transports: ["websocket"],
});
new Server();
new Server({ path: "/x" });
new Server("127.0.0.1:0");
// @ts-expect-error: no such option
new Server(3000, { adapter: class {} });
// @ts-expect-error: the value has another type
new Server(3000, { pingInterval: "1" });

io.use((socket, next) => {
  socket.data.name = socket.handshake.auth.name;
  const refused: Error & { data?: unknown } = new Error("no");
  refused.data = { code: 1 };
  next(refused);
});
io.on("connection", (socket) => {
  const typed: Socket<ClientToServer, ServerToClient, Internal, Data> = socket;
  const name: string = typed.data.name;
  const rooms: Set<string> = socket.rooms;
  const header: string | undefined = socket.handshake.headers["user-agent"];

  socket.on("text", (text) => text.toUpperCase());
  socket.once("ask", (question, answer) => answer(question, 1));
  socket.on("disconnect", (reason) => {
    const why: DisconnectReason = reason;
    return why;
  });
  // @ts-expect-error: clients send no such event
  socket.on("news", () => {});
  // @ts-expect-error: the argument is a text
  socket.on("text", (text: number) => text);

  socket.emit("news", ["a"], Buffer.alloc(1));
  socket.emit("confirm", 1, (ok) => !ok);
  socket.timeout(100).emit("confirm", 1, (error, ok) => [error.message, !ok]);
  // @ts-expect-error: an argument is missing
  socket.emit("news", ["a"]);
  // @ts-expect-error: the server sends no such event
  socket.emit("text", "a");
  socket.send("text");

  const confirmed: Promise<boolean> = socket.emitWithAck("confirm", 1);
  const soon: Promise<boolean> = socket.timeout(100).emitWithAck("confirm", 1);
  // @ts-expect-error: it is never acknowledged
  socket.emitWithAck("message", "a");

  socket.join(["a", "b"]);
  socket.leave("a");
  socket.to("a").except(["b"]).volatile.emit("message", "hi");
  socket.broadcast.emit("message", "hi");
  // @ts-expect-error: broadcasts are not acknowledged
  socket.to("a").emit("confirm", 1, () => {});
  socket.onAny((event: string, ...args: unknown[]) => [event, args]).offAny();
  socket.use(([event, ...args], next) => (event === "x" ? next(new Error("x")) : next()));
  socket.disconnect(true);
  return [name, rooms, header, confirmed, soon];
});
io.on("tick", (n) => n + 1);
// @ts-expect-error: the main namespace sends no such event
io.emit("tick", 1);
io.emit("message", "all");
io.to("a").emit("news", [], Buffer.alloc(0));

const chat: Namespace<ClientToServer, ServerToClient, Internal, Data> = io.of("/chat", (socket) => socket.id);
chat.on("connection", ({ id, nsp }) => `${nsp.name}#${id}`);
chat.in("a").disconnectSockets(true);
const sockets: Map<string, unknown> = chat.sockets;
const names: Promise<string[]> = io.in("a").fetchSockets().then((all) => all.map(({ data }) => data.name));
const closed: Promise<void> = io.close(() => {});
export { closed, names, sockets };

// Without maps of events everything goes.
const loose = new Server(0);
loose.on("connection", (socket) => {
  socket.on("anything", (a, b, answer) => answer(a + b));
  socket.emit("whatever", 1, "2", { three: [3] }, (answer: unknown) => answer);
  socket.emitWithAck("whatever", 1).then((answer) => answer.anything);
  loose.emit("to all", socket.id);
});
