/**
 * The phone's microphone as long as somebody wants it: opened, cut into pieces, sent; and opened again by itself after
 * a locked screen, a call, or another network, with the gap marked.
 */

import { Uplink } from "./uplink.js";
import { say } from "./words.js";

const RATES_HZ = [16000, 44100, 48000];
const OPEN_MS_MAX = 15_000;
const WARM_MS = 20_000; // After a push, so that the next one loses no first word. Nothing is sent meanwhile.
const BEFORE_S = 0.3; // Sent from before the push, where the microphone was open.
const TAIL_MS = 200; // Fingers are faster than last syllables.
const STILL_MS_MAX = 3000;
const RETRY_MS = 1000;
const RETRY_MS_MAX = 30_000;
const NOTE_MS = 20_000;
const TAKEN = "something else had the microphone"; // As the board is told.

/**
 * Plain sound: the board's own voice detection, its features and its engines were made for it, and gain that rises in
 * pauses lifts noise over their floor. The page itself plays nothing that would have to be cancelled.
 */
const SOUND = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };

/** Why there is no microphone here at all, a sentence; null where one may be asked for. */
export function missing() {
  if (!isSecureContext) return say("talk.not.secure", { host: location.host });
  if (!navigator.mediaDevices?.getUserMedia || !globalThis.AudioWorkletNode) return say("talk.not.browser");
  return null;
}

export class Microphone {
  /** `onChange()`: `phase`, `problem` or `note` is another; `onLevel(dbfs)`. */
  constructor({ onChange, onLevel }) {
    Object.assign(this, { onChange, onLevel });
    this.wanted = null; // "push" or "hands-free"
    this.phase = "closed"; // "closed", "opening", "sending"
    this.problem = null; // Why it does not work now, and what to do.
    this.note = null; // What was lost.
    this.before = [];
    this.base = 0;
    this.next = 0;
    this.tries = 0;
    addEventListener("online", () => this.wanted === "hands-free" && this.#again(0));
    addEventListener("pagehide", () => this.#close());
    document.addEventListener("visibilitychange", () => this.#seen());
    setInterval(() => this.#watch(), 1000);
  }

  /** Asks for it; resolves when it sends or cannot. */
  async start(mode) {
    clearTimeout(this.warm);
    clearTimeout(this.tail);
    this.uplink?.end();
    this.uplink = null;
    this.wanted = mode;
    this.problem = missing();
    this.note = null;
    this.gapWhy = null;
    if (this.problem) return this.#give(this.problem);
    this.#tell("opening");
    try {
      await this.#openFor(mode);
    } catch (error) {
      if (this.wanted === mode) this.#give(inWords(error));
    }
    return undefined;
  }

  /** Nobody wants it any more. */
  stop() {
    const mode = this.wanted;
    this.wanted = null;
    clearTimeout(this.retry);
    this.#letSleep();
    if (mode === "push" && this.phase === "sending") this.tail = setTimeout(() => this.#end(), TAIL_MS);
    else this.#end();
    this.#closeLater(mode);
    this.#tell(mode === "push" && this.phase === "sending" ? "ending" : "closed");
  }

  /** How long sound takes from the air to the socket: the piece itself, and what the browser says of its own part. */
  get captureMs() {
    return this.context ? 40 + 1000 * (this.context.baseLatency || 0) : null;
  }

  #end() {
    this.uplink?.end();
    this.uplink = null;
    this.before = [];
    this.#tell(this.wanted ? this.phase : "closed");
  }

  #closeLater(mode) {
    clearTimeout(this.warm);
    this.warm = setTimeout(() => this.wanted || this.#close(), mode === "push" ? WARM_MS : 0);
  }

  /** Sends once it is open; closes again where nobody wants it any more by then. */
  async #openFor(mode) {
    await this.#opened();
    if (this.wanted === mode) this.#connect();
    else if (!this.wanted) this.#closeLater(mode);
  }

  /** Open, by one asking at a time. */
  async #opened() {
    if (this.#isOpen()) return;
    this.opening ??= this.#open().finally(() => (this.opening = null));
    await this.opening;
  }

  async #open() {
    this.#close();
    const stream = await inTime(navigator.mediaDevices.getUserMedia({ audio: SOUND }));
    this.stream = stream;
    const [track] = stream.getAudioTracks();
    track.onmute = () => this.#interrupted();
    track.onunmute = () => this.#goesOn();
    track.onended = () => this.#interrupted(true);
    const { context, source } = connected(stream);
    this.context = context;
    await context.audioWorklet.addModule("/static/worklet.js");
    const pieces = new AudioWorkletNode(context, "pieces", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    this.base = this.next;
    pieces.port.onmessage = ({ data }) => {
      // Pieces of a context that was closed are still on their way.
      if (context === this.context) this.#heard(data);
    };
    source.connect(pieces);
    await inTime(context.resume());
    this.heard_at = Date.now();
  }

  #isOpen() {
    return this.context?.state === "running" && this.stream.getAudioTracks().every((track) => track.readyState === "live");
  }

  #close() {
    this.stream?.getTracks().forEach((track) => {
      track.onended = null;
      track.stop();
    });
    this.context?.close().catch(() => {});
    this.stream = null;
    this.context = null;
    this.before = [];
  }

  #connect() {
    const uplink = new Uplink({
      rate_hz: this.context.sampleRate,
      mode: this.wanted,
      onReady: () => this.tries && this.#recovered(),
      onSentence: (text) => this.#say({ problem: text }),
      onDropped: (seconds) => this.#dropped(seconds),
      onClosed: (isWhole) => this.#cut(uplink, isWhole),
    });
    // Two reasons to connect anew often come at once.
    this.gapWhy ??= this.uplink?.lost ?? null;
    this.uplink?.close();
    this.uplink = uplink;
    if (this.gapWhy) uplink.gap(this.gapWhy);
    this.gapWhy = null;
    for (const { first, samples } of this.before) uplink.send(first, samples);
    this.before = [];
    this.#tell("sending");
    if (this.wanted === "hands-free") this.#stayAwake();
  }

