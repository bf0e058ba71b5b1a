// Opens and closes what the arguments say, and ends when nothing is open: open.mjs [serve] [connect] [exit]
import { Server } from "socketio-native";
import { io as connect } from "socketio-native/client";

const does = (word) => process.argv.includes(word);
const io = new Server(0);
const url = `http://127.0.0.1:${io.address().port}`;
io.on("connection", (socket) => socket.on("x", (x) => socket.emit("x", x)));
const client = connect(url, { transports: ["websocket"] });
client.on("x", (x) => client.emit("x", x + 1));
await new Promise((resolve) => client.once("connect", resolve));
client.emit("x", 0);
await new Promise((resolve) => client.once("x", resolve));
if (does("exit")) process.exit(7);
if (does("throw")) throw new Error("at the end");
client.disconnect();
await io.close();
console.log("nothing is open");
