import { render } from "preact";
import "./app.css";
import { App } from "./app.tsx";
import { followLinks } from "./router.ts";

followLinks();
const root = document.getElementById("app");
if (root) render(<App />, root);
