"use strict";
// The request that a socket came from, in the official shape.

const querystring = require("node:querystring");

/** What Node keeps the first value of. */
const SINGLE = new Set([
  "age",
  "authorization",
  "content-length",
  "content-type",
  "etag",
  "expires",
  "from",
  "host",
  "if-modified-since",
  "if-unmodified-since",
  "last-modified",
  "location",
  "max-forwards",
  "proxy-authorization",
  "referer",
  "retry-after",
  "server",
  "user-agent",
]);

/** `socket.handshake`, of what the native part tells of the request. */
function handshake({ url, address, secure, issued, auth, headers: list }) {
  const headers = toHeaders(list);
  const query = url.indexOf("?");
  return {
    headers,
    time: String(new Date(issued)),
    address,
    xdomain: Boolean(headers.origin),
    secure,
    issued,
    url,
    query: query < 0 ? {} : querystring.parse(url.slice(query + 1)),
    auth,
  };
}

/** Names and values in turn, as an object like that of Node's requests. */
function toHeaders(list) {
  const headers = {};
  for (let i = 0; i < list.length; i += 2) {
    const [name, value] = [list[i].toLowerCase(), list[i + 1]];
    const before = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (name === "set-cookie") headers[name] = [...(before ?? []), value];
    else if (before === undefined) define(headers, name, value);
    else if (!SINGLE.has(name)) headers[name] = `${before}${name === "cookie" ? "; " : ", "}${value}`;
  }
  return headers;
}

/** Also for a header that is called __proto__. */
function define(object, name, value) {
  Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
}

module.exports = { handshake };
