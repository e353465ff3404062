// Fails when a wasm file imports from `env`: that is a C library or a system call nobody provides
// in a page, and the page would learn it only when loading.
import { readFileSync } from "node:fs";

for (const file of process.argv.slice(2)) {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(file)));
  const foreign = imports.filter((one) => one.module === "env").map((one) => one.name);
  if (foreign.length > 0) {
    console.error(`${file} imports from env: ${foreign.join(", ")}`);
    process.exitCode = 1;
  }
}
