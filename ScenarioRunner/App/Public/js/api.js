// The runner's HTTP API. Whatever goes wrong arrives as one kind of error, with words for a person.

const DEADLINE_MS = 10_000;

/** What the runner refused, or that it did not answer (`status` 0). */
export class Problem extends Error {
  constructor(status, detail, retryAfter = null) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** Whether this runner has no such endpoint: an older one, or one in another place. */
  get isMissing() {
    return this.status === 404 || this.status === 405;
  }
}

export function get(path) {
  return request("GET", path);
}

/** Posts `body` as JSON where there is one; the parameters of the older endpoints go into the query. */
export function post(path, { query = null, body = null } = {}) {
  return request("POST", query ? `${path}?${new URLSearchParams(query)}` : path, body);
}

export function put(path, body) {
  return request("PUT", path, body);
}

async function request(method, path, body = null) {
  const headers = { Accept: "application/json" };
  if (body !== null) headers["Content-Type"] = "application/json";
  try {
    // A halt answers within 10 s by itself.
    const signal = AbortSignal.timeout(path === "/api/halt" ? 2 * DEADLINE_MS : DEADLINE_MS);
    const response = await fetch(path, { method, headers, signal, body: body === null ? null : JSON.stringify(body) });
    const document = await response.json().catch(() => null);
    if (!response.ok) throw problemOf(response, document);
    if (document === null) throw new Problem(response.status, "The runner's answer was not JSON.");
    return document;
  } catch (error) {
    throw asProblem(error);
  }
}

function asProblem(error) {
  if (error instanceof Problem) return error;
  return new Problem(0, error.name === "TimeoutError" ? "The runner did not answer in time." : "The runner cannot be reached.");
}

function problemOf(response, document) {
  const retryAfter = Number(document?.retry_after ?? response.headers.get("Retry-After")) || null;
  return new Problem(response.status, document?.detail ?? `The runner answered ${response.status}.`, retryAfter);
}
