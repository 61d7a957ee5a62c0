import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { useAction, useLoad } from "../hooks.ts";
import { Button } from "../ui/Button.tsx";
import { Notice } from "../ui/Notice.tsx";
import { toast } from "../ui/Toast.tsx";
import "./reuse.css";

/** Asks who is in a recording whether it may become a clip, until they have answered; "not now" leaves it for the next time. */
export function ReuseQuestion({ id }: { id: string }) {
	const { data, set } = useLoad(() => api.reuse(id), id);
	const [later, setLater] = useState(false);
	const answer = useAction(async (agree: boolean) => {
		const by = data!.by;
		set(await api.answerReuse(id, data!.clip, agree));
		toast(agree ? `${by} sees that you agree.` : `${by} sees that not everybody agrees, and not who.`);
	});
	if (data?.state !== "asked" || !data.asked || data.agreed || later) return null;
	return (
		<section class="reuse" aria-label="A question to you">
			<p>
				<strong>{data.by} asks to use this recording as a clip.</strong> You are in it, with your voice, your picture,
				or the clip that was watched. {data.by} can show it to those whom they invite to a session about it.
			</p>
			<p class="quiet">
				It is made only if all agree. It is removed when one of you takes back their consent to being recorded, and when
				this session is deleted.
			</p>
			{answer.error && (
				<Notice tone="danger" live>
					{answer.error}
				</Notice>
			)}
			<div class="reuse__answers">
				<Button variant="primary" busy={answer.busy} onClick={() => answer.start(true)}>
					Agree
				</Button>
				<Button variant="outline" disabled={answer.busy} onClick={() => setLater(true)}>
					Not now
				</Button>
				<Button variant="outline" disabled={answer.busy} onClick={() => answer.start(false)}>
					No
				</Button>
			</div>
		</section>
	);
}
