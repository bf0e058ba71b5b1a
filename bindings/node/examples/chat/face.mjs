// The picture that members of the chat send each other: a face of 16 by 16 pixels, the one of ffi/examples/chat/member.c.
export const CAPTION = "a smiling face";
export const FACE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQAQMAAAAlPW0iAAAABlBMVEX/3VU8KAC8OeQlAAAAK0lEQVR42mNgYGDg/8AgwMGgwMLglgRCDkwg5CHE4KLE4HwIJA6UBaoBAwCX/wYQKiF5wQAAAABJRU5ErkJggg==",
  "base64",
);
