/** The way of this phone's sound to the board: one WebSocket a push, or one for as long as it is hands-free. */

const WAITING_S_MAX = 4; // Kept while it connects.
const BUFFERED_S_MAX = 2; // Beyond it the network is too slow: what it cannot take is dropped, and said.
const CONNECT_MS_MAX = 8000;
const CLOSE_AFTER_END_MS = 2000;

export class Uplink {
  /** `onReady()`, `onSentence(text)`, `onOverruns(n)`, `onDropped(seconds)`, `onClosed()`: each when the board, or the network, says so. */
  constructor({ rate_hz, mode, ...told }) {
    Object.assign(this, told, { rate_hz });
    this.waiting = [];
    this.dropped = 0;
    this.lost = null; // Why sound is missing before the next piece.
    const address = new URL("/microphone", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.timer = setTimeout(() => this.socket.close(), CONNECT_MS_MAX);
    this.socket.onopen = () => this.#opened({ rate_hz, mode });
    this.socket.onmessage = ({ data }) => this.#told(JSON.parse(data));
    this.socket.onclose = () => this.#closed();
  }

  #opened(how) {
    clearTimeout(this.timer);
    this.socket.send(JSON.stringify(how));
    const waiting = this.waiting;
    this.waiting = [];
    for (const piece of waiting) this.#put(piece);
    if (this.ended) this.end();
  }

  #told({ ready, sentence, overruns }) {
    if (ready) this.onReady();
    if (sentence) this.onSentence(sentence);
    if (overruns) this.onOverruns(overruns);
  }

  #closed() {
    clearTimeout(this.timer);
    if (this.isClosed) return;
    this.isClosed = true;
    this.onClosed();
  }

  /** A piece: the number of its first sample, and its samples. */
  send(first, samples) {
    if (this.isClosed || this.ended) return;
    const piece = { first, samples };
    if (this.socket.readyState === WebSocket.OPEN) this.#put(piece);
    else if (this.socket.readyState === WebSocket.CONNECTING) {
      this.waiting.push(piece);
      if (this.waiting.length * samples.length > WAITING_S_MAX * this.rate_hz) this.#drop(this.waiting.shift());
    }
  }

  /** Says that sound is missing before the next piece. */
  gap(why) {
    this.lost ??= why;
  }

  #put(piece) {
    if (this.socket.bufferedAmount > BUFFERED_S_MAX * this.rate_hz * 2) return this.#drop(piece);
    if (this.lost) this.socket.send(JSON.stringify({ gap: this.lost }));
    this.lost = null;
    const bytes = new Uint8Array(4 + piece.samples.byteLength);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, piece.first >>> 0, true);
    piece.samples.forEach((sample, i) => view.setInt16(4 + 2 * i, sample, true));
    this.socket.send(bytes);
  }

  #drop({ samples }) {
    this.dropped += samples.length;
    this.gap("the network was too slow");
    this.onDropped(this.dropped / this.rate_hz);
  }

  /** The button is let go: what is on its way is still sent. */
  end() {
    this.ended = true;
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.send(JSON.stringify({ end: true }));
    setTimeout(() => this.close(), CLOSE_AFTER_END_MS);
  }

  close() {
    this.socket.close();
  }
}
