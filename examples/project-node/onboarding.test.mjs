// Our client against the reference sandbox: what it does, and whether it does it as the documents say.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { after, before, beforeEach, test } from "node:test";

import { Planbok, receiver } from "./planbok.mjs";
import { World, startSandbox } from "./sandbox.mjs";

const RETURN = "https://our.app/return";
let sandbox, world, client;

before(async () => (sandbox = await startSandbox()));
after(() => sandbox?.stop());
beforeEach(async () => {
  world = await World.open(sandbox.origin);
  client = new Planbok(world.baseUrl, world.credentials.api_key);
});

async function customerWithPin() {
  const { id } = await client.createCustomer("Ada", "user-1");
  await world.enterPin((await client.setUp(id, RETURN)).id);
  assert.ok(await client.isSetUp(id));
  return id;
}

test("a customer gets a wallet on each chain", async () => {
  const customer = await customerWithPin();
  const challenge = await client.askForWallets(customer, ["ETH", "BTC"], RETURN);
  assert.equal(await client.stateOf(customer, challenge.id), "open");
  await world.enterPin(challenge.id);
  assert.equal(await client.stateOf(customer, challenge.id), "done");
  const chains = (await client.wallets(customer)).map(({ blockchain }) => blockchain);
  assert.deepEqual(chains.sort(), ["BTC", "ETH"]);
  await world.assertConforms();
});

for (const variation of ["SaysExpired", "NamesIdsPlainly", "SaysCompleted", "ForgetsExpiredChallenges"]) {
  test(`a quarter of an hour passes at once, where the server ${variation}`, async () => {
    await world.variations(variation);
    const customer = await customerWithPin();
    const late = await client.askForWallets(customer, ["ETH"], RETURN);
    await world.advance(901);
    assert.equal(await client.stateOf(customer, late.id), "over");
    const again = await client.askForWallets(customer, ["ETH"], RETURN);
    await world.enterPin(again.id);
    assert.equal(await client.stateOf(customer, again.id), "done");
    await world.assertConforms();
  });
}

for (const [fault, taken] of [[[], true], [["SignsWithTheApiKey"], false]]) {
  test(`webhooks are ${taken ? "taken" : "refused if another key signed them"}`, async () => {
    const events = [];
    const answer = receiver(world.credentials.webhook_secret, (event) => events.push(event.event));
    const server = createServer(async (request, response) => {
      response.writeHead(answer(request.headers, await buffer(request))).end();
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    try {
      await world.webhook(`http://127.0.0.1:${server.address().port}/hook`);
      await world.faults(...fault);
      const customer = await customerWithPin();
      await world.enterPin((await client.askForWallets(customer, ["ETH"], RETURN)).id);
      await world.advance(1); // which sends what is under way
      assert.equal(events.includes("wallet.created"), taken);
      await world.assertConforms();
    } finally {
      server.close();
    }
  });
}
