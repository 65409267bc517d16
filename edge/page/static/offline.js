/** Runs beside the page: gives the browser the page's kept parts where the board does not answer in time. */

const STORE = "parrotlet-page";
const PATIENCE_MS = 4000;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const { pathname } = new URL(event.request.url);
  const isPart = event.request.method === "GET" && (pathname === "/" || pathname.startsWith("/static/"));
  if (isPart) event.respondWith(fromBoard(event.request, pathname));
});

/** The board's own always comes first: an update is seen at once. */
async function fromBoard(request, pathname) {
  const kept = await caches.match(pathname, { cacheName: STORE });
  if (!kept) return fetch(request);
  let timer;
  const late = new Promise((settle) => {
    timer = setTimeout(() => settle(kept), PATIENCE_MS);
  });
  const asked = fetch(request).catch(() => kept);
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}
