"use strict";
// Arguments as JSON and attachments, and back.
//
// JSON is made when an event is emitted: what cannot be sent throws there, and later changes of an object do not matter.

/** How deep arguments may nest, with their array; the library accepts no more. */
const MOST_LEVELS = 128;

/** How many arguments an event may be sent with. */
const MOST_ARGUMENTS = 65_536;

/** How many arguments a listener is called with. They go over the stack, which a peer must not be able to fill. */
const MOST_SPREAD = 4_096;

/** Attachments up to so many bytes are copied; what is larger is handed over at once, so that nobody can change it before. */
const SMALL = 16_384;

/** The attachments of what was encoded last, or null. */
let attachments = null;

/** Arguments as JSON. `attached()` tells its attachments until the next call. */
function encode(args) {
  attachments = null;
  if (args.length > MOST_ARGUMENTS) {
    throw new RangeError(`an event can have ${MOST_ARGUMENTS} arguments, not ${args.length}`);
  }
  if (!hasBinary(args, 1, true)) return JSON.stringify(args);
  const found = [];
  const json = JSON.stringify(extract(args, found));
  attachments = found;
  return json;
}

const attached = () => attachments;

/** Whether there are bytes anywhere in `value`. Throws where it nests too deep, as what refers to itself does. */
function hasBinary(value, level, converts) {
  if (value === null || typeof value !== "object") return false;
  if (isBinary(value)) return true;
  if (level > MOST_LEVELS) {
    throw new RangeError(`arguments can nest ${MOST_LEVELS} levels deep, and cannot contain themselves`);
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (hasBinary(value[i], level + 1, true)) return true;
    }
    return false;
  }
  if (converts && typeof value.toJSON === "function") return hasBinary(value.toJSON(), level, false);
  for (const key of Object.keys(value)) {
    if (hasBinary(value[key], level + 1, true)) return true;
  }
  return false;
}

/** A copy of `value` with placeholders for its bytes, which are added to `found`. */
function extract(value, found, converts = true) {
  if (value === null || typeof value !== "object") return value;
  if (isBinary(value)) {
    found.push(bytes(value));
    return { _placeholder: true, num: found.length - 1 };
  }
  if (Array.isArray(value)) return value.map((element) => extract(element, found));
  if (converts && typeof value.toJSON === "function") return extract(value.toJSON(), found, false);
  if (value._placeholder === true) {
    throw new TypeError("an object with `_placeholder: true` cannot be sent together with binary data");
  }
  const copy = Object.create(null);
  for (const key of Object.keys(value)) {
    if (typeof value[key] !== "function") copy[key] = extract(value[key], found);
  }
  return copy;
}

function isBinary(value) {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return true;
  if (typeof Blob === "function" && value instanceof Blob) {
    throw new TypeError("a Blob or File cannot be sent: send what its arrayBuffer() resolves with");
  }
  return false;
}

function bytes(value) {
  const view = ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.from(value);
  return view.length <= SMALL ? Buffer.from(view) : view;
}

/** Whether attachments must be handed over before anybody can change them. */
const isLarge = (buffers) => buffers.some((buffer) => buffer.length > SMALL);

/** Puts the attachments, which begin at `buffers[first]`, where their placeholders are. */
function restore(value, buffers, first) {
  if (value === null || typeof value !== "object") return value;
  if (value._placeholder === true) return buffers[first + value.num];
  for (const key of Object.keys(value)) {
    const element = value[key];
    if (element !== null && typeof element === "object") value[key] = restore(element, buffers, first);
  }
  return value;
}

module.exports = { MOST_SPREAD, attached, encode, isLarge, restore };
