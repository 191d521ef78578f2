/* Swagger UI for the contract that the bar has chosen, with the token that the home page got. */
import { keptToken, timeOf } from "./token.js";

const PLACE = "quintet.authorized";
const ABOUT = {
  access:
    "Paste an access token here, without the word Bearer, and every operation with a lock can be tried." +
    " Logging in on the home page gets you one, and so does trying out an operation that logs in.",
  fresh: "The same access token once more, for operations that take it only straight from a login.",
  refresh: "Needed only to renew an access token, and to log the refresh token itself out.",
};
const KINDS = Object.keys(ABOUT);
const kindOf = (scheme) => scheme.get("x-token");

/* Of schemes, those that can be filled in, the access token first. A page cannot set a cookie's header. */
const inOrder = (schemes) =>
  schemes.filter((one) => one.first().get("in") !== "cookie").sortBy((one) => KINDS.indexOf(kindOf(one.first())));

const explained = (Original, { React }) => (props) =>
  React.createElement(
    "div",
    null,
    React.createElement("p", { className: "about" }, ABOUT[kindOf(props.definitions.first())]),
    React.createElement(Original, props),
  );

/* Swagger UI would begin at the last of the schemes, with the first out of sight. */
const atTheFirst = (original) => (schemes) => {
  original(schemes);
  if (!schemes) return;
  requestAnimationFrame(() => {
    document.querySelector(".auth-container :is(input, button)")?.focus({ preventScroll: true });
    document.querySelector(".modal-ux-content").scrollTop = 0;
  });
};

/* Swagger UI would fill in the example of every filter, and then find nothing. */
const leftEmpty = (original) => (...asked) => {
  const parameter = original(...asked);
  const isOptional = parameter?.get("in") === "query" && !parameter.get("required");
  return isOptional ? parameter.delete("example").deleteIn(["schema", "example"]) : parameter;
};

/* Swagger UI itself would keep tokens in the browser for good. */
const keepForTab = (_, { authSelectors }) => () =>
  sessionStorage.setItem(PLACE, JSON.stringify(authSelectors.authorized()));

const Quintet = {
  wrapComponents: { auths: explained },
  statePlugins: {
    spec: { wrapSelectors: { parameterWithMetaByIdentity: leftEmpty } },
    auth: {
      wrapActions: { persistAuthorizationIfNeeded: keepForTab, showDefinitions: atTheFirst },
      wrapSelectors: { definitionsToAuthorize: (original) => (state) => inOrder(original(state)) },
    },
  },
};

const ui = SwaggerUIBundle({
  url: document.querySelector("#contracts [aria-current]").dataset.file,
  dom_id: "#content",
  plugins: [Quintet],
  deepLinking: true,
  filter: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  validatorUrl: null,
  onComplete: () => {
    const authorized = JSON.parse(sessionStorage.getItem(PLACE));
    if (authorized) ui.authActions.restoreAuthorization({ authorized });
    const kept = keptToken();
    if (!kept) return;
    if (Object.values(authorized ?? {}).some((one) => one.value === kept.token)) authorize(kept);
    else offer(kept);
  },
});

function offer(kept) {
  const [words, button] = document.getElementById("offer").children;
  words.textContent = `Logged in on the home page as ${kept.username}, until ${timeOf(kept.expiresAt)}.`;
  button.hidden = false;
  button.onclick = () => authorize(kept);
}

function authorize({ token, username, expiresAt }) {
  const [words, button] = document.getElementById("offer").children;
  words.textContent = `Authorized as ${username}, until ${timeOf(expiresAt)}.`;
  button.hidden = true;
  /* A login's own token is a fresh one too. */
  for (const [name, scheme] of ui.specSelectors.securityDefinitions().entries()) {
    if (["access", "fresh"].includes(kindOf(scheme))) ui.preauthorizeApiKey(name, token);
  }
  ui.authActions.persistAuthorizationIfNeeded();
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const followScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followScheme);
followScheme();
