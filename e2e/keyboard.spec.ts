// The call without a mouse: every control by Tab in the order in which it stands and with a focus that is seen, every key that the
// page promises, and dialogs and menus that keep the focus and give it back.
import { expect, type Locator, type Page, test } from "@playwright/test";
import { practice, practiceIsReady, seesAll } from "./lib/call.ts";
import { draw, strokes } from "./lib/clip.ts";
import { api, makeFirstAccount, newPerson } from "./lib/people.ts";
import { Server } from "./lib/server.ts";

test.describe.configure({ mode: "serial" });

let server: Server;
let amara: Page;
let session: string;

test.beforeAll(async ({ browser }) => {
  server = await Server.start();
  amara = await newPerson(browser);
  await makeFirstAccount(amara, server, server.url);
  await practiceIsReady(amara);
  session = await practice(amara);
});

test.afterAll(async () => {
  await amara?.context().close();
  await server?.close();
});

const button = (name: string | RegExp) => amara.getByRole("button", { name, exact: typeof name === "string" });

/** Presses Tab until the control has the focus. */
async function tabTo(control: Locator): Promise<void> {
  await expect(control).toBeVisible();
  for (let i = 0; i < 80; i++) {
    if (await control.evaluate((el) => el === document.activeElement)) return;
    await amara.keyboard.press("Tab");
  }
  throw new Error(`80 times Tab do not reach ${control}`);
}

interface Stop {
  /** The part of the page in which it stands. */
  part: string;
  name: string;
  /** What is wrong with how its focus is seen. */
  unseen: string;
}

/** What has the focus now; null for the page itself. */
function focused(): Promise<Stop | null> {
  return amara.evaluate(() => {
    const el = document.activeElement as HTMLElement | null;
    if (!el || el === document.body || el === document.documentElement) return null;
    const part = el.closest("header, section, footer > *, .skip");
    const label = part?.getAttribute("aria-labelledby");
    const heading = label ? document.getElementById(label)?.textContent : part?.getAttribute("aria-label");
    const shown = el.closest("label") ?? el;
    const style = getComputedStyle(shown);
    const box = el.getBoundingClientRect();
    const ring = style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2;
    const inView = box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight;
    const name = el.getAttribute("aria-label") ?? el.textContent?.trim() ?? "";
    return {
      part: heading?.trim() || part?.className || part?.tagName || "",
      name,
      unseen: !inView ? "out of view" : box.width < 8 || box.height < 8 ? "too small" : ring ? "" : "no ring",
    };
  });
}

/** Names of all controls that a person sees. */
function controls(): Promise<string[]> {
  return amara.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>("button, a[href], input, select, textarea, [role=slider]")]
      .filter((el) => el.checkVisibility({ visibilityProperty: true }) && !el.hasAttribute("disabled"))
      .filter((el) => el.getBoundingClientRect().width > 4)
      .map((el) => el.getAttribute("aria-label") ?? el.textContent?.trim() ?? ""),
  );
}

/** One round of Tab through the page, from its beginning: that is where the focus is after the last control. */
async function round(): Promise<Stop[]> {
  await amara.keyboard.press("Tab");
  for (let i = 0; i < 80 && (await focused()); i++) await amara.keyboard.press("Tab");
  const stops: Stop[] = [];
  for (let i = 0; i < 80; i++) {
    await amara.keyboard.press("Tab");
    const stop = await focused();
    if (!stop) return stops;
    stops.push(stop);
  }
  throw new Error(`Tab finds no end: ${JSON.stringify(stops)}`);
}

interface Playback {
  mode: string;
  position: number;
}

async function playback(): Promise<Playback> {
  const { view } = await api<{ view: { playback: Playback } }>(amara, "GET", `/api/sessions/${session}/replay`);
  return view.playback;
}

test("through the door by keys alone", async () => {
  await amara.goto(`${server.url}/s/${session}`);
  await tabTo(button("Join"));
  await amara.keyboard.press("Enter");
  await seesAll(amara, 1);
});

test("Tab reaches every control once, in the order in which it stands, and the focus is seen", async () => {
  const stops = await round();
  const names = stops.map((s) => s.name);
  expect(stops.filter((s) => s.unseen)).toEqual([]);
  expect([...names].sort()).toEqual([...new Set(await controls())].sort());
  // From top to bottom: the bar above, the clip's timeline, notes, the bar below from left to right.
  const expected = [
    "Record",
    "Settings",
    "Zoom in",
    "Clip position",
    "Write a note",
    "Play",
    "Back one frame",
    "Forward one frame",
    "Microphone is on. Turn it off",
    "Camera is on. Turn it off",
    "Share your screen",
    "Raise your hand",
    "Call a pause",
    "More ways to pause",
    "Leave",
    "More ways to leave",
    "Notes",
    "People",
    "Watch",
    "Talk",
    "Keys",
  ];
  expect(names.filter((n) => expected.includes(n))).toEqual(expected);
  // Whoever has left a part of the page does not come back to it.
  const parts = stops.map((s) => s.part).filter((part, i, all) => part !== all[i - 1]);
  expect(new Set(parts).size, parts.join(" › ")).toBe(parts.length);
});

