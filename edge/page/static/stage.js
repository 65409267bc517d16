/** The live part: what the board does, what it hears, the words as they are spoken, and what may be said. */

import { byId, element, icon, put } from "./element.js";
import { Meter } from "./meter.js";
import { duration } from "./moments.js";
import { painted } from "./paint.js";
import { say } from "./words.js";

const LONG_MS = 10_000;
/** Words that nothing follows are over: their answer may have gone another way. */
const PARTIAL_MS_MAX = 20_000;
const PARTIAL_MS_MAX_IDLE = 3000;
const GLOW_MS = 45_000;
const PHONE_MS = 1000;

export class Stage {
  constructor({ onDo, onTry }) {
    this.meter = new Meter(byId("meter"));
    this.onDo = onDo;
    this.board = "";
    this.connection = { state: "connecting", next_try_at: null };
    this.can = new Set();
    this.told = null; // The board's last state.
    this.partial = null;
    this.phone_heard_at = 0;
    byId("try").addEventListener("click", onTry);
    for (const name of ["mute", "unmute", "press"]) byId(name).addEventListener("click", () => onDo(name));
    setInterval(() => this.#tick(), 1000);
  }

  hello({ board, examples, can }) {
    this.board = board;
    this.can = new Set(can);
    document.title = say("page.title", { board });
    byId("board").textContent = board;
    byId("examples").replaceChildren(...(examples ?? []).map((text) => element("li", { dir: "auto", text })));
    byId("examples-part").hidden = !examples?.length;
    this.show();
  }

  connected(state, next_try_at, sentence) {
    this.connection = { state, next_try_at, sentence };
    if (state !== "open") this.clearPartial();
    this.show();
  }

  state(told) {
    if (told.doing !== this.told?.doing) this.doing_since = Date.now();
    this.told = told;
    this.timers_at = Date.now();
    this.show();
  }

  /** Of one ear at a time: while a phone speaks, the board hears the same room. */
  level({ dbfs, speech, by }) {
    if (by !== "board") this.phone_heard_at = Date.now();
    else if (Date.now() - this.phone_heard_at < PHONE_MS) return;
    this.meter.push(dbfs, speech);
  }

  /** Words while they are spoken: what will stay is firm, the tail may change. */
  hear(partial, since) {
    this.partial = { ...partial, at: Date.now() };
    this.glow = null;
    byId("partial-stable").textContent = partial.stable ? `${partial.stable} ` : "";
    byId("partial-unstable").textContent = partial.unstable ?? "";
    byId("partial").classList.toggle("is-empty", !partial.stable && !partial.unstable);
    if (partial.stable || partial.unstable) {
      painted("partial-painted", since, { utterance_id: partial.utterance_id, text: `${partial.stable} ${partial.unstable}`.trim() });
    }
    this.show();
  }

  /** The answer is there: its words go, and where there is room it stays to be read from afar. */
  answered(card) {
    if (!this.partial || this.partial.utterance_id === card.utterance_id) this.clearPartial();
    if (card.kind === "done" && this.glow?.key === card.utterance_id) this.glow.says = card.sentence || this.glow.says;
    if (card.kind === "kept" || !card.transcript || Date.now() - card.at_unix_ms > GLOW_MS) return;
    const says = card.response || card.results?.[0]?.title || card.sentence || "";
    this.glow = { key: card.utterance_id, at: Date.now(), said: card.transcript, says };
    this.show();
  }

  forget(key) {
    if (!key || this.glow?.key === key) this.glow = null;
    if (!key || this.partial?.utterance_id === key) this.clearPartial();
    this.show();
  }

  clearPartial() {
    this.partial = null;
    byId("partial-stable").textContent = "";
    byId("partial-unstable").textContent = "";
    this.show();
  }

  #expirePartial() {
    const isBusy = ["listening", "thinking"].includes(this.told?.doing);
    const ms_max = isBusy ? PARTIAL_MS_MAX : PARTIAL_MS_MAX_IDLE;
    if (this.partial && Date.now() - this.partial.at > ms_max) this.clearPartial();
  }

