// Clients that are disconnected while they try to connect: nothing of them may keep the process up.
import { Server } from "socketio-native";
import { io as connect } from "socketio-native/client";

const io = new Server(0);
const { port } = io.address();
await io.close();
for (let i = 0; i < 200; i++) {
  const options = { transports: ["websocket"], reconnectionDelay: 1, reconnectionDelayMax: 3, forceNew: true };
  const socket = connect(`http://127.0.0.1:${port}`, options);
  const name = ["reconnect_attempt", "error", "reconnect_error"][i % 3];
  await new Promise((resolve) => socket.io.once(name, resolve));
  socket.disconnect();
}
console.log("all gave up");
