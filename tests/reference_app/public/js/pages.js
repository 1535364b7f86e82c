// The pages: each returns its title and its elements.

import { api } from "./api.js";
import { form, h, showDay, showMoment, showSize } from "./dom.js";
import { FIELDS } from "./fields.js";

export function login(done) {
  const send = async (data) => {
    const { user } = await api("POST", "session", Object.fromEntries(data));
    await done(user);
  };
  const inputs = [
    h("label", {}, "Identifiant", h("input", { name: "login", autocomplete: "username", required: true })),
    h("label", {}, "Mot de passe",
      h("input", { name: "password", type: "password", autocomplete: "current-password", required: true })),
  ];
  return ["Connexion",
    h("section", { class: "card narrow" }, h("h1", {}, "Connexion"), form(inputs, "Se connecter", send))];
}

export async function list() {
  const { dossiers } = await api("GET", "dossiers");
  const columns = FIELDS.filter((field) => field.list);
  const row = (dossier) => h("tr", {},
    h("td", {}, h("a", { href: `/dossiers/${dossier.id}` }, dossier.numero)),
    columns.map((field) => h("td", {}, show(field, dossier[field.name]))));
  const listed = table(["Dossier", ...columns.map(({ label }) => label)], dossiers.map(row));
  return ["Dossiers",
    h("div", { class: "bar" },
      h("h1", {}, "Dossiers"), h("a", { class: "button", href: "/dossiers/nouveau" }, "Nouveau dossier")),
    dossiers.length ? listed : h("p", { class: "card" }, "Aucun dossier pour l’instant.")];
}

export async function detail(go, id) {
  const { dossier } = await api("GET", `dossiers/${id}`);
  const send = async (data) => {
    await api("POST", `dossiers/${id}/attachments`, data);
    await go(`/dossiers/${id}`);
  };
  const file = h("label", {}, "Ajouter une pièce jointe (20\u00a0Mo au plus)",
    h("input", { name: "file", type: "file", required: true }));
  return [`Dossier ${dossier.numero}`,
    h("p", {}, h("a", { href: "/" }, "← Tous les dossiers")),
    h("h1", {}, `Dossier ${dossier.numero}`),
    h("section", { class: "card" }, h("dl", {},
      FIELDS.flatMap((field) => [h("dt", {}, field.label), h("dd", {}, show(field, dossier[field.name]))]),
      h("dt", {}, "Créé"), h("dd", {}, `le ${showMoment(dossier.created_at)} par ${dossier.author}`))),
    h("h2", {}, "Pièces jointes"),
    dossier.attachments.length ? attachments(dossier.attachments) : h("p", {}, "Aucune pièce jointe."),
    h("section", { class: "card" }, form([file], "Joindre", send))];
}

function attachments(all) {
  const row = ({ id, name, size, verified_at: verified }) => h("tr", {},
    h("td", {}, h("a", { href: `/api/attachments/${id}`, download: name }, name)),
    h("td", {}, showSize(size)),
    h("td", {}, verified ? `Vérifiée le ${showMoment(verified)}` : "Vérification en cours…"));
  return table(["Fichier", "Taille", "Intégrité"], all.map(row));
}

function table(labels, rows) {
  return h("div", { class: "card scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, labels.map((label) => h("th", { scope: "col" }, label)))),
    h("tbody", {}, rows)));
}

function show({ type }, value) {
  if (type === "checkbox") return value ? h("span", { class: "badge" }, "Urgent") : "";
  if (!value) return "—";
  return type === "date" ? showDay(value) : value;
}
