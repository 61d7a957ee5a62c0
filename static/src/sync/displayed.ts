/**
 * The media time of the frame that a video displays just now, µs; null where there is none, or the browser does not tell.
 *
 * currentTime is the sound's clock, which the picture trails by some frames on a busy machine, and requestVideoFrameCallback tells of a
 * frame only when the page's own thread comes to it, up to half a second late there. A VideoFrame of the element is the picture itself.
 */
export function displayedTime(el: unknown): number | null {
	try {
		const frame = new VideoFrame(el as HTMLVideoElement);
		const { timestamp } = frame;
		frame.close();
		return timestamp;
	} catch {
		return null;
	}
}
