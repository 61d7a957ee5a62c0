import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { ReplaySession } from "./session.ts";

const Context = createContext<ReplaySession | null>(null);

export const ReplayProvider = Context.Provider;

/** The replay that the component is in. */
export function useReplay(): ReplaySession {
	const replay = useContext(Context);
	if (!replay) throw new Error("a component of the replay is used outside of it");
	return replay;
}
