/** When what came was on the screen, as performance entries: `partial-painted`, `final-painted`, … */

const KEPT_MAX = 500;
let written = 0;

/**
 * Measures from `since` (performance.now() when it came) to the first frame after this call. The entry has the
 * utterance's id and what else is given in its detail. A page in the background paints nothing and measures nothing.
 */
export function painted(name, since, detail, then = () => {}) {
  if (document.hidden) return;
  requestAnimationFrame(() => {
    // The frame is drawn after its callbacks; a message is handled after that.
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      written += 1;
      if (written % KEPT_MAX === 0) performance.clearMeasures();
      const entry = performance.measure(name, { start: since, end: performance.now(), detail });
      then(entry.duration);
    };
    channel.port2.postMessage(null);
  });
}
