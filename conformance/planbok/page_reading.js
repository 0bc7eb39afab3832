() => {
  // What a person sees of a page: its fields with their labels, its buttons, its text.
  const squeeze = (text) => (text || "").replace(/\s+/g, " ").trim();
  const isShown = (element) => element.checkVisibility({ checkOpacity: false, checkVisibilityCSS: true });
  const label = (element) => {
    const named = (element.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean);
    const words = [
      ...named.map((id) => document.getElementById(id)?.innerText),
      element.getAttribute("aria-label"),
      ...[...(element.labels || [])].map((each) => each.innerText),
    ];
    const found = squeeze(words.filter(Boolean).join(" "));
    return found || squeeze(element.getAttribute("placeholder") || element.getAttribute("title"));
  };
  const legend = (element) => {
    const group = element.closest("fieldset, [role=group]");
    return group ? squeeze(group.querySelector("legend")?.innerText || group.getAttribute("aria-label")) : "";
  };
  document.querySelectorAll("[data-conformance]").forEach((element) => element.removeAttribute("data-conformance"));
  let number = 0;
  const mark = (element) => {
    element.setAttribute("data-conformance", String(number));
    return number++;
  };
  const isButton = (element) =>
    element.matches("button, input[type=submit], input[type=button], input[type=image], [role=button]");
  const fields = [...document.querySelectorAll("input, select, textarea, [role=textbox][contenteditable]")]
    .filter((element) => !isButton(element) && !element.disabled)
    .filter((element) => element.type === "hidden" || isShown(element))
    .map((element) => ({
      mark: mark(element),
      name: element.getAttribute("name") || "",
      kind: element.tagName === "SELECT" ? "select" : element.tagName === "TEXTAREA" ? "textarea" : element.type || "text",
      value: element.type === "password" ? "" : element.value || "",
      label: label(element),
      legend: legend(element),
      isBox: element.maxLength === 1 || element.getAttribute("size") === "1",
      choices: element.tagName === "SELECT" ? [...element.options].map((option) => option.value) : [],
    }));
  const buttons = [...document.querySelectorAll("button, input, [role=button]")]
    .filter((element) => isButton(element) && isShown(element) && !element.disabled)
    .map((element) => ({
      mark: mark(element),
      name: element.getAttribute("name") || "",
      value: element.value || "",
      label: label(element) || squeeze(element.innerText) || element.value || "",
    }));
  return { title: document.title, text: squeeze(document.body?.innerText), fields, buttons };
};
