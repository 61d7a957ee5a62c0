import { describe, expect, it } from "vitest";
import { isForTyping, Player, playerKey } from "./player.ts";

const clip = { duration: 40e6, frames: 1000, fpsNum: 25, fpsDen: 1 };
const key = (k: string, on: HTMLElement = document.body, init: KeyboardEventInit = {}) => {
	let seen!: KeyboardEvent;
	on.addEventListener("keydown", (e) => (seen = e), { once: true });
	on.dispatchEvent(new KeyboardEvent("keydown", { key: k, cancelable: true, ...init }));
	return seen;
};

describe("a player that stands", () => {
	it("is in the middle of a frame", () => {
		const p = new Player(clip, 10_000_000);
		expect(p.frame.value).toBe(250);
		expect(p.position.value).toBe(10_020_000);
		p.seek(10_039_999);
		expect(p.position.value).toBe(10_020_000);
	});
	it("steps by frames and stays inside of the clip", () => {
		const p = new Player(clip);
		p.step(-1);
		expect(p.frame.value).toBe(0);
		p.step(3);
		expect(p.frame.value).toBe(3);
		p.show(5000);
		expect(p.frame.value).toBe(999);
		p.seek(90e6);
		expect(p.frame.value).toBe(999);
	});
	it("follows the keys", () => {
		const p = new Player(clip, 20e6);
		playerKey(p, key("."));
		expect(p.frame.value).toBe(501);
		playerKey(p, key("ArrowLeft", document.body, { shiftKey: true }));
		expect(p.frame.value).toBe(251);
		expect(playerKey(p, key("x"))).toBe(false);
	});
});

describe("keys", () => {
	it("belong to what is being written", () => {
		const area = document.body.appendChild(document.createElement("textarea"));
		const button = document.body.appendChild(document.createElement("button"));
		expect(isForTyping(key("p", area))).toBe(true);
		expect(isForTyping(key(" ", button))).toBe(true);
		expect(isForTyping(key("p", button))).toBe(false);
		expect(isForTyping(key("p", document.body, { ctrlKey: true }))).toBe(true);
	});
});