test("play, stop, seek and frame by frame", async () => {
  await button("Keys").focus();
  await amara.keyboard.press("Escape");
  await amara.keyboard.press("Space");
  await expect(button("Stop")).toBeVisible();
  await expect.poll(async () => (await playback()).mode).toBe("playing");
  await amara.keyboard.press("Space");
  await expect(button("Play")).toBeVisible();
  const { position } = await playback();
  await amara.keyboard.press("ArrowRight");
  await expect.poll(async () => Math.round((await playback()).position / 1e6)).toBe(Math.round((position + 1e6) / 1e6));
  const second = (await playback()).position;
  await amara.keyboard.press("Shift+ArrowRight");
  await expect.poll(async () => (await playback()).position).toBeGreaterThan(second + 5e6);

  const stood = (await playback()).position;
  await amara.keyboard.press(".");
  await expect.poll(async () => (await playback()).position).toBeGreaterThan(stood);
  const frame = (await playback()).position - stood;
  expect(frame).toBeLessThanOrEqual(50_000); // 25 frames a second, from the middle of one to the next
  await amara.keyboard.press(",");
  await expect.poll(async () => (await playback()).position).toBeLessThan(stood + frame);

  await tabTo(amara.getByRole("slider", { name: "Clip position" }));
  await amara.keyboard.press("Home");
  await expect.poll(async () => (await playback()).position).toBeLessThan(1e6);
  await tabTo(button("Play"));
  await amara.keyboard.press("Enter");
  await expect(button("Stop")).toBeFocused();
  await amara.keyboard.press("Enter");
  await expect(button("Play")).toBeFocused();
});

test("microphone, camera, hand, a note, a mark, the frame large", async () => {
  await amara.keyboard.press("v");
  await expect(button("Microphone is off. Turn it on")).toBeVisible();
  await amara.keyboard.press("v");
  await expect(button("Microphone is on. Turn it off")).toBeVisible();
  await amara.keyboard.press("b");
  await expect(button("Camera is off. Turn it on")).toBeVisible();
  await amara.keyboard.press("b");
  await expect(button("Camera is on. Turn it off")).toBeVisible();
  await amara.keyboard.press("h");
  await expect(button("Lower your hand")).toBeVisible();
  await amara.keyboard.press("h");
  await expect(button("Raise your hand")).toBeVisible();
  await amara.keyboard.press("n");
  await expect(amara.getByLabel("Write a note")).toBeFocused();
  await amara.keyboard.type("vbhp, all of it words");
  await amara.keyboard.press("Enter");
  await expect(amara.getByText("vbhp, all of it words").first()).toBeVisible();
  await expect(button("Microphone is on. Turn it off")).toBeVisible();
  await amara.keyboard.press("Escape");
  await expect(amara.getByLabel("Write a note")).not.toBeFocused();
  await amara.keyboard.press("m");
  await expect(amara.getByText(/^Marked at/)).toBeVisible();
  await amara.keyboard.press("f");
  await expect(button("Make it small again")).toBeVisible();
  await amara.keyboard.press("Escape");
  await expect(button("Make it small again")).toHaveCount(0);
});

test("one begins to draw on the frame that stands, and ends it", async () => {
  const pen = button("Draw on the frame (D)");
  const tools = amara.getByRole("group", { name: "Drawing" });
  await button("Keys").focus();
  await amara.keyboard.press("Escape");
  await amara.keyboard.press("d");
  await draw(amara, [0.4, 0.4], [0.6, 0.5]);
  await draw(amara, [0.5, 0.7]);
  await expect(strokes(amara)).toHaveCount(2);
  await tabTo(button("Undo"));
  await amara.keyboard.press("Enter");
  await expect(strokes(amara)).toHaveCount(1);
  await tabTo(button("Clear mine"));
  await amara.keyboard.press("Enter");
  await expect(strokes(amara)).toHaveCount(0);
  await expect(button("Clear mine")).toBeFocused();
  await amara.keyboard.press("Escape");
  await expect(tools).toHaveCount(0);
  await expect(pen).toBeFocused();
  await amara.keyboard.press("Enter");
  await tabTo(button("Done"));
  await amara.keyboard.press("Enter");
  await expect(tools).toHaveCount(0);
  await expect(pen).toBeFocused();
});

