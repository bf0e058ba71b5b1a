"use strict";
// io(url, options): a socket, over a connection that is shared where it can be.

const { Manager } = require("./manager.js");

/** Managers by server and path. */
const shared = new Map();

function lookup(uri, options) {
  if (uri !== null && typeof uri === "object" && !(uri instanceof URL)) [uri, options] = [undefined, uri];
  options = options ?? {};
  if (uri === undefined || uri === null) throw new Error("io() needs the URL of a server: there is no page that has one");
  const { origin, nsp, query } = parse(uri);
  if (query !== undefined && options.query === undefined) options.query = query;
  const key = `${origin}${options.path ?? "/socket.io"}`;
  const isOwn = options.forceNew || options["force new connection"] || options.multiplex === false;
  let manager = shared.get(key);
  if (isOwn || manager?._has(nsp)) {
    manager = new Manager(origin, options);
  } else if (manager === undefined) {
    manager = new Manager(origin, options);
    shared.set(key, manager);
  }
  return manager.socket(nsp, options);
}

/** The server, the namespace and the query of a URL. */
function parse(uri) {
  const text = String(uri);
  const url = new URL(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
  const port = url.port || (/^(https|wss):$/.test(url.protocol) ? "443" : "80");
  const query = url.search === "" ? undefined : Object.fromEntries(url.searchParams);
  return { origin: `${url.protocol}//${url.hostname}:${port}`, nsp: decodeURI(url.pathname), query };
}

module.exports = { lookup };
