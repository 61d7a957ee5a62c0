// Debian's Firefox, driven through WebDriver BiDi, with a camera and a microphone that are always there.
import { type Browser, launch, type Page } from "puppeteer-core";

export const executablePath = process.env.FIREFOX ?? "/usr/bin/firefox-esr";

export async function launchFirefox(): Promise<Browser> {
  return launch({
    browser: "firefox",
    executablePath,
    headless: true,
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

/** Presses the button that says so. */
export async function press(page: Page, name: string): Promise<void> {
  await page.locator(`::-p-xpath(//button[normalize-space()="${name}"])`).click();
}

/** Types into the field with that label. */
export async function fill(page: Page, label: string, text: string): Promise<void> {
  await page.locator(`::-p-xpath(//label[contains(., "${label}")])`).click();
  await page.keyboard.type(text);
}
