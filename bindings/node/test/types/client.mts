// What a program may write, and what not: `tsc` reads this, nobody runs it.
import { io, connect, Manager, Socket, protocol } from "socketio-native/client";
import lookup from "socketio-native/client";

interface ServerToClient {
  news: (items: string[]) => void;
}
interface ClientToServer {
  text: (text: string) => void;
  ask: (question: string, answer: (text: string) => void) => void;
}

const socket: Socket<ServerToClient, ClientToServer> = io("http://localhost:3000", {
  auth: (tell) => tell({ token: "t" }),
  reconnectionDelay: 10,
  transports: ["websocket"],
  extraHeaders: { "x-a": "b" },
});
socket.on("connect", () => socket.id?.length);
socket.on("connect_error", (error) => [error.message, error.data]);
socket.on("disconnect", (reason) => reason === "io server disconnect");
socket.on("news", (items) => items.length);
socket.off("news").off();
// @ts-expect-error: the server sends no such event
socket.on("text", () => {});
socket.emit("text", "a").emit("ask", "b", (text) => text.length);
socket.timeout(10).emit("ask", "b", (error, text) => [error.message, text.length]);
// @ts-expect-error: the argument is a text
socket.emit("text", 1);
const answer: Promise<string> = socket.emitWithAck("ask", "b");
const soon: Promise<string> = socket.timeout(10).emitWithAck("ask", "b");
socket.auth = { token: "other" };
socket.volatile.emit("text", "a");
socket.disconnect().connect();
const active: boolean = socket.active;

const manager = new Manager("http://localhost:3000", { autoConnect: false });
manager.reconnectionAttempts(3).on("reconnect_attempt", (attempt) => attempt + 1);
manager.on("error", (error) => error.message);
const limit: number | false = manager.timeout();
manager.open((error) => error?.message);
const other: Socket = manager.socket("/other", { auth: { token: "t" } });
other.emit("anything", 1, Buffer.alloc(1), (a: unknown) => a);
// @ts-expect-error: no such option
connect("http://localhost:3000", { agent: 1 });
const version: number = protocol;
export { active, answer, limit, lookup, soon, version };
