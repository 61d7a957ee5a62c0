import { defineConfig } from "vitest/config";

// The server answers with a strict content security policy: no inline scripts, and fonts
// come from our own origin, so nothing is inlined as data: either.
export default defineConfig({
	root: import.meta.dirname,
	build: {
		outDir: "dist",
		emptyOutDir: true,
		assetsInlineLimit: 0,
		license: { fileName: "licenses.txt" }, // of everything that is bundled; the typeface's is in public/
		target: ["chrome123", "firefox121", "safari17.5"],
		cssTarget: ["chrome123", "firefox121", "safari17.5"],
		chunkSizeWarningLimit: 400,
	},
	plugins: [keepPlaceholder()],
	server: {
		host: "127.0.0.1",
		proxy: { "/api": { target: process.env.PAUSEPOINT_DEV ?? "http://127.0.0.1:8080", ws: true } },
	},
	// Time in the tests is simulated: a slow machine is no failure, only a test that hangs is.
	// All files share one environment, which takes ten times as long to make as they take to run; what they stub is put back.
	test: {
		environment: "happy-dom",
		include: ["src/**/*.test.{ts,tsx}"],
		testTimeout: 60_000,
		isolate: false,
		unstubGlobals: true,
		restoreMocks: true,
	},
});

/** dist/.gitkeep lets the server compile before the client was built; a build must not remove it. */
function keepPlaceholder() {
	return {
		name: "keep-placeholder",
		generateBundle(this: { emitFile(f: { type: "asset"; fileName: string; source: string }): string }) {
			this.emitFile({ type: "asset", fileName: ".gitkeep", source: "" });
		},
	};
}