  #heard({ first, samples, dbfs, wasStill }) {
    this.heard_at = Date.now();
    this.next = this.base + first + samples.length;
    if (this.phase !== "closed") this.onLevel(dbfs);
    if (wasStill) {
      this.before = [];
      this.uplink?.gap("the sound stood still");
    }
    if (this.uplink) {
      this.uplink.send(this.base + first, samples);
      return;
    }
    this.before.push({ first: this.base + first, samples });
    while (this.before.length * samples.length > BEFORE_S * this.context.sampleRate) this.before.shift();
  }

  #recovered() {
    this.tries = 0;
    this.#say({ problem: null });
  }

  #dropped(seconds) {
    clearTimeout(this.noted);
    this.noted = setTimeout(() => this.#say({ note: null }), NOTE_MS);
    this.#say({ note: say("talk.dropped", { seconds: seconds.toFixed(1) }) });
  }

  /** The board, or the way to it, has closed. */
  #cut(uplink, isWhole) {
    if (uplink !== this.uplink) {
      // The button was let go before, and not all that was said has come through.
      if (!isWhole && !this.wanted && uplink.mode === "push") this.#say({ problem: this.problem ?? away("push") });
      return;
    }
    this.uplink = null;
    if (!this.wanted) return;
    this.gapWhy = "the network was away";
    const why = this.problem ?? away(this.wanted);
    if (this.wanted === "push") {
      this.#give(why);
      return;
    }
    this.#say({ problem: why });
    this.#again();
  }

  #interrupted(ended = false) {
    if (!this.wanted) return;
    const why = say("talk.paused.call");
    this.gapWhy = TAKEN;
    this.#say({ problem: why });
    if (this.wanted === "push" && ended) this.#give(why);
    else if (ended) this.#again();
  }

  #goesOn() {
    if (!this.wanted) return;
    this.gapWhy = null;
    this.uplink?.gap(TAKEN);
    this.#say({ problem: null });
  }

  /** Hands-free: all of it once more, later and later. */
  #again(wait_ms = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** this.tries)) {
    clearTimeout(this.retry);
    this.tries += 1;
    this.retry = setTimeout(() => this.wanted === "hands-free" && this.#restart(), wait_ms);
  }

  async #restart() {
    const before = this.uplink;
    this.uplink = null;
    before?.close();
    if (before) this.gapWhy ??= before.lost ?? "another network";
    try {
      await this.#openFor("hands-free");
    } catch (error) {
      if (this.wanted !== "hands-free") return undefined;
      if (error.name === "NotAllowedError") return this.#give(inWords(error));
      this.#say({ problem: inWords(error) });
      this.#again();
    }
    return undefined;
  }

  /** The screen is unlocked, or the page is looked at again. */
  async #seen() {
    if (document.hidden || this.wanted !== "hands-free") return;
    this.#stayAwake();
    if (this.#isOpen() && Date.now() - this.heard_at < STILL_MS_MAX) return;
    this.gapWhy = "the phone was locked";
    this.#say({ problem: say("talk.paused.hidden") });
    this.tries = Math.max(1, this.tries);
    this.#again(0);
  }

  /** No sound at all for seconds, as after some calls: opened again. */
  #watch() {
    const isStill = this.phase === "sending" && this.context && Date.now() - this.heard_at > STILL_MS_MAX;
    if (!isStill || document.hidden || !this.wanted) return;
    this.heard_at = Date.now();
    this.gapWhy = "the microphone was silent";
    if (this.wanted === "push") {
      this.#give(say("talk.not.heard"));
      return;
    }
    this.#say({ problem: say("talk.paused.call") });
    this.#close();
    this.#again(0);
  }

  /** A wall tablet that listens does not fall asleep; one that may not stay awake listens all the same. */
  #stayAwake() {
    this.#letSleep();
    this.wake = navigator.wakeLock?.request("screen");
    this.wake?.catch(() => {});
  }

  #letSleep() {
    // Also what was asked for, and is not there yet.
    this.wake?.then((wake) => wake.release()).catch(() => {});
    this.wake = null;
  }

  #give(problem) {
    this.wanted = null;
    this.#letSleep();
    this.uplink?.close();
    this.uplink = null;
    this.#close();
    this.problem = problem;
    this.#tell("closed");
  }

  #say(told) {
    Object.assign(this, told);
    this.onChange();
  }

  #tell(phase) {
    this.phase = phase;
    this.onChange();
  }
}

