/**
 * The board's events. It comes back by itself and asks for what it has missed: `after` is the last number that was
 * seen. States: "connecting", "open", "lost" (with the time of the next try), "unpaired".
 */

const SILENT_MS = 25_000; // The board tells its state every 10 s: who hears nothing for longer hears nobody.
const RETRY_MS_MAX = 30_000;
const FIRST_ANSWERS = 50;
const EVENTS = ["hello", "state", "level", "partial", "answer", "others", "timing", "forgotten"];

export class Stream {
  /**
   * `onEvent(name, data, id)`; `onState(state, next_try_at, sentence)`: a Date.now(), and why, as the board says it;
   * `after()` says the last number seen; `others()` which answers of other boards, as {history, number}.
   */
  constructor({ onEvent, onState, after, others }) {
    Object.assign(this, { onEvent, onState, after, others });
    this.retry_ms = 500;
    this.tries = 0;
    this.state = null;
    addEventListener("online", () => this.connect());
    addEventListener("offline", () => this.#lost());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.#isSilent()) this.connect();
    });
    setInterval(() => {
      if (this.state === "open" && this.#isSilent()) this.#lost();
    }, 5000);
  }

  connect() {
    this.close();
    this.#tell("connecting");
    const after = this.after();
    const { history, number } = this.others();
    const query = new URLSearchParams(after ? { after } : { last: FIRST_ANSWERS });
    if (history) query.set("others", `${history}.${number}`);
    const source = new EventSource(`/events?${query}`);
    this.source = source;
    let numbered = 0;
    this.heard_at = Date.now();
    // The browser's own way of coming back would ask with an old address, and never says when.
    source.onerror = () => this.#lost();
    for (const name of EVENTS) {
      source.addEventListener(name, (event) => {
        if (source !== this.source) return;
        this.heard_at = Date.now();
        const data = JSON.parse(event.data);
        if (name === "hello") this.#opened(data);
        // A browser says the number of the last event that had one, whether this one has or not.
        const last = Number(event.lastEventId) || 0;
        this.onEvent(name, data, last > numbered ? last : 0);
        numbered = Math.max(numbered, last);
      });
    }
    this.timer = setTimeout(() => this.state === "connecting" && this.#lost(), 10_000);
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  #opened(hello) {
    clearTimeout(this.timer);
    this.tries = 0;
    this.retry_ms = hello.retry_ms || this.retry_ms;
    this.#tell("open");
  }

  #isSilent() {
    return !this.source || Date.now() - this.heard_at > SILENT_MS;
  }

  async #lost() {
    const mine = this.source;
    this.close();
    const wait_ms = Math.min(RETRY_MS_MAX, this.retry_ms * 2 ** this.tries) * (0.8 + 0.4 * Math.random());
    this.tries += 1;
    this.timer = setTimeout(() => this.connect(), wait_ms);
    const next_try_at = Date.now() + wait_ms;
    this.#tell("lost", next_try_at);
    const { isUnpaired, sentence } = mine ? await refusal() : {};
    if (isUnpaired) {
      this.close();
      this.#tell("unpaired");
    } else if (sentence && this.state === "lost") this.#tell("lost", next_try_at, sentence);
  }

  #tell(state, next_try_at = null, sentence = null) {
    this.state = state;
    this.onState(state, next_try_at, sentence);
  }
}

/** An EventSource does not say why it was refused: asked once more, by a request that does. */
async function refusal() {
  try {
    const answer = await fetch("/answers?limit=1", { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (answer.ok) return {};
    const sentence = await answer.json().then((told) => told.sentence, () => null);
    return { isUnpaired: [401, 403].includes(answer.status), sentence };
  } catch {
    return {};
  }
}
