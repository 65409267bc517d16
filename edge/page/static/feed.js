/**
 * Cards in the order in which things were said, the newest first, under their days. What changes is put in once a
 * frame, and what is looked at stays where it is.
 */

import { putCorrection } from "./correction.js";
import { element } from "./element.js";
import { dayName, dayOf } from "./moments.js";

export class Feed {
  /** `cardOf(key)` makes the card; `onAbove(count)` when new ones came in above what is looked at. */
  constructor(list, { entryOf, cardOf, onAbove = () => {} }) {
    Object.assign(this, { list, entryOf, cardOf, onAbove });
    this.rows = []; // {key, at}, the newest first.
    this.cards = new Map();
    this.changed = new Set();
  }

  get size() {
    return this.rows.length;
  }

  has(key) {
    return this.cards.has(key) || this.changed.has(key);
  }

  /** The entry with this key is new, other than before, or gone: shown with the next frame. */
  change(key, then = () => {}) {
    this.changed.add(key);
    this.thens = [...(this.thens ?? []), then];
    this.frame ??= requestAnimationFrame(() => this.flush());
  }

  flush() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    const anchor = this.#anchor();
    let above = 0;
    for (const key of this.changed) {
      const isNew = this.#show(key);
      if (isNew && anchor && this.#isAbove(key, anchor.key)) above += 1;
    }
    this.changed.clear();
    const thens = this.thens ?? [];
    this.thens = [];
    for (const then of thens) then();
    this.#holdStill(anchor);
    if (above) this.onAbove(above);
  }

  clear() {
    this.rows = [];
    this.cards.clear();
    this.changed.clear();
    this.list.replaceChildren();
  }

  /** Whether it was not there before. */
  #show(key) {
    const entry = this.entryOf(key);
    const before = this.cards.get(key);
    if (!entry) {
      this.#take(key);
      return false;
    }
    const card = this.cardOf(key);
    this.cards.set(key, card);
    if (before) {
      // Its place is what it was, and so is its least height: what is below does not jump up.
      if (!card.matches(".is-gone") && !before.matches(".is-gone") && isInView(before)) card.style.minBlockSize = `${before.getBoundingClientRect().height}px`;
      this.#replace(before, card);
      return false;
    }
    card.classList.toggle("is-fresh", this.changed.size === 1);
    this.#insert({ key, at: entry.card.spoken_at_unix_ms }, card);
    return true;
  }

  /** What the visitor was about in the card goes on in the next: what is typed, what is open, where the focus is. */
  #replace(before, card) {
    const focused = before.contains(document.activeElement) ? document.activeElement : null;
    const correction = before.querySelector(".correction");
    if (correction && card.querySelector(".card-foot")) putCorrection(card, correction);
    if (before.querySelector("details[open]")) card.querySelector("details")?.setAttribute("open", "");
    before.replaceWith(card);
    const same = card.contains(focused) ? focused : focused && card.querySelector(`[data-do="${focused.dataset.do}"]`);
    same?.focus({ preventScroll: true });
  }

  #insert(row, card) {
    let low = 0;
    for (let high = this.rows.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.rows[middle].at > row.at) low = middle + 1;
      else high = middle;
    }
    this.rows.splice(low, 0, row);
    const day_ms = dayOf(row.at);
    const next = this.rows[low + 1];
    if (next && dayOf(next.at) === day_ms) {
      this.cards.get(next.key).before(card);
      return;
    }
    const previous = this.rows[low - 1];
    const day = previous && dayOf(previous.at) === day_ms ? this.cards.get(previous.key).parentNode : makeDay(day_ms);
    day.append(card);
    if (day.isConnected) return;
    if (next) this.cards.get(next.key).parentNode.before(day);
    else this.list.append(day);
  }

  #take(key) {
    const card = this.cards.get(key);
    if (!card) return;
    const day = card.parentNode;
    card.remove();
    if (day && !day.querySelector(".card")) day.remove();
    this.cards.delete(key);
    this.rows = this.rows.filter((row) => row.key !== key);
  }

  #isAbove(key, other) {
    const place = this.rows.findIndex((row) => row.key === key);
    return place >= 0 && place < this.rows.findIndex((row) => row.key === other);
  }

  /** The first card that is looked at, and where it is; null at the top of the page, where what is new may push. */
  #anchor() {
    if (scrollY < 8 || !this.rows.length) return null;
    const box = this.list.getBoundingClientRect();
    const bar = document.querySelector(".bar")?.offsetHeight ?? 0;
    const y = Math.max(bar + 1, box.top + 1);
    const card = document.elementsFromPoint(box.left + box.width / 2, y + 40).find((node) => node.matches?.(".card"));
    return card ? { card, key: card.dataset.utterance, top: card.getBoundingClientRect().top } : null;
  }

  #holdStill(anchor) {
    if (!anchor) return;
    const card = this.cards.get(anchor.key);
    const moved = card ? card.getBoundingClientRect().top - anchor.top : 0;
    if (Math.abs(moved) >= 1) scrollBy({ top: moved, behavior: "instant" });
  }
}

function isInView(node) {
  const { top, bottom } = node.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

function makeDay(day_ms) {
  return element("section", { class: "day" }, element("h3", { class: "day-name", text: dayName(day_ms) }));
}
