/** The page itself, kept so that it opens while the board is away. Browsers do that only with a certificate they trust. */

const STORE = "parrotlet-page";

/** Called when a paired page is known to be whole: keeps its parts, once for a version of the board. */
export async function keepPage(version) {
  try {
    if (await caches.match(`/?${version}`, { cacheName: STORE })) return;
    await navigator.serviceWorker.register("/static/offline.js", { scope: "/" });
    const parts = performance.getEntriesByType("resource").map(({ name }) => new URL(name));
    const paths = parts.filter(({ origin, pathname }) => origin === location.origin && pathname.startsWith("/static/"));
    const store = await caches.open(STORE);
    await store.addAll(["/", ...new Set([...paths.map(({ pathname }) => pathname), "/static/worklet.js"])]);
    await store.put(`/?${version}`, new Response());
  } catch {
    // Not trusted, or no room: then it opens when the board is there.
  }
}

export async function dropPage() {
  try {
    await caches.delete(STORE);
  } catch {
    // There was none.
  }
}