  #tick() {
    this.#expirePartial();
    if (this.glow && Date.now() - this.glow.at > GLOW_MS) this.glow = null;
    this.show();
  }

  /** Everything that depends on the state, in one place. */
  show() {
    const open = this.connection.state === "open" && this.told;
    const doing = open ? this.told.doing : this.connection.state === "lost" ? "lost" : "connecting";
    const hears = Boolean(this.partial);
    const { line, why } = open ? this.#boardTold(doing) : this.#connectionTold(doing);
    document.body.dataset.doing = hears && doing === "idle" ? "listening" : doing;
    byId("state").textContent = hears && doing !== "thinking" ? say("state.listening") : line;
    put(byId("state-why"), hears ? "" : why);
    byId("bar-state").textContent = say(`state.word.${hears && doing === "idle" ? "listening" : doing}`);
    put(byId("waiting"), open && this.told.waiting ? say("state.waiting", { n: this.told.waiting }) : "");
    byId("partial").hidden = !hears;
    byId("meter").hidden = !open || doing === "muted" || doing === "error";
    byId("try").hidden = doing !== "lost";
    const may = (name) => open && this.can.has(name);
    byId("mute").hidden = !may("mute") || doing === "muted";
    byId("unmute").hidden = !may("unmute") || doing !== "muted";
    byId("press").hidden = !may("press") || !["idle", "offline"].includes(doing) || this.told.activation === "always";
    this.#showGlow(hears || !open);
    this.#showTimers(open ? this.told.timers : null);
  }

  #boardTold(doing) {
    const { activation, phrase, muted_by: by, sentence } = this.told;
    const values = { board: this.board, phrase: phrase ?? "", by: by ?? "" };
    if (doing === "idle") {
      // Who has no board has no microphone but the phone's.
      const how = activation === "wake" && !phrase ? "button" : (activation ?? "phone");
      // On the first visit the page explains itself.
      const isFirst = activation === "always" && document.body.classList.contains("is-first");
      return { line: say(`state.idle.${how}`, values), why: sentence || say(isFirst ? "first.sentence" : `state.idle.${how}.why`, values) };
    }
    const line = say(`state.${doing}`, values);
    if (doing === "muted") return { line, why: say(by ? "state.muted.by" : "state.muted.why", values) };
    if (doing === "thinking") return { line, why: Date.now() - this.doing_since > LONG_MS ? say("state.thinking.long") : "" };
    if (doing === "offline" || doing === "error") return { line, why: sentence || say(`state.${doing}.why`, values) };
    return { line, why: sentence ?? "" };
  }

  #connectionTold(doing) {
    const values = { board: this.board || say("state.unnamed") };
    if (doing === "connecting") return { line: say("state.connecting", values), why: say("state.connecting.why") };
    const network = navigator.onLine ? "" : ".network";
    const n = Math.ceil((this.connection.next_try_at - Date.now()) / 1000);
    const again = n > 0 ? say("state.lost.again", { n }) : say("state.lost.trying");
    // It answers, and says itself why it does not let this phone look on.
    const { sentence } = this.connection;
    if (sentence) return { line: say("state.refused", values), why: `${sentence} ${again}` };
    return { line: say(`state.lost${network}`, values), why: `${say(`state.lost${network}.why`)} ${again}` };
  }

  #showGlow(isHidden) {
    const glow = byId("glow");
    glow.hidden = isHidden || !this.glow;
    document.body.classList.toggle("has-glow", !glow.hidden);
    if (glow.hidden) return;
    byId("glow-said").textContent = this.glow.said;
    put(byId("glow-says"), this.glow.says);
  }

  #showTimers(timers) {
    const list = byId("timers");
    const since_s = (Date.now() - this.timers_at) / 1000;
    const shown = (timers ?? []).map(({ left_s, lasts_s, rings }) =>
      rings
        ? say("timer.rings")
        : `${say("timer.left", { left: duration(left_s - since_s) })} ${say("timer.of", { whole: duration(lasts_s) })}`,
    );
    list.hidden = !shown.length;
    while (list.children.length > shown.length) list.lastChild.remove();
    shown.forEach((text, i) => {
      if (!list.children[i]) list.append(element("li", { class: "timer" }, icon("timer"), element("span")));
      list.children[i].lastChild.textContent = text;
    });
  }
}
