// The worker's script: `new Worker("file-worker-start.js", { type: "module" })`.
import init from "./file-worker.js";

init();
