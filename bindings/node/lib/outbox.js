"use strict";
// What is to be done, written down: it crosses to the native part in one call, at the end of a batch of events or, outside of
// one, before the loop goes on.
//
// An operation is a line of fields between tabs (src/outbox.rs reads them). The functions here give it up to the last one.

const { attached, isLarge } = require("./payload.js");

/** What crosses at once: so many UTF-16 code units do not wait for others. */
const FULL = 1 << 20;

let text = "";
let attachments = [];
let delayed = false;
let carry = () => {};

/** Sets who carries out what was written down: a function of the text and the attachments. */
function carriedBy(function_) {
  carry = function_;
}

/** Adds an operation without its end. */
function write(operation) {
  text += operation + "\n";
  if (text.length >= FULL) flush();
  else schedule();
}

/** Adds an operation that ends with the payload `json`, whose attachments are those that were encoded last. */
function writePayload(operation, json) {
  const buffers = attached();
  if (buffers === null) {
    text += `${operation}\t0\t${json}\n`;
  } else {
    text += `${operation}\t${buffers.length}\t${json}\n`;
    for (const buffer of buffers) attachments.push(buffer);
    if (isLarge(buffers)) return flush();
  }
  if (text.length >= FULL) flush();
  else schedule();
}

function schedule() {
  if (delayed) return;
  delayed = true;
  process.nextTick(flush);
}

/** Runs `body`, and has what it writes down cross at its end. */
function during(body) {
  if (delayed) flush();
  delayed = true;
  try {
    body();
  } finally {
    flush();
  }
}

/** Has everything cross now. */
function flush() {
  delayed = false;
  if (text === "") return;
  const [operations, buffers] = [text, attachments];
  text = "";
  if (buffers.length > 0) attachments = [];
  carry(operations, buffers.length > 0 ? buffers : undefined);
}

/** A text as a field. */
function field(value) {
  return /[\t\n\\]/.test(value)
    ? value.replace(/[\t\n\\]/g, (char) => (char === "\t" ? "\\t" : char === "\n" ? "\\n" : "\\\\"))
    : value;
}

module.exports = { carriedBy, during, field, flush, write, writePayload };
