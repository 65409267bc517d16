/** The way of this phone's sound to the board: one WebSocket a push, or one for as long as it is hands-free. */

const WAITING_S_MAX = 4; // Kept while it connects.
const AHEAD_S_MAX = 5; // Of what the board says it has. Beyond it the network is too slow: what it cannot take is dropped, and said.
const CONNECT_MS_MAX = 8000;
const SILENT_MS_MAX = 8000; // The board says nothing of the sound it is sent: the way there is gone, whatever the browser believes.

export class Uplink {
  /** `onReady()`, `onSentence(text)`, `onDropped(seconds)`, `onClosed(isWhole)`: each when the board, or the network, says so; whole is what came through to its end. */
  constructor({ rate_hz, mode, ...told }) {
    Object.assign(this, told, { rate_hz, mode });
    this.waiting = [];
    this.sent = 0; // Samples.
    this.heard = 0; // Of them, those that the board says it has.
    this.heard_at = Date.now();
    this.dropped = 0;
    this.lost = null; // Why sound is missing before the next piece.
    const address = new URL("/microphone", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.timer = setTimeout(() => this.#lost(), CONNECT_MS_MAX);
    this.socket.onopen = () => this.#opened({ rate_hz, mode });
    this.socket.onmessage = ({ data }) => this.#told(JSON.parse(data));
    this.socket.onclose = ({ code }) => this.#over(this.ended && code === 1000);
  }

  #opened(how) {
    clearTimeout(this.timer);
    this.socket.send(JSON.stringify(how));
    const waiting = this.waiting;
    this.waiting = [];
    for (const piece of waiting) this.#put(piece);
    if (this.ended) this.end();
  }

  #told({ ready, sentence, heard }) {
    if (this.isClosed) return;
    if (ready) this.onReady();
    if (sentence) this.onSentence(sentence);
    if (heard) {
      this.heard = heard;
      this.heard_at = Date.now();
      if (this.ended) this.#awaitAll();
    }
  }

  #over(isWhole) {
    if (this.isClosed) return;
    this.close();
    this.onClosed(isWhole);
  }

  #lost() {
    this.#over(false);
  }

  /** A piece: the number of its first sample, and its samples. */
  send(first, samples) {
    if (this.isClosed || this.ended) return;
    const piece = { first, samples };
    if (this.socket.readyState === WebSocket.OPEN) {
      if (this.#isSilent()) this.#lost();
      else this.#put(piece);
    } else if (this.socket.readyState === WebSocket.CONNECTING) {
      this.waiting.push(piece);
      if (this.waiting.length * samples.length > WAITING_S_MAX * this.rate_hz) this.#drop(this.waiting.shift());
    }
  }

  /** Says that sound is missing before the next piece. */
  gap(why) {
    this.lost ??= why;
  }

  #isSilent() {
    // Less than a second may lie there without a word.
    if (this.sent - this.heard < this.rate_hz) this.heard_at = Date.now();
    return Date.now() - this.heard_at > SILENT_MS_MAX;
  }

  #put(piece) {
    // What waits in the browser, in the phone and on the way: none of them says how much it is.
    if (this.sent - this.heard > AHEAD_S_MAX * this.rate_hz) return this.#drop(piece);
    if (this.lost) this.socket.send(JSON.stringify({ gap: this.lost }));
    this.lost = null;
    const bytes = new Uint8Array(4 + piece.samples.byteLength);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, piece.first >>> 0, true);
    piece.samples.forEach((sample, i) => view.setInt16(4 + 2 * i, sample, true));
    this.socket.send(bytes);
    this.sent += piece.samples.length;
    return undefined;
  }

  #drop({ samples }) {
    this.dropped += samples.length;
    this.gap("the network was too slow");
    this.onDropped(this.dropped / this.rate_hz);
  }

  /** The button is let go: what is on its way is still sent, and the board closes when it has all of it. */
  end() {
    this.ended = true;
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.send(JSON.stringify({ end: true }));
    this.#awaitAll();
  }

  #awaitAll() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#lost(), SILENT_MS_MAX);
  }

  /** Nothing is told any more. */
  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.socket.close();
  }
}
