// The reference sandbox for our tests: a world of its own for each test, and what its client does right and wrong.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";

export async function startSandbox() {
  const child = spawn("conformance", ["sandbox", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const origin = await new Promise((found, failed) => {
    let printed = "";
    child.on("error", failed);
    child.on("exit", (code) => failed(new Error(`conformance sandbox ended with ${code}`)));
    child.stdout.on("data", (chunk) => {
      printed += chunk;
      const url = printed.match(/http:\/\/[\w.]+:\d+(?=\/)/);
      if (url) found(url[0]);
    });
  });
  return { origin, stop: () => child.removeAllListeners("exit").kill() };
}

async function command(method, url, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${url}: ${await answer.text()}`);
  return answer.json();
}

export class World {
  static async open(origin) {
    const made = await command("POST", `${origin}/_sandbox/worlds`, { seed: randomUUID() });
    return new World(`${origin}/_sandbox/worlds/${made.world}`, made.base_urls.planbok, made.tenants.first.planbok);
  }

  constructor(control, baseUrl, credentials) {
    Object.assign(this, { control, baseUrl, credentials });
  }

  advance(seconds) {
    return command("POST", `${this.control}/clock`, { advance_seconds: seconds });
  }

  variations(...names) {
    return command("PUT", `${this.control}/variations`, names);
  }

  faults(...names) {
    return command("PUT", `${this.control}/faults`, names);
  }

  webhook(url) {
    return command("PUT", `${this.control}/webhook`, { url });
  }

  // A person at the hosted page chooses or enters the PIN, and answers the questions of recovery.
  enterPin(challenge, pin = "482913") {
    const answers = ["A blue bicycle", "Mrs Okafor"];
    return command("POST", `${this.control}/planbok/challenges/${challenge}/pin`, { pin, answers });
  }

  async assertConforms() {
    const { rules, verdict } = await command("GET", `${this.control}/findings`);
    const broken = rules.flatMap(({ id, findings }) =>
      findings
        .filter(({ held }) => held === false)
        .map(({ where, expected, got }) => `${id}, ${where}: expected ${expected}, got ${got}`),
    );
    assert.deepEqual(broken, []);
    assert.equal(verdict, "conforms");
  }
}