function away(mode) {
  return say(`talk.${navigator.onLine ? "away" : "offline"}${mode === "push" ? ".push" : ""}`);
}

/** 16 kHz where the browser resamples well and may, else a rate that the board takes. */
function connected(stream) {
  for (const rate_hz of [RATES_HZ[0], null, RATES_HZ[2]]) {
    const context = new AudioContext({ latencyHint: "interactive", ...(rate_hz && { sampleRate: rate_hz }) });
    try {
      if (RATES_HZ.includes(context.sampleRate)) return { context, source: context.createMediaStreamSource(stream) };
    } catch {
      // Firefox connects a microphone only to a context of its own rate.
    }
    context.close().catch(() => {});
  }
  throw new DOMException("no rate that the board takes", "NotSupportedError");
}

/** A question of the browser may stay unanswered for ever. What comes after its time is let go. */
function inTime(asked) {
  let timer;
  const late = new Promise((_, refuse) => {
    timer = setTimeout(() => refuse(new DOMException("", "TimeoutError")), OPEN_MS_MAX);
  });
  asked.then((stream) => timer === null && stream?.getTracks().forEach((track) => track.stop()), () => {});
  return Promise.race([asked, late]).finally(() => {
    clearTimeout(timer);
    timer = null;
  });
}

function inWords({ name, message }) {
  const keys = { NotAllowedError: "allowed", SecurityError: "allowed", NotFoundError: "found", NotReadableError: "free", TimeoutError: "answered" };
  return say(`talk.not.${keys[name] ?? "started"}`, { reason: message });
}
