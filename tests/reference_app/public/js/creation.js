// The page that makes a dossier, loaded when it is first asked for.

import { api } from "./api.js";
import { form, h } from "./dom.js";
import { FIELDS } from "./fields.js";

export async function creation(go) {
  const send = async (data) => {
    const values = FIELDS.map(({ name, type }) => [name, type === "checkbox" ? data.has(name) : data.get(name)]);
    const { dossier } = await api("POST", "dossiers", Object.fromEntries(values));
    await go(`/dossiers/${dossier.id}`);
  };
  const inputs = h("div", { class: "fields" }, FIELDS.map(input));
  return ["Nouveau dossier", h("h1", {}, "Nouveau dossier"),
    h("section", { class: "card" }, form([inputs], "Créer le dossier", send))];
}

function input({ name, label, type = "text", required, options }) {
  if (type === "checkbox") return h("label", { class: "check" }, h("input", { name, type }), label);
  const control = options
    ? h("select", { name, required },
      h("option", { value: "" }, "Choisir…"), options.map((option) => h("option", {}, option)))
    : h("input", { name, type, required, autocomplete: "off" });
  return h("label", {}, required ? label : `${label} (facultatif)`, control);
}
