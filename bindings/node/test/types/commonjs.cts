// The same with require: what is exported is the official packages' function with members.
import makeServer = require("socketio-native");
import io = require("socketio-native/client");

const server: makeServer.Server = makeServer(3000);
const { Server, Namespace } = makeServer;
const other: makeServer.Server = new Server(0);
const socket: io.Socket = io("http://localhost:3000");
const same: io.Socket = io.io("http://localhost:3000");
const manager: io.Manager = new io.Manager("http://localhost:3000");
export { Namespace, manager, other, same, server, socket };
