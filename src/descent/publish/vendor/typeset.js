// Reads formulas from standard input, one a line as JSON, and answers each with a line.
"use strict";
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { createInterface } = require("node:readline");
const { runInThisContext } = require("node:vm");

runInThisContext(readFileSync(join(__dirname, "temml.min.js"), "utf8"));

function typeset({ tex, display }) {
  try {
    // A formula in a sentence may break after its relations and operators.
    const options = { displayMode: display, throwOnError: true, wrap: display ? "none" : "tex" };
    return { mathml: temml.renderToString(tex, options) };
  } catch (error) {
    return { error: error.message };
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(`${JSON.stringify(typeset(JSON.parse(line)))}\n`);
});
