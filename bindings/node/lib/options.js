"use strict";
// Options as the JSON that the library reads. It refuses by name what it does not support; what JSON cannot carry is refused here.

function optionsJson(options) {
  return JSON.stringify(options, (name, value) => {
    if (typeof value === "function" || value instanceof RegExp) {
      throw new Error(`option ${name} as a ${typeof value === "function" ? "function" : "pattern"} is not supported yet`);
    }
    return value;
  });
}

module.exports = { optionsJson };
