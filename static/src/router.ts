import { signal } from "@preact/signals";

/** Addresses and their patterns, own links without loading the page, the part behind # kept out of history. */

export type Params = Record<string, string>;

/** "/s/:id/plan" against "/s/abc/plan" → {id: "abc"}; null if it does not fit. A trailing slash is forgiven. */
export function match(pattern: string, path: string): Params | null {
	const want = pattern.split("/").filter(Boolean);
	const have = path.split("/").filter(Boolean);
	if (want.length !== have.length) return null;
	const params: Params = {};
	for (const [i, part] of want.entries()) {
		const value = have[i]!;
		if (!part.startsWith(":")) {
			if (part !== value) return null;
			continue;
		}
		try {
			params[part.slice(1)] = decodeURIComponent(value);
		} catch {
			return null;
		}
	}
	return params;
}

/** The first pattern that fits. */
export function pick<T>(routes: readonly (readonly [string, T])[], path: string): { to: T; params: Params } | null {
	for (const [pattern, to] of routes) {
		const params = match(pattern, path);
		if (params) return { to, params };
	}
	return null;
}

const here = () => (typeof location === "undefined" ? "/" : location.pathname);

/** The current path. Pages that depend on it render again when it changes. */
export const path = signal(here());

/** Goes to one of our own addresses. */
export function navigate(to: string, how: { replace?: boolean } = {}): void {
	history[how.replace ? "replaceState" : "pushState"](null, "", to);
	path.value = here();
	window.scrollTo(0, 0);
}

/** The secret behind #. It is taken out of the address at once, so that it is not copied along with it, and kept
 * in this tab for a reload. */
export function takeToken(key: string): string {
	const store = `token:${key}`;
	const found = location.hash.slice(1);
	if (found) {
		try {
			sessionStorage.setItem(store, found);
		} catch {
			return found; // without storage it stays in the address
		}
		history.replaceState(null, "", location.pathname + location.search);
		return found;
	}
	try {
		return sessionStorage.getItem(store) ?? "";
	} catch {
		return "";
	}
}

/** Forgets it once it was used up. */
export function dropToken(key: string): void {
	try {
		sessionStorage.removeItem(`token:${key}`);
	} catch {
		// nothing was kept
	}
}

/** Makes plain links to our own pages go without loading. Once, at the start. */
export function followLinks(): void {
	window.addEventListener("popstate", () => {
		path.value = here();
	});
	// An invitation that is pasted over the same page changes the fragment only.
	window.addEventListener("hashchange", () => {
		if (location.hash.length > 20) location.reload();
	});
	document.addEventListener("click", (e) => {
		const to = ownLink(e);
		if (to === null) return;
		e.preventDefault();
		navigate(to);
	});
}

function ownLink(e: MouseEvent): string | null {
	if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return null;
	const a = (e.target as Element | null)?.closest?.("a");
	if (!a || a.target || a.hasAttribute("download") || a.origin !== location.origin) return null;
	if (a.pathname.startsWith("/api/")) return null;
	if (a.hash && a.pathname === location.pathname) return null;
	return a.pathname + a.search + a.hash;
}
