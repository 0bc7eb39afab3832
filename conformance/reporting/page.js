"use strict";
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const items = all("main .card, main tbody tr");
const form = document.querySelector("form");
const said = new Map(items.map((item) => [item, item.textContent.toLowerCase()]));

function show() {
  const { words, verdict, protects, api } = form.elements;
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = (select, value) => !select || !select.value || select.value === value;
  let shown = 0;
  for (const item of items) {
    const fits = chosen(verdict, item.classList.item(item.classList.length - 1))
      && chosen(protects, item.dataset.protects) && chosen(api, item.dataset.api)
      && wanted.every((word) => said.get(item).includes(word));
    item.hidden = !fits;
    shown += fits;
  }
  for (const table of all("main table")) {
    const empty = !table.querySelector("tbody tr:not([hidden])");
    table.hidden = empty;
    if (table.previousElementSibling?.tagName === "H3") table.previousElementSibling.hidden = empty;
  }
  for (const section of all("main > section")) {
    section.hidden = Boolean(section.querySelector(".card, tbody tr"))
      && !section.querySelector(".card:not([hidden]), tbody tr:not([hidden])");
  }
  form.elements.shown.value = `${shown} of ${items.length} entries shown`;
}

function follow() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.closest("[hidden]")) {
    form.reset();
    show();
    target.scrollIntoView();
  }
  for (let around = target?.closest("details"); around; around = around.parentElement.closest("details")) {
    around.open = true;
  }
}

// A block of code, whose fence is longer than any in it.
function fenced(text) {
  const fence = "~".repeat(1 + Math.max(2, ...(text.match(/~+/g) ?? []).map((run) => run.length)));
  return [`${fence}http`, text, fence, ""];
}

// What a card says, in Markdown: the sentences with their addresses, what was seen, and the exchange.
function forVendor(card, number) {
  const line = (text) => text.replace(/\s+/g, " ").trim();
  const seen = all(":scope > dl > dt", card).map((name) => [name.textContent, line(name.nextElementSibling.textContent)]);
  const asked = all(".statement", card).map((item) => {
    const says = item.querySelector("span").textContent;
    const links = all("a", item).map((link) => `${link.textContent}: <${link.href}>`).join("; ");
    return says ? `- ${says} (${links})` : `- ${links}`;
  });
  const linked = card.querySelector("p > a[href^='#exchange-']");
  const exchange = linked ? document.getElementById(linked.hash.slice(1)) : card.querySelector(".exchange");
  const further = card.querySelector(".further");
  return [
    `## ${number ? `${number}. ` : ""}${card.querySelector("h3").textContent}`, "",
    `${card.querySelector("h4").textContent}:`, "", ...asked, "",
    ...seen.filter(([name]) => name !== "side").map(([name, value]) => `- ${name}: \`${value.replaceAll("`", "'")}\``), "",
    ...(exchange ? [`${line(exchange.querySelector(".quiet").textContent)}:`, ""] : []),
    ...(exchange ? all("pre", exchange).flatMap((message) => fenced(message.textContent)) : []),
    ...(further ? [further.parentElement.querySelector("summary").textContent, ""] : []),
    `Our name for this rule: \`${card.id}\` (${card.dataset.facts}).`, "",
  ].join("\n");
}

function everything() {
  const cards = all(".card[data-vendor]");
  const told = `${cards.length} deviation${cards.length === 1 ? "" : "s"} from the documents`;
  const head = [`# ${document.querySelector("h1").textContent}: ${told}`, "",
    `Seen in ${all(".facts dd")[0].textContent}. Secrets are replaced by placeholders.`, ""];
  return [...head, ...cards.map((card, index) => forVendor(card, index + 1))].join("\n");
}

async function copy(button) {
  const name = button.textContent;
  const text = button.dataset.copy === "all" ? everything() : forVendor(button.closest(".card"));
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = name; }, 2000);
}

form.hidden = false;
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
window.addEventListener("hashchange", follow);
for (const button of all("button.copy")) {
  button.hidden = button.dataset.copy === "all" && !document.querySelector(".card[data-vendor]");
  button.addEventListener("click", () => copy(button));
}
window.addEventListener("beforeprint", () => all("details").forEach((each) => { each.open = true; }));
show();
follow();
