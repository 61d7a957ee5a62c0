import { signal } from "@preact/signals";
import { type Account, api, type Me } from "./api.ts";

/** Who is signed in: undefined until the server has said so, null for strangers and guests. */
export const account = signal<Account | null | undefined>(undefined);

/** True on a server without any account. */
export const needsSetup = signal(false);

export function tookIn(me: Me): void {
	account.value = me.account;
	needsSetup.value = me.setup;
}

export async function loadAccount(): Promise<void> {
	tookIn(await api.me());
}

export async function signOut(): Promise<void> {
	await api.signOut();
	account.value = null;
}
