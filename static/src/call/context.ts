import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { CallSession } from "./session.ts";

const Context = createContext<CallSession | null>(null);

export const CallProvider = Context.Provider;

/** The call that the component is in. */
export function useCall(): CallSession {
	const call = useContext(Context);
	if (!call) throw new Error("a component of the call is used outside of it");
	return call;
}
