// The chat's server. ffi/examples/chat/server.h says what the chat is.
//
//   node chat_server.mjs [PORT]
//
// PORT is 3000 by default, 0 is any that is free. Ctrl-C ends it.
import { Server } from "socketio-native";

const port = Number(process.argv[2] ?? 3000);
const io = new Server({ cors: { origin: "*" } });
/** How many are in each room. */
const present = new Map();

io.on("connection", (socket) => {
  /** To the others in the room that the socket has joined. */
  const others = () => socket.to(socket.data.room);

  function change(room, by) {
    const count = (present.get(room) ?? 0) + by;
    if (count > 0) present.set(room, count);
    else present.delete(room);
    return count;
  }

  socket.on("join", (room, name, ack) => {
    if (socket.data.name === undefined) {
      Object.assign(socket.data, { room, name });
      socket.join(room);
      others().emit("joined", name, change(room, +1));
    }
    ack?.(present.get(socket.data.room));
  });

  socket.on("message", (text, ack) => {
    if (socket.data.name === undefined) return;
    others().emit("message", socket.data.name, text);
    ack?.("sent");
  });

  socket.on("picture", (caption, bytes, ack) => {
    if (socket.data.name === undefined) return;
    others().emit("picture", socket.data.name, caption, bytes);
    ack?.("sent");
  });

  socket.on("disconnecting", () => {
    if (socket.data.name === undefined) return;
    others().emit("left", socket.data.name, change(socket.data.room, -1));
  });
});

io.listen(`127.0.0.1:${port}`); // it listens when this returns
console.log(`listening on http://127.0.0.1:${io.address().port}`);

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => io.close());
