// An adapter in JavaScript: what ethers, siwe and http-message-signatures say of the vectors.
//
//     npm install
//     conformance vectors check --adapter 'node adapter.mjs'

import { createPrivateKey, createPublicKey } from "node:crypto";
import { createInterface } from "node:readline";

import { Wallet, verifyMessage } from "ethers";
import httpMessageSignatures from "http-message-signatures";
import { SiweMessage } from "siwe";

const { createSigner, createVerifier, httpbis } = httpMessageSignatures;
const ALGORITHM = "ecdsa-p384-sha384";
const HOUR = 3600;

class Refused extends Error {}

// A mistake of this program is to end it: taken for a refusal, it would pass for right wherever a case must not be
// accepted. (ethers refuses by TypeErrors that have a code.)
function isMistake(error) {
  return error instanceof ReferenceError || (error instanceof TypeError && !error.code);
}

function decoded(text) {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) throw new Refused("not standard base64");
  return bytes;
}

// --------------------------------------------------------------------------------------------------- wallet signatures

function acceptWalletSignature(given) {
  const signature = decoded(given.signature).toString("latin1");
  const signer = verifyMessage(decoded(given.message_base64), signature);
  if (signer.toLowerCase() !== given.address.toLowerCase()) throw new Refused(`signed by ${signer}`);
}

async function produceWalletSignature(task) {
  const signature = await new Wallet(`0x${task.private_key_hex}`).signMessage(decoded(task.message_base64));
  return { signature: Buffer.from(signature).toString("base64") };
}

// ---------------------------------------------------------------------------------------------------- sign-in messages

function acceptSignInMessage(given) {
  new SiweMessage(given.message);
}

function produceSignInMessage(task) {
  const message = new SiweMessage({
    scheme: task.scheme,
    domain: task.domain,
    address: task.address,
    statement: task.statement,
    uri: task.uri,
    version: task.version,
    chainId: task.chain_id,
    nonce: task.nonce,
    issuedAt: task.issued_at,
    expirationTime: task.expiration_time,
    notBefore: task.not_before,
    requestId: task.request_id,
    resources: task.resources,
  });
  return { message: message.prepareMessage() };
}

// The library reads the message; that a challenge lives for an hour is the caller's rule.
function acceptInTime(given, now) {
  const age = (Date.parse(now) - Date.parse(new SiweMessage(given.message).issuedAt)) / 1000;
  if (!(age <= HOUR)) throw new Refused(`${age} s old`);
}

// -------------------------------------------------------------------------------------------------- request signatures

function request(given, more = {}) {
  const headers = {};
  for (const [name, value] of given.headers) (headers[name] ??= []).push(value);
  for (const [name, value] of Object.entries(more)) if (value !== null) headers[name] = value;
  return { method: given.method, url: given.url, headers };
}

async function acceptRequest(given, now) {
  const message = request(given, { "Signature-Input": given.signature_input, Signature: given.signature });
  const verified = await httpbis.verifyMessage(
    {
      all: true,
      notAfter: new Date(Date.parse(now) + HOUR * 1000),
      keyLookup: async ({ keyid }) => {
        const pem = given.public_keys[keyid];
        return pem ? { id: keyid, algs: [ALGORITHM], verify: createVerifier(createPublicKey(pem), ALGORITHM) } : null;
      },
    },
    message,
  );
  if (verified !== true) throw new Refused(`the library says ${verified}`);
}

async function produceRequest(task) {
  const key = createPrivateKey({ key: task.private_key_jwk, format: "jwk" });
  const { headers } = await httpbis.signMessage(
    {
      key: createSigner(key, ALGORITHM, task.key_id),
      fields: task.components,
      params: ["created", "keyid", "alg"],
      paramValues: { created: new Date(task.created * 1000) },
    },
    request(task),
  );
  return { signature_input: headers["Signature-Input"], signature: headers.Signature };
}

// ------------------------------------------------------------------------------------------------------------ protocol

const ACCEPTS = {
  "wallet-signatures": acceptWalletSignature,
  "sign-in-messages": acceptSignInMessage,
  expiry: acceptInTime,
  "request-signatures": acceptRequest,
};
const PRODUCES = {
  "wallet-signatures": produceWalletSignature,
  "sign-in-messages": produceSignInMessage,
  "request-signatures": produceRequest,
};

async function answer({ id, topic, sides, input, now, task }) {
  const said = { id, supported: topic in ACCEPTS };
  if (topic in ACCEPTS && sides.includes("accept")) {
    try {
      await ACCEPTS[topic](input, now);
      said.accepted = true;
    } catch (error) {
      if (isMistake(error)) throw error;
      said.accepted = false;
      said.reason = `${error.name}: ${error.message}`;
    }
  }
  if (topic in PRODUCES && sides.includes("produce")) {
    try {
      said.produced = await PRODUCES[topic](task);
    } catch (error) {
      if (isMistake(error)) throw error;
      said.produced = {};
      said.reason = `${error.name}: ${error.message}`;
    }
  }
  return said;
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
