/**
 * Makes a page cross-origin isolated where its host can't set headers: with it a statically hosted page gets
 * `SharedArrayBuffer`, and so background threads. One script tag, best as the first of the page:
 *
 * ```html
 * <script src="isolation.js"></script>
 * ```
 *
 * The file is two things in one. On the page it registers itself as a service worker and reloads the page once, when that
 * has taken over. In the service worker it passes what pages, frames and workers of the same origin are made of on with
 * `Cross-Origin-Opener-Policy` and `Cross-Origin-Embedder-Policy` added; all else goes past it.
 *
 * Its limits:
 * - It works from `https:` and `localhost` only, and not in private windows of some browsers: there the page stays as it is.
 * - The first visit loads the page twice. A forced reload (Shift) goes past service workers: that one visit is plain.
 * - It covers the folder that it lies in and below: put it beside the topmost page.
 * - Under `require-corp` what the page embeds from other origins needs CORS or `Cross-Origin-Resource-Policy`. Where the engine
 *   knows `credentialless`, `<script src="isolation.js" data-coep="credentialless">` lifts this for what needs no cookies.
 * - `Cross-Origin-Opener-Policy: same-origin` cuts ties with popups of other origins (sign-in windows among them).
 * - A page that is framed by another is isolated only if the outer page is.
 * - A site with a service worker of its own in the same scope keeps that one: there add the two headers in it.
 *
 * To take it off again: `navigator.serviceWorker.getRegistration()` and `unregister()`.
 */

interface WorkerScope {
  readonly location: { readonly href: string; readonly origin: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: string, listener: (event: WorkerEvent) => void): void;
}

interface WorkerEvent {
  readonly request: Request;
  waitUntil(work: Promise<unknown>): void;
  respondWith(response: Promise<Response>): void;
}

/**
 * Set to the time in the tab's session when the page was reloaded, so that a page that stays plain is not reloaded for ever. Each worker has one of
 * its own: Chromium brings back what an isolated page removed when the tab goes on to a page that is not isolated yet.
 */
const RELOADED = "wasmex-isolation-reloaded";
/** After so many milliseconds a worker that has just come up was taken off and came back: the flag is an earlier one's. */
const LEFT_OVER = 60_000;

function serve(scope: WorkerScope): void {
  const embedder = new URL(scope.location.href).searchParams.get("coep") ?? "require-corp";
  scope.addEventListener("install", (event) => event.waitUntil(scope.skipWaiting()));
  scope.addEventListener("activate", (event) => event.waitUntil(scope.clients.claim()));
  scope.addEventListener("fetch", (event) => {
    const { request } = event;
    if (new URL(request.url).origin !== scope.location.origin) return;
    // Nothing but pages and workers has a policy of its own: a response made anew would only lose where it came from.
    if (request.mode !== "navigate" && !request.destination.endsWith("worker")) return;
    // A fetch of this mode would throw here: the browser asks for it when its tools open a cached page.
    if (request.cache === "only-if-cached" && request.mode !== "same-origin") return;
    event.respondWith(
      fetch(request).then((response) => {
        // A redirect of a page is the browser's to follow; what may have no body makes no page.
        if ([0, 204, 205, 304].includes(response.status)) return response;
        // A worker's script has its own address to resolve against: it is asked for again, at that.
        if (response.redirected) return Response.redirect(response.url);
        const headers = new Headers(response.headers);
        headers.set("Cross-Origin-Opener-Policy", "same-origin");
        headers.set("Cross-Origin-Embedder-Policy", embedder);
        headers.set("Cross-Origin-Resource-Policy", "same-origin");
        return new Response(response.body, {
          status: response.status,
          statusText: response.statusText,
          headers,
        });
      }),
    );
  });
}

/** Which script a worker runs: what `data-coep` and versions put behind the address makes no other one of it. */
function scriptOf(url: string | URL): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** Whether this page, or all that ours would cover, is another worker's. */
async function isTaken(own: string): Promise<boolean> {
  const scope = new URL("./", own).href;
  for (const place of [scope, location.href]) {
    const found = await navigator.serviceWorker.getRegistration(place);
    // That of a folder above gives way to ours by itself.
    if (found === undefined || found.scope.length < scope.length) continue;
    const { installing, waiting, active } = found;
    for (const worker of [installing, waiting, active]) {
      if (worker !== null && scriptOf(worker.scriptURL) !== own) return true;
    }
  }
  return false;
}

/** @param isLoadedThrough whether the worker had the page from its start: if that left it plain once, it always will */
function reloadOnce(flag: string, isLoadedThrough: boolean): void {
  try {
    const reloaded = sessionStorage.getItem(flag);
    const isLeftOver = !isLoadedThrough && Date.now() - Number(reloaded) > LEFT_OVER;
    if (reloaded !== null && !isLeftOver) return;
    sessionStorage.setItem(flag, String(Date.now()));
  } catch {
    // Without storage there is no way to tell a second round from the first.
    return;
  }
  location.reload();
}

async function register(script: HTMLScriptElement | undefined): Promise<void> {
  if (script === undefined) return;
  const url = new URL(script.src);
  const own = scriptOf(url);
  const flag = `${RELOADED} ${own}`;
  if (globalThis.crossOriginIsolated) {
    try {
      sessionStorage.removeItem(flag);
    } catch {}
    return;
  }
  if (!globalThis.isSecureContext || !("serviceWorker" in navigator)) return;
  const { serviceWorker } = navigator;
  const isOurs = (): boolean =>
    serviceWorker.controller !== null && scriptOf(serviceWorker.controller.scriptURL) === own;
  const isLoadedThrough = isOurs();
  const embedder = script.dataset["coep"];
  if (embedder !== undefined) url.searchParams.set("coep", embedder);
  try {
    if (await isTaken(own)) return;
    await serviceWorker.register(url);
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (isOurs()) resolve();
      };
      serviceWorker.addEventListener("controllerchange", check);
      // The worker may have claimed the page by now.
      check();
    });
    reloadOnce(flag, isLoadedThrough);
  } catch {
    // Refused: a private window, a policy, a wrong place. The page stays as it was, which capabilities() tells.
  }
}

if (typeof document === "undefined") {
  serve(globalThis as unknown as WorkerScope);
} else {
  const script = document.currentScript;
  void register(script instanceof HTMLScriptElement ? script : undefined);
}
