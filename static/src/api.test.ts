import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, api, errorOf, request, sentenceOf } from "./api.ts";

afterEach(() => vi.unstubAllGlobals());

function answer(status: number, body: string) {
	vi.stubGlobal("fetch", async () => new Response(status === 204 ? null : body, { status }));
}

const failure = (p: Promise<unknown>): Promise<ApiError> =>
	p.then(
		() => {
			throw new Error("it did not fail");
		},
		(e) => e as ApiError,
	);

describe("errors as sentences", () => {
	it("takes the server's own sentence", () => {
		const e = errorOf(422, { error: { code: "invalid", message: "Give the clip a title." } });
		expect(e).toMatchObject({ status: 422, code: "invalid", message: "Give the clip a title." });
	});
	it("has a sentence when the server has none", () => {
		expect(errorOf(404, null).message).toContain("not shared with you");
		expect(errorOf(502, "<html>").message).toContain("Try again");
		expect(errorOf(429, { error: { code: 7, message: "" } })).toMatchObject({ code: "http_429" });
	});
	it("does not show what a program says to a program", () => {
		expect(sentenceOf(new TypeError("x is undefined"))).toBe("Something went wrong on this page. Load it again.");
	});
});

describe("request", () => {
	it("returns what the server said", async () => {
		answer(200, '{"account":null,"setup":true}');
		expect(await api.me()).toEqual({ account: null, setup: true });
	});
	it("takes an empty answer", async () => {
		answer(204, "");
		expect(await api.signOut()).toBeUndefined();
	});
	it("fails with the server's code", async () => {
		answer(401, '{"error":{"code":"wrong_credentials","message":"Email or password do not match."}}');
		expect(await failure(api.signIn("a", "b"))).toMatchObject({ status: 401, code: "wrong_credentials" });
	});
	it("says that it is offline when no answer comes", async () => {
		vi.stubGlobal("fetch", async () => {
			throw new TypeError("Failed to fetch");
		});
		const e = await failure(request("GET", "/api/me"));
		expect(e).toMatchObject({ status: 0, code: "offline" });
		expect(e).toBeInstanceOf(ApiError);
	});
	it("does not take another page for an answer", async () => {
		answer(200, "<!doctype html>");
		expect(await failure(request("GET", "/api/me"))).toMatchObject({ code: "unreadable" });
	});
	it("puts ids into addresses safely", async () => {
		const seen: string[] = [];
		vi.stubGlobal("fetch", async (path: string) => {
			seen.push(path);
			return new Response("{}");
		});
		await api.clip("../me?x=1");
		expect(seen).toEqual(["/api/clips/..%2Fme%3Fx%3D1"]);
	});
});
