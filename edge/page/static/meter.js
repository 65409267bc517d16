/** The level of what is heard, as a quiet row of strokes: the newest at the end, all of them sinking when it is still. */

import { element } from "./element.js";

const STROKES = 40;
const FLOOR_DBFS = -60;
const CEILING_DBFS = -12;
const STILL_AFTER_MS = 700;

export class Meter {
  constructor(place) {
    this.place = place;
    this.levels = new Array(STROKES).fill(0);
    this.speech = new Array(STROKES).fill(false);
    this.strokes = this.levels.map(() => element("i", { class: "stroke" }));
    place.replaceChildren(...this.strokes);
  }

  /** A level that was heard, and whether it is speech. */
  push(dbfs, speech) {
    const share = (dbfs - FLOOR_DBFS) / (CEILING_DBFS - FLOOR_DBFS);
    this.#step(Math.min(1, Math.max(0, share)), speech);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#fade(), STILL_AFTER_MS);
  }

  #step(level, speech) {
    this.levels.push(level);
    this.speech.push(speech);
    this.levels.shift();
    this.speech.shift();
    this.frame ??= requestAnimationFrame(() => this.#draw());
  }

  /** Nothing is told while nothing is heard: it runs out by itself, and then stands. */
  #fade() {
    this.#step(0, false);
    if (this.levels.some((level) => level > 0)) this.timer = setTimeout(() => this.#fade(), 100);
  }

  #draw() {
    this.frame = null;
    this.strokes.forEach((stroke, i) => {
      stroke.style.transform = `scaleY(${0.05 + 0.95 * this.levels[i]})`;
      stroke.classList.toggle("is-speech", this.speech[i]);
    });
  }
}
