/** What the lobby hands to the call, and what pages of other folders take. */

export interface Entry {
	/** The answer about being recorded; null where the session is not recorded and nobody was asked. */
	consent: boolean | null;
	mic: boolean;
	camera: boolean;
	/** Device ids as enumerateDevices gives them; "" is the browser's default. */
	devices: { mic: string; camera: string; speaker: string };
	/** As the member is called in this session. */
	name: string;
	/** The preview's tracks. From now on they are the call's: it uses or stops them. */
	stream?: MediaStream;
}

export interface CallPageProps {
	sessionId: string;
	enter: Entry;
	/** After leaving, with the session's end told if it has ended. */
	onLeft: (how?: { ended?: boolean }) => void;
}

export interface ReplayPageProps {
	sessionId: string;
}
