/**
 * What this page knows of answers: one entry an utterance, whatever order its events come in, each event once.
 * The newest are kept in the browser, so that the page opens with them.
 */

import { keep, recall } from "./kept.js";

const KEPT_MAX = 100;
const KEEP_AFTER_MS = 400;
/** What takes the place of what: a final that of "kept", a better answer that of the final. */
const RANKS = { done: -1, kept: 0, better: 2 };
const rank = (kind) => RANKS[kind] ?? 1;

/**
 * An entry: {key, card, id (of its newest event, 0 before it is on the board's disk), was (transcript before), done (how
 * it went what the board does by itself, a sentence)}.
 */
export class Answers {
  constructor() {
    this.entries = new Map();
    this.history = null;
    this.after = 0;
    /** The number of the oldest event that is known without a hole after it; 0 where none is. */
    this.oldest = 0;
    this.#load();
  }

  #load() {
    const found = recall("answers", null);
    if (found?.version !== 1) return;
    this.history = found.history;
    this.after = found.after;
    for (const entry of found.entries) this.entries.set(entry.key, entry);
    this.oldest = found.oldest ?? found.entries.at(-1)?.id ?? 0;
  }

  /**
   * Takes an event; `id` is its number, 0 where it has none yet. Says what it was: "new", "replaced" (what was
   * shown of this utterance), or null: known, or older than what is shown.
   */
  add(card, id) {
    const key = card.utterance_id;
    const entry = this.entries.get(key);
    if (id) this.#keepSoon();
    if (!entry) {
      this.entries.set(key, { key, card, id, was: null, done: card.kind === "done" ? card.sentence : null });
      return "new";
    }
    entry.id = Math.max(entry.id, id);
    if (card.kind === "done") {
      if (entry.done === card.sentence) return null;
      entry.done = card.sentence;
      return "replaced";
    }
    if (rank(card.kind) <= rank(entry.card.kind)) {
      if (entry.card.kind === "better" && !entry.was) entry.was = differs(card, entry.card);
      return null;
    }
    if (card.kind === "better") entry.was = differs(entry.card, card);
    entry.card = card;
    return "replaced";
  }

  /** Reckons with an event of the stream: it need not be asked for again. */
  seen(id) {
    this.after = Math.max(this.after, id);
    this.reaches(id);
  }

  /** Nothing is missing from this event on. */
  reaches(id) {
    this.oldest = Math.min(this.oldest || id, id);
  }

  forget(key) {
    this.entries.delete(key);
    this.#keepSoon();
  }

  #keepSoon() {
    this.timer ??= setTimeout(() => this.keepNow(), KEEP_AFTER_MS);
  }

  keepNow() {
    clearTimeout(this.timer);
    this.timer = null;
    const numbered = [...this.entries.values()].filter((entry) => entry.id);
    numbered.sort((a, b) => b.id - a.id);
    for (let count = KEPT_MAX; count > 0; count = count >> 1) {
      const entries = numbered.slice(0, count);
      const oldest = entries.length < numbered.length ? Math.max(this.oldest, entries.at(-1).id) : this.oldest;
      const kept = { version: 1, history: this.history, after: this.after, oldest, entries };
      if (keep("answers", kept)) return;
    }
  }
}

function differs(before, card) {
  return before.transcript && before.transcript !== card.transcript ? before.transcript : null;
}
