/** Older answers, and the search: what is asked of the board page by page, with a word for every wait. */

import { byId, put } from "./element.js";
import { Feed } from "./feed.js";
import { say } from "./words.js";

const PAGE = 50;
const TYPED_MS = 250;
const TIMEOUT_MS = 10_000;
const AHEAD_PX = 600;

async function ask(query) {
  const answer = await fetch(`/answers?${new URLSearchParams(query)}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.json();
}

/** The newest answers that the board has, as many as it gives at once. */
export async function newest(count) {
  return (await ask({ limit: count })).answers;
}

/** Takes what the board sends in: `take(answers)` gives back their keys. */
export class Older {
  constructor({ answers, take, feed }) {
    Object.assign(this, { answers, take, feed });
    this.button = byId("older");
    this.note = byId("older-note");
    this.place = byId("older-place");
    this.button.addEventListener("click", () => this.fetch());
    this.observer = new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting) && !this.failed) this.fetch();
    }, { rootMargin: `${AHEAD_PX}px` });
    this.observer.observe(this.place);
  }

  /** There may be more than what is shown, as far as is known. */
  begin() {
    this.failed = false;
    this.all = false;
    this.ready = true;
    this.#show();
  }

  async fetch() {
    const before = this.answers.oldest;
    if (this.busy || !this.ready || this.all || !before) return;
    this.busy = true;
    this.failed = false;
    this.#show();
    try {
      const { answers, more } = await ask({ before, limit: PAGE });
      this.take(answers);
      this.feed.flush();
      this.all = !more || !answers.length;
    } catch {
      this.failed = true;
    }
    this.busy = false;
    this.#show();
    // Whoever looks at the end of it wants more: it tells of changes alone, unless it begins anew.
    this.observer.unobserve(this.place);
    this.observer.observe(this.place);
  }

  #show() {
    const board = this.board ?? "";
    const none = !this.feed.size && !this.answers.entries.size;
    this.button.hidden = !this.ready || this.all || this.busy || none;
    this.button.textContent = say(this.failed ? "answers.again" : "answers.older");
    const text = this.busy ? "answers.loading" : this.failed ? "answers.failed" : this.all && !none ? "answers.all" : null;
    put(this.note, text && say(text, { board }));
  }
}

/** The search: what is found has a list of its own, in place of the other. */
export class Search {
  constructor({ answers, take, cardOf }) {
    Object.assign(this, { answers, take });
    this.field = byId("search");
    this.clear = byId("search-clear");
    this.note = byId("search-note");
    this.more = byId("search-more");
    this.main = byId("all");
    this.found = byId("found");
    this.feed = new Feed(this.found, { entryOf: (key) => answers.entries.get(key), cardOf });
    this.field.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.search(), TYPED_MS);
    });
    this.field.addEventListener("keydown", (event) => event.key === "Escape" && this.end());
    this.clear.addEventListener("click", () => this.end());
    this.more.addEventListener("click", () => this.#fetch());
  }

  get words() {
    return this.field.value.trim();
  }

  end() {
    this.field.value = "";
    this.search();
    this.field.focus();
  }

  search() {
    this.clear.hidden = !this.field.value;
    this.found.hidden = !this.words;
    this.main.hidden = Boolean(this.words);
    this.more.hidden = true;
    this.feed.clear();
    this.before = null;
    put(this.note, "");
    if (this.words) this.#fetch();
  }

  async #fetch() {
    const words = this.words;
    put(this.note, say("search.busy"));
    this.more.hidden = true;
    try {
      const query = { search: words, limit: PAGE, ...(this.before && { before: this.before }) };
      const { answers, more } = await ask(query);
      if (words !== this.words) return;
      this.before = Math.min(...answers.map(({ id }) => id));
      // What other boards were answered, the page has all of: the board has none of it.
      this.#put([...this.take(answers), ...this.#here(words, ({ board }) => board)]);
      this.more.hidden = !more;
      const n = this.feed.size;
      put(this.note, say(n ? (more ? "search.more" : "search.found") : "search.none", { n, words }));
    } catch {
      if (words !== this.words) return;
      const keys = this.#here(words);
      this.#put(keys);
      put(this.note, say("search.here", { n: keys.length, words }));
    }
  }

  /** Keys of what this page knows with all of the words, of those cards that are meant. */
  #here(words, isMeant = () => true) {
    return [...this.answers.entries.values()].filter(({ card }) => isMeant(card) && holds(card, words)).map(({ key }) => key);
  }

  #put(keys) {
    for (const key of keys) this.feed.change(key);
    this.feed.flush();
  }
}

/** Whether all of the words are in a card. */
function holds({ transcript, response, results }, words) {
  const text = [transcript, response, ...(results ?? []).map(({ title }) => title)].join(" ").toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}
