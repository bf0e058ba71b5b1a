import io from "./client.js";

export const { Manager, Socket, connect, protocol } = io;
export { io, io as default };
