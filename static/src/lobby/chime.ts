/** Two soft tones through the chosen loudspeaker, to hear that it works. Resolves when they have ended. */
export async function chime(speaker: string): Promise<void> {
	const audio = new AudioContext();
	try {
		const out = audio.createMediaStreamDestination();
		const end = [523.25, 783.99].reduce((at, frequency) => tone(audio, out, frequency, at), audio.currentTime + 0.1);
		const player = new Audio();
		player.srcObject = out.stream;
		if (speaker && "setSinkId" in player) await player.setSinkId(speaker).catch(() => undefined);
		await audio.resume();
		await player.play();
		await new Promise((done) => setTimeout(done, (end - audio.currentTime + 0.3) * 1000));
		player.srcObject = null;
	} finally {
		await audio.close();
	}
}

function tone(audio: AudioContext, to: AudioNode, frequency: number, at: number): number {
	const oscillator = audio.createOscillator();
	const gain = audio.createGain();
	oscillator.frequency.value = frequency;
	gain.gain.setValueAtTime(0, at);
	gain.gain.linearRampToValueAtTime(0.25, at + 0.03);
	gain.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
	oscillator.connect(gain).connect(to);
	oscillator.start(at);
	oscillator.stop(at + 0.55);
	return at + 0.4;
}
