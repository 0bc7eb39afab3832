// A client of OffBlocks in JavaScript: http-message-signatures, siwe and ethers, and nothing of the suite.
//
//     npm install
//     conformance sandbox --judge                   # in one terminal
//     node client.mjs http://127.0.0.1:8080         # in another one

import { createHash, createPrivateKey, randomUUID } from "node:crypto";

import { Wallet } from "ethers";
import httpMessageSignatures from "http-message-signatures";
import { SiweMessage } from "siwe";

const { createSigner, httpbis } = httpMessageSignatures;
const CHAIN = "eip155:300";
const DOMAIN = "api.sandbox.offblocks.xyz";

class OffBlocks {
  constructor(baseUrl, own) {
    this.baseUrl = baseUrl;
    this.own = own;
    this.signer = createSigner(createPrivateKey(own.signing_key), "ecdsa-p384-sha384", own.signing_key_id);
  }

  async logIn() {
    const body = JSON.stringify({ apiKey: this.own.api_key, apiSecret: this.own.api_secret });
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(`${this.baseUrl}/v1/auth/token`, { method: "POST", headers, body });
    this.token = (await answer.json()).token;
  }

  async call(method, path, document) {
    const url = `${this.baseUrl}${path}`;
    const headers = { Authorization: `Bearer ${this.token}` };
    const body = document === undefined ? undefined : JSON.stringify(document);
    if (method !== "GET") headers["Idempotency-Key"] = randomUUID();
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
      headers["Content-Digest"] = `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
    }
    const fields = ["@method", "@path", ...Object.keys(headers).map((name) => name.toLowerCase())];
    const signed = await httpbis.signMessage({ key: this.signer, fields }, { method, url, headers });
    const answer = await fetch(url, { method, headers: signed.headers, body });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    const text = await answer.text();
    return text ? JSON.parse(text) : undefined;
  }
}

// The wallet's signature of a challenge, if it asks for a sign-in of this wallet in the name of the API.
async function signIn(wallet, challenge) {
  const message = Buffer.from(challenge, "base64").toString();
  const asked = new SiweMessage(message);
  if (asked.domain !== DOMAIN || asked.address !== wallet.address) throw new Error(`Nobody should sign ${message}`);
  return Buffer.from(await wallet.signMessage(message)).toString("base64");
}

const world = await (await fetch(`${process.argv[2]}/_sandbox`)).json();
const api = new OffBlocks(world.base_urls.offblocks, world.tenants.first.offblocks);
await api.logIn();
const wallet = Wallet.createRandom();
const chainId = `${CHAIN}:${wallet.address}`;
const { id, challenge } = await api.call("POST", "/v1/customers", { chainId, externalId: randomUUID() });
const signature = await signIn(wallet, challenge);
await api.call("POST", `/v1/customers/${id}/challenge/sign`, { ownerId: chainId, challenge, signature });
console.log(`status: ${(await api.call("GET", `/v1/customers/${id}`)).status}`);
console.log(`customers: ${(await api.call("GET", "/v1/customers")).length}`);
