/**
 * Runs beside the sound: cuts it into pieces of 40 ms of int16, each with the number of its first sample, and says
 * where it stood still: the numbers go on as if nothing had been between.
 */

const PIECE_S = 0.04;
const STILL_MS = 500;

class Pieces extends AudioWorkletProcessor {
  constructor() {
    super();
    this.size = Math.round(sampleRate * PIECE_S);
    this.#begin();
  }

  #begin() {
    this.piece = new Int16Array(this.size);
    this.filled = 0;
    this.energy = 0;
  }

  process([input]) {
    const sound = input[0];
    if (!sound) return true;
    if (!this.filled) this.first = currentFrame;
    for (let i = 0; i < sound.length; i += 1) {
      const value = Math.max(-1, Math.min(1, sound[i]));
      this.piece[this.filled] = Math.round(value * 32767);
      this.energy += value * value;
      this.filled += 1;
      if (this.filled === this.size) this.#send(currentFrame + i + 1);
    }
    return true;
  }

  #send(next) {
    const dbfs = 10 * Math.log10(this.energy / this.size + 1e-10);
    const still_ms = Date.now() - (this.sent_at ?? Date.now()) - 1000 * PIECE_S;
    this.sent_at = Date.now();
    this.port.postMessage({ first: this.first, samples: this.piece, dbfs, wasStill: still_ms > STILL_MS }, [this.piece.buffer]);
    this.#begin();
    this.first = next;
  }
}

registerProcessor("pieces", Pieces);