test("one looks around in the clip alone, and comes back", async () => {
  await button("Keys").focus();
  await amara.keyboard.press("Escape");
  const others = await playback();
  await amara.keyboard.press("l");
  await expect(button("Come back")).toBeVisible();
  await amara.keyboard.press("ArrowRight");
  await amara.keyboard.press("Space");
  await expect(button("Stop")).toBeVisible();
  await expect(button("Draw on the frame (D)")).toHaveCount(0);
  expect(await playback()).toMatchObject({ mode: others.mode, position: others.position });
  await amara.keyboard.press("l");
  await expect(button("Come back")).toHaveCount(0);
  await expect(button("Play")).toBeVisible();
});

test("a pause is called, answered and ended", async () => {
  await amara.keyboard.press("p");
  const prompt = amara.getByRole("heading", { name: "What do you see here?" });
  await expect(prompt).toBeFocused();
  await expect(amara.getByText("1 of 1").first()).toBeVisible();
  await amara.keyboard.press("Tab");
  await expect(amara.getByLabel("Your answer")).toBeFocused();
  await amara.keyboard.type("cp: nobody waits for me");
  await expect(button("Show answers")).toBeVisible(); // once there is one
  const stops = await round();
  expect(stops.filter((s) => s.unseen)).toEqual([]);
  expect(stops.map((s) => s.name)).toEqual(expect.arrayContaining(["Show answers", "I’d like to speak"]));
  await tabTo(button("Show answers"));
  await amara.keyboard.press("Enter");
  await expect(amara.getByRole("list", { name: "Answers" })).toContainText("nobody waits for me");
  await amara.keyboard.press("c");
  await expect(prompt).toHaveCount(0);
  await expect(button("Call a pause")).toBeVisible();
});

test("dialogs keep the focus, close with Escape and give it back", async () => {
  if (await button("Stop").isVisible()) await amara.keyboard.press("Space");
  const inMenu = (menu: string, item: string) => async () => {
    await tabTo(button(menu));
    await amara.keyboard.press("Enter");
    const first = amara.getByRole("menuitem").first();
    await expect(first).toBeFocused();
    for (
      let i = 0;
      i < 5 && !(await amara.getByRole("menuitem", { name: item }).evaluate((el) => el === document.activeElement));
      i++
    )
      await amara.keyboard.press("ArrowDown");
    await amara.keyboard.press("Enter");
    return button(menu);
  };
  const pressed = (name: string) => async () => {
    await tabTo(button(name));
    await amara.keyboard.press("Enter");
    return button(name);
  };
  const dialogs: [string, () => Promise<Locator>][] = [
    ["Settings", pressed("Settings")],
    ["Keys", pressed("Keys")],
    ["Call a pause with a question", inMenu("More ways to pause", "Pause with a question…")],
    ["End the session for everyone?", inMenu("More ways to leave", "End for everyone")],
    ["Add a pause", pressed("Prepare a pause here")],
  ];
  for (const [title, open] of dialogs) {
    const opener = await open();
    const dialog = amara.getByRole("dialog", { name: title });
    await expect(dialog).toBeVisible();
    // The browser's own bars may have their turn; nothing of the page behind has.
    for (let i = 0; i < 20; i++) {
      await amara.keyboard.press("Tab");
      const where = await dialog.evaluate((el) => {
        const at = document.activeElement;
        return at === document.body || el.contains(at) ? "inside" : (at?.outerHTML ?? "");
      });
      expect(where, `${title}, Tab ${i + 1}`).toBe("inside");
    }
    await amara.keyboard.press("Escape");
    await expect(dialog).toHaveCount(0);
    await expect(opener).toBeFocused();
  }
  expect((await playback()).mode).toBe("stopped");
});

test("keys do nothing behind a dialog or a menu", async () => {
  await tabTo(button("More ways to leave"));
  await amara.keyboard.press("Enter");
  await expect(amara.getByRole("menuitem", { name: "End for everyone" })).toBeFocused();
  await amara.keyboard.press("p");
  await amara.keyboard.press("Escape");
  await expect(button("More ways to leave")).toBeFocused();
  await amara.keyboard.press("Shift+?");
  await expect(amara.getByRole("dialog", { name: "Keys" })).toBeVisible();
  await amara.keyboard.press("p");
  await amara.keyboard.press("v");
  await amara.keyboard.press("Escape");
  await expect(button("Microphone is on. Turn it off")).toBeVisible();
  expect((await playback()).mode).toBe("stopped");
});

test("people beside the faces are opened and put away", async () => {
  await tabTo(button("Talk"));
  await amara.keyboard.press("Enter");
  await tabTo(button("People"));
  await amara.keyboard.press("Enter");
  await tabTo(button("Close people"));
  await amara.keyboard.press("Enter");
  await expect(amara.getByRole("heading", { name: "People" })).toHaveCount(0);
  await tabTo(button("Watch"));
  await amara.keyboard.press("Enter");
});

test("and out again", async () => {
  await tabTo(button("Leave"));
  await amara.keyboard.press("Enter");
  await expect(amara.getByRole("heading", { name: "You have left" })).toBeVisible();
  await tabTo(button("Come back"));
});
