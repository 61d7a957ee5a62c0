export function Logo() {
	return (
		<svg class="logo" viewBox="0 0 20 20" aria-hidden="true">
			<rect x="2" y="2" width="5" height="16" rx="2" fill="currentColor" />
			<rect x="13" y="2" width="5" height="16" rx="2" fill="currentColor" opacity=".38" />
			<rect x="7.3" y="7.3" width="5.4" height="5.4" rx="1" transform="rotate(45 10 10)" fill="var(--pause)" />
		</svg>
	);
}
