// Prints what node's dotenv reads of each file, as one JSON list. Started in the folder that has the package.
const { readFileSync } = require("fs");
const { createRequire } = require("module");
const { parse } = createRequire(process.cwd() + "/")("dotenv");

console.log(JSON.stringify(process.argv.slice(2).map((path) => parse(readFileSync(path, "utf8")))));
