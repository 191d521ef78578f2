/* The access token that the home page got: kept for this tab alone, until it expires. */
const PLACE = "quintet.token";

export function keepToken(kept) {
  sessionStorage.setItem(PLACE, JSON.stringify(kept));
}

/* With what Swagger UI was given of it. */
export function forgetTokens() {
  sessionStorage.clear();
}

export function keptToken() {
  const kept = JSON.parse(sessionStorage.getItem(PLACE));
  return kept && kept.expiresAt > Date.now() ? kept : null;
}

export function timeOf(instant) {
  return new Date(instant).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}
