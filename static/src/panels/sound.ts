/** The short sound of a page that stopped being live. Always with its visual twin, the band. */

const TONES_HZ = [660, 440] as const;
const TONE_S = 0.22;

export class AlarmSound {
  #context: AudioContext | null = null;

  /** Browsers let a page sound only after a click or a key; call this then. */
  unlock(): void {
    this.#context ??= new AudioContext();
    void this.#context.resume();
  }

  play(): void {
    const context = this.#context;
    if (context?.state !== "running") return;
    TONES_HZ.forEach((frequency, index) => tone(context, frequency, context.currentTime + index * TONE_S));
  }
}

function tone(context: AudioContext, frequency: number, at: number): void {
  const oscillator = new OscillatorNode(context, { frequency, type: "triangle" });
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(0.25, at + 0.02);
  gain.gain.linearRampToValueAtTime(0, at + TONE_S);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + TONE_S);
}
