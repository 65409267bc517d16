/** Where the time of an utterance goes: what the board tells of it, and what this page measures. For ?debug. */

import { byId, element } from "./element.js";
import { say } from "./words.js";

const SHOWN_MAX = 8;
const PARTS = ["capture", "network", "endpoint", "decode", "paint"];
const ASK_MS = 5000;

export class Budget {
  constructor({ captureMs }) {
    this.captureMs = captureMs;
    this.utterances = new Map();
    this.isShown = false;
    this.network_ms = null;
  }

  show(isShown) {
    this.isShown = isShown;
    byId("budget").hidden = !isShown;
    clearInterval(this.timer);
    if (!isShown) return;
    this.#askNetwork();
    this.timer = setInterval(() => this.#askNetwork(), ASK_MS);
    this.#draw();
  }

  /** What the board tells of an utterance, in milliseconds. */
  timing({ utterance_id: key, by, ...times }) {
    const known = this.#of(key);
    Object.assign(known.times, times);
    known.by = by ?? known.by;
    this.#draw();
  }

  /** When its final was painted after it had come. */
  painted(key, paint_ms) {
    this.#of(key).paint_ms = paint_ms;
    this.#draw();
  }

  #of(key) {
    if (!this.utterances.has(key)) this.utterances.set(key, { key, times: {} });
    while (this.utterances.size > SHOWN_MAX) this.utterances.delete(this.utterances.keys().next().value);
    return this.utterances.get(key) ?? { key, times: {} };
  }

  /** Half of a round trip, with the smallest thing that the board serves. */
  async #askNetwork() {
    const began = performance.now();
    try {
      await fetch("/static/icon.svg", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(ASK_MS) });
      this.network_ms = (performance.now() - began) / 2;
    } catch {
      this.network_ms = null;
    }
    this.#draw();
  }

  #parts({ times, by, paint_ms }) {
    return {
      capture: by === "board" ? null : this.captureMs(),
      network: this.network_ms,
      endpoint: times.last_sound_to_endpoint ?? null,
      decode: times.endpoint_to_final ?? null,
      paint: paint_ms ?? null,
    };
  }

  #draw() {
    if (!this.isShown) return;
    const rows = [...this.utterances.values()].reverse();
    if (!rows.length) {
      byId("budget-rows").replaceChildren(element("p", { class: "note", text: say("budget.none") }));
      return;
    }
    const parts = rows.map((row) => this.#parts(row));
    const longest = Math.max(1, ...parts.map((row) => PARTS.reduce((sum, name) => sum + (row[name] ?? 0), 0)));
    const head = element("tr", {}, ...["utterance", ...PARTS].map((name) => element("th", { scope: "col", text: say(`budget.${name}`) })));
    const body = parts.map((row, i) => element("tr", {}, element("td", { text: rows[i].key.slice(-6) }), ...PARTS.map((name) => cell(row[name], longest))));
    const all = Object.entries(rows[0].times).map(([name, value]) =>
      element("div", {}, element("dt", { text: name.replaceAll("_", " ") }), element("dd", { text: inMs(value) })),
    );
    byId("budget-rows").replaceChildren(
      element("div", { class: "budget-scroll", tabindex: "0", role: "region", "aria-labelledby": "budget-title" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...body))),
      element("details", {}, element("summary", { text: say("budget.more") }), element("dl", {}, ...all)),
    );
  }
}

function cell(value, longest) {
  const made = element("td", { class: "budget-time" }, element("span", { text: inMs(value) }), element("i", { class: "budget-bar" }));
  made.lastChild.style.inlineSize = `${Math.max(0, ((value ?? 0) / longest) * 100)}%`;
  return made;
}

const inMs = (value) => (typeof value === "number" ? say("budget.ms", { n: value < 10 ? value.toFixed(1) : Math.round(value) }) : "–");
