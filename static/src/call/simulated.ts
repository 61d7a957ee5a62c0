/** An RTCPeerConnection for tests, which negotiates as browsers do, and sends nothing. */
export class FakePeerConnection {
	static all: FakePeerConnection[] = [];
	applied: string[] = [];
	connectionState = "new";
	localDescription: RTCSessionDescriptionInit | null = null;
	remoteDescription: RTCSessionDescriptionInit | null = null;
	onicecandidate = null;
	onconnectionstatechange = null;

	constructor(readonly config: RTCConfiguration) {
		FakePeerConnection.all.push(this);
	}

	/** What is sent, one encoding after another, as it was set last. */
	encodings: RTCRtpEncodingParameters[] = [];

	addTransceiver(track: MediaStreamTrack, init: RTCRtpTransceiverInit) {
		this.encodings = init.sendEncodings!.map((e) => ({ active: true, ...e }));
		const sender = {
			track,
			replaceTrack: async () => {},
			getParameters: () => ({ encodings: this.encodings.map((e) => ({ ...e })) }),
			setParameters: async (p: RTCRtpSendParameters) => {
				this.encodings = p.encodings;
			},
		};
		return { mid: "0", sender, setCodecPreferences: () => {} };
	}
	getTransceivers() {
		return [];
	}
	async createOffer() {
		return { type: "offer", sdp: `offer of ${FakePeerConnection.all.indexOf(this)}` };
	}
	async createAnswer() {
		return { type: "answer", sdp: `answer of ${FakePeerConnection.all.indexOf(this)}` };
	}
	async setLocalDescription(d: RTCSessionDescriptionInit) {
		this.localDescription = d;
	}
	async setRemoteDescription(d: RTCSessionDescriptionInit) {
		this.remoteDescription = d;
		this.applied.push(d.sdp!);
	}
	close() {}
}
