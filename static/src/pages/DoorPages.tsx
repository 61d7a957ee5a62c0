import "./doors.css";
import { Eye, EyeOff } from "lucide";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { account, needsSetup, signOut, tookIn } from "../account.ts";
import { api, type Me, type NewAccount } from "../api.ts";
import { useAction, useTitle } from "../hooks.ts";
import { dropToken, navigate, takeToken } from "../router.ts";
import { Button, IconButton } from "../ui/Button.tsx";
import { Field, type FieldProps } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { InsecureNotice } from "../ui/Shell.tsx";
import { Brand } from "../ui/Topbar.tsx";

function DoorPage({ title, lead, children }: { title: string; lead?: ComponentChildren; children: ComponentChildren }) {
	useTitle(title);
	return (
		<div class="door-page">
			<header class="topbar topbar--page">
				<Brand />
			</header>
			<div>
				<InsecureNotice />
			</div>
			<main id="main">
				<h1>{title}</h1>
				<p class="lead">{lead}</p>
				{children}
			</main>
		</div>
	);
}

function Password(p: FieldProps) {
	const [shown, setShown] = useState(false);
	return (
		<div class="password">
			<Field {...p} type={shown ? "text" : "password"} autocapitalize="off" spellcheck={false} />
			<IconButton
				icon={shown ? EyeOff : Eye}
				label={shown ? "Hide the password" : "Show the password"}
				onClick={() => setShown(!shown)}
			/>
		</div>
	);
}

const MIN_PASSWORD = 10;

/** What keeps these words from making an account, by field. */
export function problemsOf(a: Omit<NewAccount, "token">): Partial<Record<"name" | "email" | "password", string>> {
	const out: ReturnType<typeof problemsOf> = {};
	if (!a.name.trim()) out.name = "Write the name that others will see.";
	if (!/^[^\s@]+@[^\s@]+$/.test(a.email.trim())) out.email = "Write your email address, such as amara@school.example.";
	if ([...a.password].length < MIN_PASSWORD) out.password = `Take at least ${MIN_PASSWORD} characters.`;
	return out;
}

function AccountForm({
	token,
	make,
	onMade,
}: {
	token: string;
	make: (a: NewAccount) => Promise<Me>;
	onMade: () => void;
}) {
	const [name, setName] = useState("");
	const [email, setEmail] = useState("");
	const [password, setPassword] = useState("");
	const [tried, setTried] = useState(false);
	const problems = tried ? problemsOf({ name, email, password }) : {};
	const create = useAction(async () => {
		const me = await make({ token, name: name.trim(), email: email.trim(), password });
		tookIn(me);
		onMade();
		navigate("/", { replace: true });
	});
	const submit = (e: Event) => {
		e.preventDefault();
		setTried(true);
		if (Object.keys(problemsOf({ name, email, password })).length === 0) create.start();
		else focusFirstProblem(e.currentTarget as HTMLFormElement);
	};
	return (
		<form onSubmit={submit} noValidate>
			<Field
				label="Your name"
				value={name}
				onInput={setName}
				error={problems.name}
				hint="As your colleagues know you."
				autoComplete="name"
				maxLength={80}
				required
			/>
			<Field
				label="Email"
				type="email"
				value={email}
				onInput={setEmail}
				error={problems.email}
				hint="You sign in with it. We send nothing."
				autoComplete="username"
				maxLength={254}
				required
			/>
			<Password
				label="Password"
				value={password}
				onInput={setPassword}
				error={problems.password}
				hint={`At least ${MIN_PASSWORD} characters. A short sentence is easy to remember.`}
				autoComplete="new-password"
				maxLength={256}
				required
			/>
			{create.error && (
				<Notice tone="danger" live>
					{create.error}
				</Notice>
			)}
			<Button variant="primary" size="large" type="submit" busy={create.busy}>
				Create account
			</Button>
		</form>
	);
}

