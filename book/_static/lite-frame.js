/* Runs Python for the page around this document, in a worker, so that the page stays usable. */
(() => {
  "use strict";
  const { home } = document.currentScript.dataset;

  async function work(home) {
    let python, session;
    const say = text => postMessage({ say: text });
    // Loading what the policy forbids may neither succeed nor fail.
    addEventListener("securitypolicyviolation", event =>
      postMessage({ failed: `the browser may not load ${event.blockedURI}` }));
    const begin = async ({ archive, packages, chapter }) => {
      say("Loading Python …");
      const { loadPyodide } = await import(`${home}pyodide.mjs`);
      python = await loadPyodide({ indexURL: home });
      const errors = [];
      // It resolves though a package was not loaded.
      await python.loadPackage(packages, { messageCallback: say, errorCallback: text => errors.push(text) });
      if (errors.length) throw new Error(errors.slice(0, 2).join(" "));
      say("Starting the chapter …");
      python.unpackArchive(archive, "zip", { extractDir: "/descent" });
      session = python.runPython(`
        import sys
        from pathlib import Path
        sys.path.insert(0, "/descent/src")
        from descent.publish.cells import Session
        Session(Path("/descent/notebooks/${chapter}.ipynb"))
      `);
      return session.sources.toJs();
    };
    onmessage = async ({ data }) => {
      try {
        if (data.archive) return postMessage({ done: await begin(data) });
        const outputs = session.run(data.source);
        const plain = outputs.toJs({ dict_converter: Object.fromEntries });
        outputs.destroy();
        postMessage({ done: plain });
      } catch (error) {
        postMessage({ failed: String(error?.message ?? error) });
      }
    };
  }

  const tell = message => parent.postMessage(message, "*");
  const text = `(${work})(${JSON.stringify(home)})`;
  // A page opened from disk may start a module neither from a file nor from a blob.
  const address = location.protocol === "file:"
    ? `data:text/javascript,${encodeURIComponent(text)}`
    : URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const worker = new Worker(address, { type: "module" });
  worker.onerror = event => tell({ failed: event.message || "the worker did not start" });
  worker.onmessage = ({ data }) => tell(data);
  addEventListener("securitypolicyviolation", event =>
    tell({ failed: `the browser may not load ${event.blockedURI}` }));
  addEventListener("message", ({ data, source }) => {
    if (source === parent) worker.postMessage(data);
  });
})();
