import { beforeEach, describe, expect, it } from "vitest";
import { dropToken, match, navigate, path, pick, takeToken } from "./router.ts";

describe("match", () => {
	it("finds the parts that are named", () => {
		expect(match("/s/:id/plan", "/s/0199-a/plan")).toEqual({ id: "0199-a" });
		expect(match("/", "/")).toEqual({});
		expect(match("/clips", "/clips/")).toEqual({});
	});
	it("decodes, and refuses what cannot be decoded", () => {
		expect(match("/clips/:id", "/clips/a%20b")).toEqual({ id: "a b" });
		expect(match("/clips/:id", "/clips/%E0%A4%A")).toBeNull();
	});
	it("does not fit longer, shorter or other paths", () => {
		expect(match("/s/:id", "/s")).toBeNull();
		expect(match("/s/:id", "/s/a/b")).toBeNull();
		expect(match("/clips", "/Clips")).toBeNull();
	});
});

describe("pick", () => {
	it("takes the first that fits", () => {
		const routes = [
			["/clips/new", "new"],
			["/clips/:id", "one"],
		] as const;
		expect(pick(routes, "/clips/new")?.to).toBe("new");
		expect(pick(routes, "/clips/x")).toEqual({ to: "one", params: { id: "x" } });
		expect(pick(routes, "/x")).toBeNull();
	});
});

describe("navigate", () => {
	beforeEach(() => navigate("/", { replace: true }));
	it("changes the address and the path", () => {
		navigate("/clips?sort=new");
		expect(path.value).toBe("/clips");
		expect(location.pathname + location.search).toBe("/clips?sort=new");
	});
});

describe("takeToken", () => {
	beforeEach(() => sessionStorage.clear());
	it("takes the secret out of the address and keeps it for a reload", () => {
		history.replaceState(null, "", "/s/abc#secret-token");
		expect(takeToken("/s/abc")).toBe("secret-token");
		expect(location.href).not.toContain("secret-token");
		expect(takeToken("/s/abc")).toBe("secret-token");
		expect(takeToken("/s/other")).toBe("");
	});
	it("prefers a newer one, and forgets when told", () => {
		sessionStorage.setItem("token:/join", "old");
		history.replaceState(null, "", "/join#newer");
		expect(takeToken("/join")).toBe("newer");
		dropToken("/join");
		expect(takeToken("/join")).toBe("");
	});
});
