/**
 * An address for a worker's code, good for the page's life: revoking it while a worker loads from it fails in some engines. In a sandboxed
 * frame JavaScriptCore loads no worker from a blob.
 */
export function codeUrl(code: string): string {
  return origin === "null"
    ? `data:text/javascript,${encodeURIComponent(code)}`
    : URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
}

/** Whether that is the address of a file, not of code that somebody has in hand. */
export function isFile(url: string): boolean {
  return !/^(blob|data):/.test(url);
}