/** After this render, so that the fields know of their problems. */
function focusFirstProblem(form: HTMLFormElement): void {
	requestAnimationFrame(() => form.querySelector<HTMLElement>("[aria-invalid]")?.focus());
}

export function SetupPage() {
	const [token] = useState(() => takeToken("/setup"));
	if (!token || (!needsSetup.value && account.value)) {
		return (
			<DoorPage
				title="The first account"
				lead={
					needsSetup.value
						? "Open the one-time link that the server printed when it started. It ends in # and a long word: take all of it."
						: "This server has its first account already."
				}
			>
				{!needsSetup.value && (
					<Button variant="primary" size="large" href={account.value ? "/" : "/signin"}>
						{account.value ? "Go home" : "Sign in"}
					</Button>
				)}
			</DoorPage>
		);
	}
	return (
		<DoorPage
			title="Make the first account"
			lead="It looks after this server, and invites the others. It does not see what is in their clips and conversations."
		>
			<AccountForm token={token} make={api.setup} onMade={() => dropToken("/setup")} />
		</DoorPage>
	);
}

export function JoinPage() {
	const [token] = useState(() => takeToken("/join"));
	const me = account.value;
	if (me) {
		return (
			<DoorPage
				title="You have an account"
				lead={`You are signed in as ${me.name}. An invitation makes a new account.`}
			>
				<div class="row">
					<Button variant="primary" href="/">
						Go home
					</Button>
					<Button variant="quiet" onClick={() => signOut().catch(() => location.reload())}>
						Sign out and use the invitation
					</Button>
				</div>
			</DoorPage>
		);
	}
	if (!token) {
		return (
			<DoorPage
				title="An invitation is needed"
				lead="Open the whole link that you were sent: it ends in # and a long word. If it is lost, ask for a new one."
			>
				<Button variant="outline" href="/signin">
					Sign in
				</Button>
			</DoorPage>
		);
	}
	return (
		<DoorPage
			title="Welcome"
			lead="A colleague has invited you. With an account you keep your clips and your conversations."
		>
			<AccountForm token={token} make={api.join} onMade={() => dropToken("/join")} />
			<p class="foot">
				You have an account? <a href="/signin">Sign in</a>
			</p>
		</DoorPage>
	);
}

/** Where to go after signing in: one of our own addresses, or home. */
export function ownPath(to: string | null): string {
	return to?.startsWith("/") && !/^\/[/\\]/.test(to) ? to : "/";
}

export function SignInPage() {
	const [email, setEmail] = useState("");
	const [password, setPassword] = useState("");
	const [to] = useState(() => ownPath(new URLSearchParams(location.search).get("to")));
	const enter = useAction(async () => {
		tookIn(await api.signIn(email.trim(), password));
	});
	const known = account.value !== null;
	useEffect(() => {
		if (known) navigate(to, { replace: true });
	}, [known, to]);
	const submit = (e: Event) => {
		e.preventDefault();
		enter.start();
	};
	return (
		<DoorPage title="Sign in" lead={to === "/" ? "Good to see you." : "Sign in to go on."}>
			{needsSetup.value && (
				<div style={{ marginBottom: "24px" }}>
					<Notice tone="accent">
						This server has no account yet. Open the one-time link that it printed when it started, to make the first.
					</Notice>
				</div>
			)}
			<form onSubmit={submit}>
				<Field label="Email" type="email" value={email} onInput={setEmail} autoComplete="username" required />
				<Password label="Password" value={password} onInput={setPassword} autoComplete="current-password" required />
				{enter.error && (
					<Notice tone="danger" live>
						{enter.error}
					</Notice>
				)}
				<Button variant="primary" size="large" type="submit" busy={enter.busy}>
					Sign in
				</Button>
			</form>
			<p class="foot">
				No account? You need none to join a session: open the link that you were sent. To have one, ask a colleague to
				invite you.
			</p>
		</DoorPage>
	);
}
