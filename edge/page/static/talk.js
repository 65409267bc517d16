/** The buttons of the phone's microphone: hold to talk, also with the space bar, and hands-free. */

import { byId, put } from "./element.js";
import { Microphone } from "./microphone.js";
import { say } from "./words.js";

const SHORT_MS = 250;
const FLOOR_DBFS = -60;

export class Talk {
  /** `onSpeak()`: somebody begins to speak into this phone. */
  constructor({ onSpeak }) {
    this.onSpeak = onSpeak;
    this.microphone = new Microphone({ onChange: () => this.show(), onLevel: (dbfs) => this.#level(dbfs) });
    this.hold = byId("hold");
    this.free = byId("free");
    this.hint = null;
    this.#byPointer();
    this.#byKey();
    this.free.addEventListener("click", () => this.#toggle("hands-free"));
    this.show();
  }

  #byPointer() {
    this.hold.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.hold.setPointerCapture(event.pointerId);
      this.#press();
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      this.hold.addEventListener(name, () => this.#release());
    }
    this.hold.addEventListener("contextmenu", (event) => event.preventDefault());
    // What reads the screen aloud, and the Enter key, click and cannot hold: a click begins, the next one ends.
    this.hold.addEventListener("click", (event) => {
      if (event.detail === 0) this.#toggle("push");
    });
  }

  #byKey() {
    addEventListener("keydown", (event) => {
      if (event.key !== " " || !this.#isFor(event.target)) return;
      event.preventDefault();
      if (!event.repeat) this.#press();
    });
    addEventListener("keyup", (event) => {
      if (event.key !== " " || !this.#isFor(event.target)) return;
      event.preventDefault();
      this.#release();
    });
    addEventListener("blur", () => this.#release());
  }

  /** Whether the space bar means talking there: not where it writes, presses or opens. */
  #isFor(target) {
    if (target === this.hold) return true;
    return !byId("dock").hidden && !target.closest?.("button, a, input, textarea, select, summary, dialog");
  }

  #press() {
    if (this.pressed_at || this.microphone.wanted === "hands-free") return;
    this.pressed_at = Date.now();
    this.hint = null;
    navigator.vibrate?.(15);
    this.onSpeak();
    this.microphone.start("push");
  }

  #release() {
    if (!this.pressed_at) return;
    const was_short = Date.now() - this.pressed_at < SHORT_MS;
    this.pressed_at = null;
    if (this.microphone.wanted !== "push") return;
    this.hint = was_short ? say("talk.short") : null;
    this.microphone.stop();
  }

  #toggle(mode) {
    this.hint = null;
    if (this.microphone.wanted === mode) this.microphone.stop();
    else this.microphone.start(mode);
  }

  #level(dbfs) {
    const share = Math.min(1, Math.max(0, 1 - dbfs / FLOOR_DBFS));
    byId("dock").style.setProperty("--level", share.toFixed(2));
  }

  show() {
    const { phase, wanted, problem, note } = this.microphone;
    const isFree = wanted === "hands-free";
    const words = { opening: "talk.opening", sending: "talk.speaking", ending: "talk.busy" };
    byId("dock").dataset.phase = isFree ? "free" : phase;
    byId("hold-words").textContent = say((!isFree && words[phase]) || "talk.hold");
    this.hold.disabled = isFree;
    this.free.setAttribute("aria-pressed", String(isFree));
    const about = isFree && say(phase === "sending" ? "talk.free.on" : "talk.free.opening");
    put(byId("talk-note"), problem || note || this.hint || about || "");
    byId("talk-note").classList.toggle("is-problem", Boolean(problem || note));
    if (phase === "closed") byId("dock").style.setProperty("--level", "0");
  }
}
