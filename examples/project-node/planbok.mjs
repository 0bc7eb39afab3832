// Our client of Planbok, and our receiver of its webhooks. Nothing of the suite is in it.
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";

const SUCCEEDED = new Set(["verified", "completed", "success", "successful"]);
const ENDED = new Set([...SUCCEEDED, "failed", "expired", "cancelled"]);
const TOLERANCE_S = 300;

export class PlanbokError extends Error {
  constructor(status, body) {
    super(`${status}: ${body?.message ?? body?.errors?.message ?? "no reason given"}`);
    this.status = status;
  }
}

export class Planbok {
  constructor(baseUrl, apiKey) {
    this.baseUrl = baseUrl;
    this.apiKey = apiKey;
  }

  createCustomer(name, refId) {
    return this.send("POST", "/v2/customers", { name, refId, idempotencyKey: randomUUID() });
  }

  setUp(customer, redirectUrl) {
    return this.challenged("POST", `/v2/customers/${customer}/initialize`, { redirectUrl });
  }

  async isSetUp(customer) {
    const { hasPin, hasRecovery } = await this.send("GET", `/v2/customers/${customer}`);
    return hasPin && hasRecovery;
  }

  askForWallets(customer, blockchains, redirectUrl) {
    const body = { blockchains, accountType: "eoa", redirectUrl, idempotencyKey: randomUUID() };
    return this.challenged("POST", `/v2/customers/${customer}/wallet/create`, body);
  }

  // Where a challenge stands: "open", "done" or "over". Servers have different words for it.
  async stateOf(customer, challenge) {
    try {
      const { status } = await this.send("GET", `/v2/customers/${customer}/challenges/${challenge}`);
      return SUCCEEDED.has(status.toLowerCase()) ? "done" : ENDED.has(status.toLowerCase()) ? "over" : "open";
    } catch (error) {
      if (error.status === 404 || error.status === 410) return "over";
      throw error;
    }
  }

  wallets(customer) {
    return this.send("GET", `/v2/wallets?customerIds=${encodeURIComponent(customer)}`);
  }

  async challenged(method, path, body) {
    const { challengeId, id, redirectUrl } = await this.send(method, path, body);
    return { id: challengeId ?? id, redirectUrl };
  }

  async send(method, path, body) {
    const headers = { "PLANBOK-X-API-KEY": this.apiKey };
    if (body) headers["Content-Type"] = "application/json";
    const answer = await fetch(this.baseUrl + path, { method, headers, body: body && JSON.stringify(body) });
    const content = await answer.json().catch(() => null);
    if (!answer.ok) throw new PlanbokError(answer.status, content);
    return content.data;
  }
}

// The status that a webhook is answered with; `take` is given each event once, by its key.
export function receiver(secret, take) {
  const taken = new Set();
  return (headers, body) => {
    const timestamp = headers["x-webhook-timestamp"] ?? "";
    const expected = createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest("hex");
    const [given, wanted] = [headers["x-webhook-signature"] ?? "", `sha256=${expected}`].map((text) => Buffer.from(text));
    const isYoung = Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE_S;
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted) || !isYoung) return 401;
    const event = JSON.parse(body);
    const key = event.idempotencyKey ?? headers["x-webhook-id"];
    if (!taken.has(key)) take(event);
    taken.add(key);
    return 200;
  };
}
