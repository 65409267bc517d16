/**
 * What this phone has to tell the board: kept in the browser until the board has taken it. Each has an id that the
 * board knows it by, so that sending it again changes nothing.
 */

import { keep, recall } from "./kept.js";

const KEPT_MAX = 500;
const RETRY_MS_MAX = 60_000;
const TIMEOUT_MS = 10_000;

/** A random id; also on a page without https, where browsers have no randomUUID. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export class Outbox {
  /** `onSent(item)`, `onRefused(item, sentence)`: what became of an item. */
  constructor({ onSent, onRefused }) {
    Object.assign(this, { onSent, onRefused });
    this.items = recall("outbox", []);
    this.tries = 0;
    this.retry_at = 0;
    addEventListener("online", () => this.send());
  }

  /** Takes {id, path, body}; sent no sooner than after `wait_ms`. Beyond 500 the oldest goes. */
  put(item, wait_ms = 0) {
    // Read again: another window of this page may have put something in.
    const items = [...recall("outbox", this.items), { ...item, not_before: Date.now() + wait_ms }];
    this.items = items.slice(-KEPT_MAX);
    keep("outbox", this.items);
    this.#later();
  }

  /** Takes an item back, if it is not sent yet. */
  takeBack(id) {
    this.items = recall("outbox", this.items).filter((item) => item.id !== id);
    keep("outbox", this.items);
  }

  has(id) {
    return this.items.some((item) => item.id === id);
  }

  /** Sends what is due, one after the other. */
  async send() {
    if (this.sending) return;
    this.sending = true;
    try {
      while (this.#next() && (await this.#sendOne(this.#next())));
    } finally {
      this.sending = false;
    }
    this.#later();
  }

  #next() {
    return this.items.find(({ not_before }) => not_before <= Date.now());
  }

  async #sendOne(item) {
    let answer;
    try {
      answer = await post(item.path, item.body);
    } catch {
      return this.#again();
    }
    // Unpaired, over the limit, or the board is in trouble: all of that passes.
    if ([401, 403, 408, 429].includes(answer.status) || answer.status >= 500) return this.#again();
    this.tries = 0;
    this.takeBack(item.id);
    if (answer.ok) this.onSent(item);
    else this.onRefused(item, await sentenceOf(answer));
    return true;
  }

  #again() {
    this.tries += 1;
    const wait_ms = Math.min(RETRY_MS_MAX, 1000 * 2 ** Math.min(this.tries, 8));
    this.retry_at = Date.now() + wait_ms;
    return false;
  }

  /** The board is there: what waited for it goes now. */
  boardIsBack() {
    this.tries = 0;
    this.retry_at = 0;
    this.send();
  }

  #later() {
    clearTimeout(this.timer);
    if (!this.items.length) return;
    const due = Math.max(this.retry_at, Math.min(...this.items.map(({ not_before }) => not_before)));
    this.timer = setTimeout(() => this.send(), Math.max(0, due - Date.now()));
  }
}

/** A JSON request of the page's own. Raises where nobody answers. */
export function post(path, body = {}) {
  return fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
}

/** The sentence of an answer that is none. */
export async function sentenceOf(answer) {
  try {
    return (await answer.json()).sentence ?? answer.statusText;
  } catch {
    return answer.statusText;
  }
}
