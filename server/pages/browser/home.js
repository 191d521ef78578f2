/* Gets an access token by operations of FocusGuard, as any other client does, and asks whether the server is ready. */
import { forgetTokens, keepToken, keptToken, timeOf } from "./token.js";

const DEMO_TASKS = [
  { title: "Water the plants", priority: "high", tags: ["home"], recurrence_pattern: { pattern_type: "weekly" } },
  { title: "Write the talk", description: "Twenty minutes, no slides." },
  { title: "Learn the accordion", priority: "low" },
];
const WORDS = {
  401: () => "The name or the password is wrong.",
  429: (answer) => `Too many attempts. Try again in ${duration(Number(answer.headers.get("Retry-After")))}.`,
  503: () => "The server has too much to do, or its database is away. Try again in a moment.",
};
const part = (id) => document.getElementById(id);

class Refused extends Error {}

async function post(path, body, token) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  /* Without credentials the browser keeps no cookie of this login. */
  const sent = { method: "POST", headers, body: JSON.stringify(body), credentials: "omit" };
  const answer = await fetch(path, sent).catch(() => null);
  if (!answer) throw new Refused("The server does not answer.");
  const content = await answer.json().catch(() => ({}));
  if (answer.ok) return content;
  const said = content.detail?.message ?? content.detail ?? `The server answered ${answer.status}.`;
  throw new Refused(WORDS[answer.status]?.(answer) ?? said);
}

function duration(seconds) {
  const [count, unit] = seconds < 90 ? [seconds, "second"] : [Math.ceil(seconds / 60), "minute"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

async function logIn() {
  keep(await post("/api/auth/login", { username: part("name").value, password: part("password").value }));
  part("log-in").reset();
}

async function makeDemoAccount() {
  const [username, password] = [`demo-${random(4)}`, random(8)];
  const login = await post("/api/auth/register", { username, email: `${username}@quintet.example`, password });
  part("demo-name").textContent = username;
  part("demo-password").textContent = password;
  part("demo-account").hidden = false;
  keep(login);
  for (const task of DEMO_TASKS) await post("/v1/tasks", task, login.access_token);
}

function random(bytes) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (one) => one.toString(16).padStart(2, "0")).join("");
}

function keep({ access_token: token, expires_in: seconds, user }) {
  keepToken({ token, username: user.username, expiresAt: Date.now() + seconds * 1000 });
  show();
  part("result").focus();
}

function show() {
  const kept = keptToken();
  part("log-in").hidden = kept !== null;
  part("result").hidden = kept === null;
  for (const id of ["access-token", "curl"]) part(id).textContent = "";
  if (!kept) return;
  const left = kept.expiresAt - Date.now();
  part("whose").textContent = `Logged in as ${kept.username}`;
  part("validity").textContent =
    `The token is valid for ${duration(Math.round(left / 1000))}, until ${timeOf(kept.expiresAt)}. This tab keeps it until then.`;
  part("access-token").textContent = kept.token;
  part("curl").textContent = `curl -s ${location.origin}/v1/tasks -H 'Authorization: Bearer ${kept.token}'`;
  /* Longer than this no browser waits. */
  setTimeout(show, Math.min(left, 2 ** 31 - 1));
}

async function logOut() {
  const { token } = keptToken() ?? {};
  forgetTokens();
  show();
  part("name").focus();
  if (token) await post("/api/auth/logout", undefined, token);
}

async function copy({ currentTarget: button }) {
  const text = part(button.dataset.copies);
  getSelection().selectAllChildren(text);
  /* Browsers have no clipboard for pages that came by plain HTTP from another machine. */
  const isCopied = await navigator.clipboard?.writeText(text.textContent).then(() => true, () => false);
  button.textContent = isCopied ? "Copied" : "Selected";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

function doing(action) {
  return async (event) => {
    event.preventDefault();
    const buttons = document.querySelectorAll("#with-script button");
    buttons.forEach((one) => { one.disabled = true; });
    part("problem").hidden = true;
    try {
      await action();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      part("problem").textContent = error.message;
      part("problem").hidden = false;
    } finally {
      buttons.forEach((one) => { one.disabled = false; });
    }
  };
}

async function tellState() {
  const answer = await fetch("/readyz").catch(() => null);
  const isReady = answer?.ok ?? false;
  part("state").className = isReady ? "ready" : "away";
  part("state").textContent = isReady ? "The server is ready." : "The server is not ready: its database does not answer.";
}

part("log-in").addEventListener("submit", doing(logIn));
part("make-demo")?.addEventListener("click", doing(makeDemoAccount));
part("log-out").addEventListener("click", doing(logOut));
document.querySelectorAll("[data-copies]").forEach((one) => one.addEventListener("click", copy));
document.querySelectorAll(".host").forEach((one) => { one.textContent = location.origin; });
part("by-curl").open = false;
part("with-script").hidden = false;
show();
tellState();
