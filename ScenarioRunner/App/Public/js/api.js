// The runner's HTTP API. Whatever goes wrong arrives as one kind of error, with words for a person.

const DEADLINE_MS = 10_000;

/** What the runner refused, or that it did not answer (`status` 0). */
export class Problem extends Error {
  constructor(status, detail, retryAfter = null) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export function get(path) {
  return request("GET", path);
}

/** Posts `body` as JSON where there is one; the parameters of the older endpoints go into the query. */
export function post(path, { query = null, body = null } = {}) {
  return request("POST", query ? `${path}?${new URLSearchParams(query)}` : path, body);
}

async function request(method, path, body = null) {
  const headers = { Accept: "application/json" };
  if (body !== null) headers["Content-Type"] = "application/json";
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const response = await fetch(path, { method, headers, signal, body: body === null ? null : JSON.stringify(body) });
    const document = await response.json().catch(() => null);
    if (!response.ok) throw problemOf(response, document);
    if (document === null) throw new Problem(response.status, "The runner's answer was not JSON.");
    return document;
  } catch (error) {
    if (error instanceof Problem) throw error;
    const detail = error.name === "TimeoutError" ? "The runner did not answer within 10 s." : "The runner cannot be reached.";
    throw new Problem(0, detail);
  }
}

function problemOf(response, document) {
  const retryAfter = Number(document?.retry_after ?? response.headers.get("Retry-After")) || null;
  return new Problem(response.status, document?.detail ?? `The runner answered ${response.status}.`, retryAfter);
}
