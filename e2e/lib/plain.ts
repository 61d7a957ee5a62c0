// Browsers that are not driven by Playwright, with a camera and a microphone that are always there: Debian's Firefox through WebDriver BiDi,
// and Chromium whose tabs may lie behind others, which Playwright's never do.
import { type Browser, type ElementHandle, launch, type Page } from "puppeteer-core";
import * as chromium from "./chromium.ts";
import { email, password } from "./people.ts";

const firefox = process.env.FIREFOX ?? "/usr/bin/firefox-esr";

export async function launchChromium(): Promise<Browser> {
  const { args, executablePath } = chromium;
  return launch({ executablePath, headless: true, args, defaultViewport: { width: 1366, height: 650 } });
}

export async function launchFirefox(): Promise<Browser> {
  return launch({
    browser: "firefox",
    executablePath: firefox,
    headless: true,
    // Firefox 140 cannot pretend another screen than it has: its window is as large as is wanted.
    defaultViewport: null,
    args: ["--width=1366", "--height=650"],
    extraPrefsFirefox: {
      "media.navigator.streams.fake": true,
      "media.navigator.permission.disabled": true,
      "media.autoplay.default": 0,
      "media.autoplay.blocking_policy": 0,
      "media.peerconnection.ice.loopback": true,
      "media.peerconnection.ice.obfuscate_host_addresses": false,
    },
  });
}

/** Signs in with the first account. */
export async function signIn(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/signin`);
  await fill(page, "Email", email);
  await page.type("input[type=password]", password); // it has no role that Firefox would find it by
  await press(page, "Sign in");
  await page.waitForFunction(() => location.pathname === "/");
}

/** Presses the button that says so, by the keyboard. */
export async function press(page: Page, name: string): Promise<void> {
  await (
    await shown(page, `::-p-xpath(//button[(normalize-space()="${name}" or @aria-label="${name}") and not(@disabled)])`)
  ).press("Enter");
}

/** Types into the field with that label. */
export async function fill(page: Page, label: string, text: string): Promise<void> {
  await (await shown(page, `::-p-aria([name="${label}"][role="textbox"])`)).type(text);
}

async function shown(page: Page, selector: string): Promise<ElementHandle> {
  const element = await page.waitForSelector(selector, { visible: true });
  if (!element) throw new Error(`${selector} is not there`);
  return element;
}
